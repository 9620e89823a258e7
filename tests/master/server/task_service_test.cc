#include "master/server/task_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "master/records/record_limits.h"
#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

using ::testing::ElementsAre;

class TaskServiceTest : public ServerFixture {
 protected:
  absl::StatusOr<task::v1::GetResponse> Get(const std::vector<std::string>& ids, std::uint64_t seen = 0) {
    task::v1::GetRequest request;
    for (const std::string& id : ids) request.add_ids(id);
    request.set_seen_zxid(seen);
    return Call(&TaskService::Get, request);
  }
  static std::vector<std::string> Ids(const task::v1::ListResponse& page) {
    std::vector<std::string> ids;
    for (const auto& task : page.tasks()) ids.push_back(task.id());
    return ids;
  }
};

TEST_F(TaskServiceTest, ASubmissionIsSeenByTheReadThatFollows) {
  Start();
  EXPECT_EQ(SubmitOne(Spec("a")).outcome(), task::v1::DONE);
  EXPECT_EQ(SubmitOne(Spec("a")).outcome(), task::v1::EXISTED);
  EXPECT_EQ(SubmitOne(Spec("a", "false")).outcome(), task::v1::CONFLICT);
  const auto got = Get({"a", "b"});
  ASSERT_TRUE(got.ok());
  ASSERT_EQ(got->tasks_size(), 1);
  EXPECT_EQ(got->tasks(0).state(), task::v1::READY);
  EXPECT_THAT(got->not_found(), ElementsAre("b"));
  EXPECT_GT(got->zxid(), 0U);
}

TEST_F(TaskServiceTest, ABatchIsAnsweredTaskByTaskInItsOrder) {
  Start();
  task::v1::SubmitRequest request;
  *request.add_tasks() = Spec("a");
  *request.add_tasks() = Spec("bad/id");
  *request.add_tasks() = Spec("a");
  *request.add_tasks() = Spec("b");
  const auto response = Submit(request);
  ASSERT_TRUE(response.ok());
  std::vector<task::v1::Outcome> outcomes;
  for (const auto& result : response->results()) outcomes.push_back(result.outcome());
  EXPECT_THAT(outcomes, ElementsAre(task::v1::DONE, task::v1::REFUSED, task::v1::EXISTED, task::v1::DONE));
  EXPECT_FALSE(response->results(1).sentence().empty());
  EXPECT_EQ(response->results(3).id(), "b");
}

task::v1::TaskSpec After(task::v1::TaskSpec spec, const std::string& task) {
  spec.mutable_policy()->add_dependencies()->set_task(task);
  return spec;
}

// The program of the first goes to the store before it is decided; the others wait for their turn.
TEST_F(TaskServiceTest, InABatchATaskMayDependOnOnesBeforeIt) {
  Start();
  task::v1::SubmitRequest request;
  *request.add_tasks() = Spec("a", std::string(100'000, 'x'));
  *request.add_tasks() = Spec("bad/id");
  *request.add_tasks() = After(Spec("b"), "a");
  *request.add_tasks() = After(After(Spec("c"), "b"), "a");
  *request.add_tasks() = After(Spec("d"), "later");
  *request.add_tasks() = Spec("later");
  const auto response = Submit(request);
  ASSERT_TRUE(response.ok()) << response.status();
  std::vector<task::v1::Outcome> outcomes;
  for (const auto& result : response->results()) outcomes.push_back(result.outcome());
  EXPECT_THAT(outcomes,
              ElementsAre(task::v1::DONE, task::v1::REFUSED, task::v1::DONE, task::v1::DONE, task::v1::REFUSED, task::v1::DONE));
  EXPECT_EQ(response->results(4).sentence(), "task later, on which it depends, is not there: submit that first");
  const auto got = Get({"c"});
  ASSERT_TRUE(got.ok());
  EXPECT_THAT(got->tasks(0).waits_for(), ElementsAre("a", "b"));
  task::v1::ExplainRequest explain;
  explain.set_id("c");
  const auto explained = Call(&TaskService::Explain, explain);
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->sentence(), "it waits for task a, which is READY, and for task b, which is WAITING");
}

// Its client sends again what was FULL; what was REFUSED it would not.
TEST_F(TaskServiceTest, WhatDependsOnOneThatIsNotTakenForNowIsNotEither) {
  Start();
  task::v1::SetQueueRequest queue;
  queue.set_name("small");
  queue.set_waiting_max(1);
  ASSERT_TRUE(Call(&TaskService::SetQueue, queue).ok());
  task::v1::SubmitRequest request;
  for (const char* id : {"a", "b"}) {
    *request.add_tasks() = Spec(id);
    request.mutable_tasks()->rbegin()->mutable_policy()->set_queue("small");
  }
  *request.add_tasks() = After(Spec("c"), "b");
  const auto response = Submit(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).outcome(), task::v1::DONE);
  EXPECT_EQ(response->results(1).outcome(), task::v1::FULL);
  EXPECT_EQ(response->results(2).outcome(), task::v1::FULL);
  EXPECT_EQ(response->results(2).sentence(),
            "task b, on which it depends, was not taken: queue small is full: 1 of its tasks wait; try again later");
}

TEST_F(TaskServiceTest, ALargeProgramTravelsByReference) {
  Start();
  EXPECT_EQ(SubmitOne(Spec("a", std::string(100'000, 'x'))).outcome(), task::v1::DONE);
  const auto record = records::DecodeTaskRecord(tree_.Find(paths_.Task("a"))->data);
  EXPECT_TRUE(record->program().empty());
  ASSERT_EQ(objects_.objects.count(record->program_object().key()), 1U);
  task::v1::Program program;
  ASSERT_TRUE(program.ParseFromString(objects_.objects.at(record->program_object().key()).data));
  EXPECT_EQ(program.argv(0).size(), 100'000U);
  EXPECT_EQ(SubmitOne(Spec("a", std::string(100'000, 'x'))).outcome(), task::v1::EXISTED);
  EXPECT_EQ(objects_.objects.size(), 2U) << "the marker and one program";
}

TEST_F(TaskServiceTest, AnUploadMayBeReferredToForHalfADay) {
  Start();
  store::MemoryStore(&loop_, &objects_).Put("input/a/1", base::Bytes::Copy("a program"), [](const auto&) {});
  task::v1::TaskSpec spec;
  spec.set_id("a");
  spec.mutable_program_object()->set_key("input/a/1");
  spec.mutable_program_object()->set_size(9);
  spec.mutable_program_object()->set_digest(std::string(16, 'd'));
  tree_.now_ms = objects_.objects.at("input/a/1").modified.value + 12 * 3'600'000 + 1;
  const auto late = SubmitOne(spec);
  EXPECT_EQ(late.outcome(), task::v1::REFUSED);
  EXPECT_NE(late.sentence().find("input/a/1 was uploaded 12 h ago"), std::string::npos) << late.sentence();
  tree_.now_ms -= 1;
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::DONE);
  tree_.now_ms += 48 * 3'600'000;
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::EXISTED) << "a retry of what was taken is no new reference";
}

TEST_F(TaskServiceTest, AnUploadThatIsNotThereIsRefused) {
  Start();
  task::v1::TaskSpec spec = Spec("a");
  spec.mutable_program()->mutable_stdin_object()->set_key("input/a/1");
  spec.mutable_program()->mutable_stdin_object()->set_digest(std::string(16, 'd'));
  store::MemoryStore(&loop_, &objects_).Put("input/a/11", base::Bytes::Copy("another"), [](const auto&) {});
  const auto result = SubmitOne(spec);
  EXPECT_EQ(result.outcome(), task::v1::REFUSED);
  EXPECT_NE(result.sentence().find("input/a/1 is not in the object store"), std::string::npos) << result.sentence();
}

// Once it was UNAVAILABLE for the whole call, though the others were submitted.
TEST_F(TaskServiceTest, AKeyThatNoUploadCanHaveIsRefusedAloneInItsBatch) {
  Start();
  task::v1::SubmitRequest request;
  *request.add_tasks() = Spec("good");
  for (const std::string wrong : {"input/program/..", "input/program/a b", "input/program/"}) {
    task::v1::TaskSpec* spec = request.add_tasks();
    spec->set_id("program");
    spec->mutable_program_object()->set_key(wrong);
    spec->mutable_program_object()->set_digest(std::string(16, 'd'));
  }
  task::v1::TaskSpec* with_input = request.add_tasks();
  *with_input = Spec("input");
  with_input->mutable_program()->mutable_stdin_object()->set_key("input/input/a b");
  with_input->mutable_program()->mutable_stdin_object()->set_digest(std::string(16, 'd'));
  const auto response = Submit(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).outcome(), task::v1::DONE);
  for (int i = 1; i < response->results_size(); ++i) {
    EXPECT_EQ(response->results(i).outcome(), task::v1::REFUSED) << i;
    EXPECT_NE(response->results(i).sentence().find("key"), std::string::npos) << response->results(i).sentence();
  }
}

TEST_F(TaskServiceTest, WithoutAStoreALargeProgramIsRefusedWithAReason) {
  StartWithoutStore();
  const auto result = SubmitOne(Spec("a", std::string(100'000, 'x')));
  EXPECT_EQ(result.outcome(), task::v1::REFUSED);
  EXPECT_NE(result.sentence().find("--store"), std::string::npos) << result.sentence();
}

TEST_F(TaskServiceTest, WhileTheStoreIsLookedForALargeProgramIsToBeSentAgain) {
  master_->Start();
  Run();
  task::v1::SubmitRequest request;
  *request.add_tasks() = Spec("a", std::string(100'000, 'x'));
  EXPECT_EQ(Submit(request).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Submit(request).ok()) << "the question has started the look";
}

TEST_F(TaskServiceTest, AMasterThatDoesNotLeadSaysSo) {
  EXPECT_EQ(Get({"a"}).status().code(), absl::StatusCode::kUnavailable);
  task::v1::SubmitRequest request;
  *request.add_tasks() = Spec("a");
  EXPECT_EQ(Submit(request).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Call(&TaskService::GetTicket, task::v1::GetTicketRequest()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TaskServiceTest, ARequestThatHasSeenMoreThanTheCoreIsNotAnswered) {
  Start();
  EXPECT_TRUE(Get({}, tree_.zxid().value).ok());
  EXPECT_EQ(Get({}, 1'000'000).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TaskServiceTest, ATicketIsNoNewerThanTheView) {
  Start();
  const auto ticket = Call(&TaskService::GetTicket, task::v1::GetTicketRequest());
  ASSERT_TRUE(ticket.ok());
  EXPECT_GT(ticket->ticket(), 0U);
  EXPECT_LE(ticket->ticket(), tree_.zxid().value);
}

TEST_F(TaskServiceTest, ListsGoFromTheNewestPageByPage) {
  Start();
  for (const char* id : {"a", "b", "c", "d", "e"}) SubmitOne(Spec(id));
  task::v1::ListRequest request;
  request.set_limit(2);
  auto page = Call(&TaskService::List, request);
  EXPECT_THAT(Ids(*page), ElementsAre("e", "d"));
  request.set_after(page->next());
  page = Call(&TaskService::List, request);
  EXPECT_THAT(Ids(*page), ElementsAre("c", "b"));
  request.set_after(page->next());
  page = Call(&TaskService::List, request);
  EXPECT_THAT(Ids(*page), ElementsAre("a"));
  EXPECT_TRUE(page->next().empty());
  request.set_after("nonsense");
  EXPECT_EQ(Call(&TaskService::List, request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TaskServiceTest, AListMayAskForStates) {
  Start();
  Join("w", 1);
  SubmitOne(Spec("a"));
  SubmitOne(Spec("b"));
  task::v1::ListRequest request;
  request.add_states(task::v1::READY);
  EXPECT_THAT(Ids(*Call(&TaskService::List, request)), ElementsAre("b"));
  request.add_states(task::v1::ASSIGNED);
  EXPECT_THAT(Ids(*Call(&TaskService::List, request)), ElementsAre("b", "a"));
}

TEST_F(TaskServiceTest, AListMayAskForWhatRecordsSay) {
  Start();
  Join("w", 1);
  auto spec = [](const char* id, const char* queue, const char* name, const char* key) {
    task::v1::TaskSpec made = Spec(id);
    made.mutable_policy()->set_queue(queue);
    made.mutable_policy()->set_name(name);
    made.mutable_policy()->set_key(key);
    return made;
  };
  SubmitOne(spec("a", "q", "n", "k"));
  SubmitOne(spec("b", "q", "m", "k"));
  SubmitOne(spec("c", "r", "n", "l"));
  const auto listed = [&](auto set) {
    task::v1::ListRequest request;
    set(&request);
    return Ids(*Call(&TaskService::List, request));
  };
  EXPECT_THAT(listed([](auto* r) { r->set_queue("q"); }), ElementsAre("b", "a"));
  EXPECT_THAT(listed([](auto* r) { r->set_name("n"); }), ElementsAre("c", "a"));
  EXPECT_THAT(listed([](auto* r) { r->set_key("k"); }), ElementsAre("b", "a"));
  EXPECT_THAT(listed([](auto* r) { r->set_worker("w"); }), ElementsAre("a"));
  EXPECT_THAT(listed([](auto* r) {
                r->set_queue("q");
                r->add_states(task::v1::READY);
              }),
              ElementsAre("b"));
  EXPECT_THAT(listed([](auto* r) { r->set_queue("nobody's"); }), ElementsAre());
}

TEST_F(TaskServiceTest, AnArraysElementsAreShownWhetherTheyAreTasksOrNot) {
  Start();
  Join("w", 1);
  task::v1::TaskSpec spec = Spec("a");
  *spec.mutable_policy()->mutable_array()->add_ranges() = [] {
    task::v1::Array::Range range;
    range.set_first(5);
    range.set_last(7);
    return range;
  }();
  spec.mutable_policy()->mutable_array()->set_running_max(1);
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::DONE);
  SubmitOne(Spec("b"));
  const auto shown = [&](const std::string& id) {
    task::v1::GetRequest request;
    request.add_ids(id);
    const auto response = *Call(&TaskService::Get, request);
    return response.tasks_size() == 1 ? response.tasks(0) : task::v1::Task();
  };
  EXPECT_EQ(shown("a:5").state(), task::v1::ASSIGNED);
  EXPECT_EQ(shown("a:6").state(), task::v1::WAITING);
  EXPECT_EQ(shown("a:6").sentence(), "it was not handed out yet");
  EXPECT_EQ(shown("a:8").id(), "") << "no element";
  EXPECT_EQ(shown("b:0").id(), "") << "no array";
  Finish("w", "a:5", {}, task::v1::FAILED);
  EXPECT_EQ(shown("a").array().elements(), 3U);
  EXPECT_EQ(shown("a").array().failed(), 1U);
  EXPECT_EQ(shown("a").array().under_way(), 1U);
  EXPECT_EQ(shown("a").array().waiting(), 1U);
  ASSERT_EQ(shown("a").array().unsuccessful_size(), 1);
  EXPECT_EQ(shown("a").array().unsuccessful(0).first(), 5U);
  // What is retired is known by how it ended.
  tree_.Delete(paths_.Task("a:5"));
  Run();
  EXPECT_EQ(shown("a:5").state(), task::v1::FAILED);

  const auto listed = [&](const std::string& array, const std::string& worker) {
    task::v1::ListRequest request;
    request.set_array(array);
    request.set_worker(worker);
    return Ids(*Call(&TaskService::List, request));
  };
  EXPECT_THAT(listed("", ""), ElementsAre("b", "a"));
  EXPECT_THAT(listed("a", ""), ElementsAre("a:6"));
  EXPECT_THAT(listed("b", ""), ElementsAre());

  task::v1::ExplainRequest explain;
  explain.set_id("a");
  EXPECT_EQ(Call(&TaskService::Explain, explain)->sentence(),
            "of its 3 elements 1 were not handed out yet, 1 are under way (at most 1 at a time): drover list --array a shows these");
  explain.set_id("a:7");
  EXPECT_EQ(Call(&TaskService::Explain, explain)->sentence(),
            "it was not handed out yet: those before it in its array are, and so many at a time");
  explain.set_id("a:8");
  EXPECT_TRUE(absl::IsNotFound(Call(&TaskService::Explain, explain).status()));
}

TEST_F(TaskServiceTest, QueuesAreSetListedAndForgotten) {
  Start();
  Join("w", 1);
  task::v1::SetQueueRequest set;
  set.set_name("q");
  set.set_weight(4);
  EXPECT_EQ(Call(&TaskService::SetQueue, set)->settings().weight(), 4U);
  set.set_weight(5'000);
  EXPECT_EQ(Call(&TaskService::SetQueue, set).status().code(), absl::StatusCode::kInvalidArgument);
  SubmitOne(Spec("a"));
  SubmitOne(Spec("b"));
  const auto queues = Call(&TaskService::ListQueues, task::v1::ListQueuesRequest());
  ASSERT_EQ(queues->queues_size(), 2);
  EXPECT_EQ(queues->queues(0).name(), "default");
  EXPECT_FALSE(queues->queues(0).has_settings());
  EXPECT_EQ(queues->queues(0).running(), 1U);
  EXPECT_EQ(queues->queues(0).waiting(), 1U);
  EXPECT_EQ(queues->queues(1).settings().weight(), 4U);
  task::v1::DeleteQueueRequest remove;
  remove.set_name("q");
  EXPECT_TRUE(Call(&TaskService::DeleteQueue, remove).ok());
  EXPECT_EQ(Call(&TaskService::DeleteQueue, remove).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TaskServiceTest, ADrainedWorkerIsShownAsSuchAlsoWhileItIsAway) {
  Start();
  Join("w", 1);
  task::v1::DrainWorkerRequest drain;
  drain.set_worker("w");
  drain.set_patience_ms(1'000);
  drain.set_reason("new disk");
  ASSERT_TRUE(Call(&TaskService::DrainWorker, drain).ok());
  const auto shown = Call(&TaskService::ListWorkers, task::v1::ListWorkersRequest());
  ASSERT_EQ(shown->workers_size(), 1);
  EXPECT_EQ(shown->workers(0).state(), "DRAINED");
  EXPECT_EQ(shown->workers(0).drain_reason(), "new disk");
  EXPECT_EQ(shown->workers(0).drain_deadline(), shown->workers(0).drained_since() + 1'000);
  drain.set_patience_ms(-1);
  EXPECT_EQ(Call(&TaskService::DrainWorker, drain).status().code(), absl::StatusCode::kInvalidArgument);
  task::v1::UndrainWorkerRequest undrain;
  undrain.set_worker("w");
  EXPECT_TRUE(Call(&TaskService::UndrainWorker, undrain).ok());
  EXPECT_EQ(Call(&TaskService::ListWorkers, task::v1::ListWorkersRequest())->workers(0).state(), "READY");
}

TEST_F(TaskServiceTest, AListOfAStateThatIsNoneIsRefused) {
  Start();
  SubmitOne(Spec("a"));
  for (const int state : {0, 9, 99, -1}) {
    task::v1::ListRequest request;
    request.add_states(static_cast<task::v1::State>(state));
    EXPECT_EQ(Call(&TaskService::List, request).status().code(), absl::StatusCode::kInvalidArgument) << state;
  }
}

TEST_F(TaskServiceTest, CancelAnswersForEachTask) {
  Start();
  Join("w", 1);
  SubmitOne(Spec("assigned"));
  SubmitOne(Spec("waiting"));
  task::v1::CancelRequest request;
  for (const char* id : {"waiting", "nobody", "assigned"}) request.add_ids(id);
  const auto response = Call(&TaskService::Cancel, request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->results(0).outcome(), task::v1::DONE);
  EXPECT_EQ(response->results(1).outcome(), task::v1::NOT_FOUND);
  EXPECT_EQ(response->results(2).outcome(), task::v1::DONE);
  EXPECT_EQ(Call(&TaskService::Cancel, request)->results(0).outcome(), task::v1::ALREADY_TERMINAL);
  request.set_reason(std::string(101, 'x'));
  EXPECT_EQ(Call(&TaskService::Cancel, request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TaskServiceTest, AFailedTaskIsRunAnewWithAnotherLargeProgramOrAsItWas) {
  Start();
  EXPECT_EQ(SubmitOne(Spec("a", std::string(100'000, 'x'))).outcome(), task::v1::DONE);
  task::v1::CancelRequest cancel;
  cancel.add_ids("a");
  ASSERT_EQ(Call(&TaskService::Cancel, cancel)->results(0).outcome(), task::v1::DONE);
  const auto known = [&] { return *master_->view().Find("a")->Decode(); };
  const std::string first = known().program_object().key();

  task::v1::TaskSpec spec = Spec("a", std::string(100'000, 'y'));
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::CONFLICT);
  spec.set_if_exists(task::v1::RERUN_FAILED);
  spec.set_submission(7);
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::DONE);
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::EXISTED);
  const std::string second = known().program_object().key();
  EXPECT_NE(second, first);
  EXPECT_EQ(Get({"a"})->tasks(0).reruns(), 1U);
  EXPECT_EQ(Get({"a"})->tasks(0).state(), task::v1::READY);

  ASSERT_EQ(Call(&TaskService::Cancel, cancel)->results(0).outcome(), task::v1::DONE);
  task::v1::RetryRequest retry;
  for (const char* id : {"a", "nobody"}) retry.add_ids(id);
  retry.set_submission(8);
  const auto retried = Call(&TaskService::Retry, retry);
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(retried->results(0).outcome(), task::v1::DONE);
  EXPECT_EQ(retried->results(1).outcome(), task::v1::NOT_FOUND);
  EXPECT_EQ(known().program_object().key(), second);
  retry.set_submission(9);
  EXPECT_EQ(Call(&TaskService::Retry, retry)->results(0).outcome(), task::v1::REFUSED) << "it has not ended";
  spec.set_if_exists(static_cast<task::v1::IfExists>(99));
  EXPECT_EQ(SubmitOne(spec).outcome(), task::v1::REFUSED);
}

TEST_F(TaskServiceTest, WorkersAndMastersAreShown) {
  Start();
  Join("w", 3);
  SubmitOne(Spec("a"));
  const auto workers = Call(&TaskService::ListWorkers, task::v1::ListWorkersRequest());
  ASSERT_EQ(workers->workers_size(), 1);
  EXPECT_EQ(workers->workers(0).id(), "w");
  EXPECT_EQ(workers->workers(0).slots(), 3U);
  EXPECT_EQ(workers->workers(0).running(), 1U);
  EXPECT_EQ(workers->workers(0).state(), "READY");
  const auto masters = Call(&TaskService::ListMasters, task::v1::ListMastersRequest());
  ASSERT_EQ(masters->masters_size(), 1);
  EXPECT_EQ(masters->masters(0).id(), "m1");
  EXPECT_TRUE(masters->masters(0).leader());
  EXPECT_EQ(masters->masters(0).epoch(), master_->epoch().value);
}

}  // namespace
}  // namespace drover::master::server
