#include <gtest/gtest.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"
#include "tests/client/internal/fakes.h"
#include "tests/client/store/temp_directory.h"

namespace drover::client {
namespace {

using task::v1::GetTicketRequest;
using task::v1::GetTicketResponse;
using task::v1::SubmitRequest;
using task::v1::SubmitResponse;

class TaskClientTest : public ::testing::Test {
 protected:
  TaskClientTest() {
    for (const char* address : {"a:1", "b:2"}) {
      auto master = cluster_.masters->at(address);
      master->get_ticket = [this](const GetTicketRequest&, GetTicketResponse* response) {
        response->set_ticket(ticket_);
        return absl::OkStatus();
      };
      master->submit = [this](const SubmitRequest& request, SubmitResponse* response) { return Accept(request, response); };
    }
  }

  absl::Status Accept(const SubmitRequest& request, SubmitResponse* response) {
    batches_.push_back(request.tasks_size());
    for (const auto& task : request.tasks()) {
      auto* result = response->add_results();
      result->set_id(task.id());
      const bool fresh = accepted_.emplace(task.id(), task).second;
      result->set_outcome(fresh ? task::v1::DONE : task::v1::EXISTED);
    }
    return absl::OkStatus();
  }

  static TaskSpec Echo() {
    TaskSpec spec;
    spec.argv = {"echo", "hello"};
    return spec;
  }

  FakeCluster cluster_;
  std::uint64_t ticket_ = 77;
  std::vector<int> batches_;
  std::map<std::string, task::v1::TaskSpec> accepted_;
};

TEST_F(TaskClientTest, CreateSaysWhatIsWrongWithItsOptions) {
  EXPECT_TRUE(TaskClient::Create({}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(TaskClient::Create({.coord = {}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TaskClient::Create({.coord = {"nowhere"}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TaskClient::Create({.masters = {"x"}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TaskClient::Create({.pool = "a/b"}).status()));
}

TEST_F(TaskClientTest, AGeneratedIdCarriesTheTicket) {
  auto id = cluster_.client->Submit(Echo());
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(records::TicketOf(*id), 77u);
  EXPECT_TRUE(accepted_.contains(*id));
}

TEST_F(TaskClientTest, ASubmitWhoseAnswerWasLostIsTheSameTaskOnTheNextTry) {
  cluster_.masters->at("a:1")->submit = [this](const SubmitRequest& request, SubmitResponse* response) {
    (void)Accept(request, response);
    return absl::UnavailableError("the link broke");
  };
  auto id = cluster_.client->Submit(Echo());
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(accepted_.size(), 1u);
  EXPECT_EQ(batches_.size(), 2u);
}

TEST_F(TaskClientTest, ManyTasksGoInBatchesAndTheirIdsSort) {
  std::vector<TaskSpec> specs(2500, Echo());
  specs[1].id = "mine";
  auto results = cluster_.client->SubmitAll(&specs);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(batches_, (std::vector<int>{1000, 1000, 500}));
  ASSERT_EQ(results->size(), 2500u);
  EXPECT_EQ(accepted_.size(), 2500u);
  EXPECT_EQ((*results)[1].id, "mine");
  for (std::size_t i = 0; i < specs.size(); ++i) EXPECT_EQ((*results)[i].id, specs[i].id);
  for (std::size_t i = 3; i < 1000; ++i) EXPECT_LT(specs[i - 1].id, specs[i].id);
}

TEST_F(TaskClientTest, WhatIsWrongIsRefusedAndTheOthersAreSubmitted) {
  std::vector<TaskSpec> specs(3, Echo());
  specs[1].argv.clear();
  auto results = cluster_.client->SubmitAll(&specs);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ((*results)[1].outcome, SubmitOutcome::kRefused);
  EXPECT_FALSE((*results)[1].sentence.empty());
  EXPECT_EQ((*results)[2].outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ(accepted_.size(), 2u);
}

TEST_F(TaskClientTest, AConflictIsSaid) {
  cluster_.masters->at("a:1")->submit = [](const SubmitRequest& request, SubmitResponse* response) {
    auto* result = response->add_results();
    result->set_id(request.tasks(0).id());
    result->set_outcome(task::v1::CONFLICT);
    result->set_sentence("another spec");
    return absl::OkStatus();
  };
  TaskSpec spec = Echo();
  spec.id = "mine";
  const absl::Status status = cluster_.client->Submit(spec).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "mine")) << status;
}

TEST_F(TaskClientTest, ALargeProgramGoesToTheStoreWhereItIsReachable) {
  store::TempDirectory directory;
  store::InlineExecutor executor;
  const std::string url = "file:" + directory.path();
  auto store = *store::OpenStore(url, &executor);
  store::EnsureMarker(store.get(), "mine", [](const absl::StatusOr<std::string>& marker) { EXPECT_TRUE(marker.ok()); });
  cluster_.directory->store = StoreLocation{url, "mine"};
  TaskSpec spec = Echo();
  spec.stdin_data = std::string(1 << 20, 'x');
  auto id = cluster_.client->Submit(spec);
  ASSERT_TRUE(id.ok()) << id.status();
  const task::v1::TaskSpec& sent = accepted_[*id];
  EXPECT_FALSE(sent.has_program());
  ASSERT_TRUE(sent.has_program_object());
  std::string stored;
  store->Get(sent.program_object().key(), {}, [&](absl::StatusOr<store::GetResult> got) { stored = got->data.ToString(); });
  task::v1::Program program;
  ASSERT_TRUE(program.ParseFromString(stored));
  EXPECT_EQ(program.stdin(), spec.stdin_data);
  EXPECT_EQ(sent.program_object().size(), stored.size());
  EXPECT_EQ(sent.program_object().digest(), records::Digest(stored));
}

TEST_F(TaskClientTest, ALargeProgramIsUploadedThroughAMasterWhenTheStoreIsGoneMeanwhile) {
  store::TempDirectory directory;
  store::InlineExecutor executor;
  const std::string url = "file:" + directory.path();
  auto store = *store::OpenStore(url, &executor);
  store::EnsureMarker(store.get(), "mine", [](const absl::StatusOr<std::string>& marker) { EXPECT_TRUE(marker.ok()); });
  cluster_.directory->store = StoreLocation{url, "mine"};
  std::filesystem::remove_all(directory.path() + "/tmp");
  cluster_.masters->at("a:1")->upload = [](const std::string&, task::v1::UploadResponse* response) {
    response->mutable_object()->set_key("input/x/1");
    return absl::OkStatus();
  };
  TaskSpec spec = Echo();
  spec.stdin_data = std::string(5000, 'x');
  auto id = cluster_.client->Submit(spec);
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(accepted_[*id].program_object().key(), "input/x/1");
}

TEST_F(TaskClientTest, ALargeProgramIsUploadedThroughAMasterWhereTheStoreIsNotReachable) {
  std::string uploaded;
  cluster_.masters->at("a:1")->upload = [&uploaded](const std::string& data, task::v1::UploadResponse* response) {
    uploaded = data;
    response->mutable_object()->set_key("input/x/1");
    return absl::OkStatus();
  };
  TaskSpec spec = Echo();
  spec.stdin_data = std::string(5000, 'x');
  auto id = cluster_.client->Submit(spec);
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(accepted_[*id].program_object().key(), "input/x/1");
  EXPECT_GT(uploaded.size(), 5000u);
}

TEST_F(TaskClientTest, OverTheLargestSizeIsRefusedWithTheLimit) {
  TaskSpec spec = Echo();
  spec.stdin_data = std::string(64 << 20, 'x');
  const absl::Status status = cluster_.client->Submit(spec).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "64 MiB")) << status;
  EXPECT_TRUE(accepted_.empty());
}

TEST_F(TaskClientTest, AnAnswerIsNeverOlderThanOneSeenBefore) {
  std::vector<std::uint64_t> seen;
  cluster_.masters->at("a:1")->get = [&seen](const task::v1::GetRequest& request, task::v1::GetResponse* response) {
    seen.push_back(request.seen_zxid());
    response->set_zxid(50);
    response->add_tasks()->set_id(request.ids(0));
    return absl::OkStatus();
  };
  EXPECT_TRUE(cluster_.client->Get("t").ok());
  EXPECT_TRUE(cluster_.client->Get("t").ok());
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 50}));
}

TEST_F(TaskClientTest, AnUnknownTaskIsNotFound) {
  cluster_.masters->at("a:1")->get = [](const task::v1::GetRequest& request, task::v1::GetResponse* response) {
    response->add_not_found(request.ids(0));
    return absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsNotFound(cluster_.client->Get("t").status()));
}

TEST_F(TaskClientTest, EachTryOfARetryIsTheSameSubmission) {
  std::vector<std::uint64_t> submissions;
  const auto answer = [&](const task::v1::RetryRequest& request, task::v1::RetryResponse* response) {
    submissions.push_back(request.submission());
    if (submissions.size() == 1) return absl::UnavailableError("it is deposed");
    const task::v1::Outcome outcomes[] = {task::v1::DONE, task::v1::NOT_FOUND, task::v1::REFUSED};
    for (int i = 0; i < request.ids_size(); ++i) {
      auto* const result = response->add_results();
      result->set_id(request.ids(i));
      result->set_outcome(outcomes[i]);
    }
    return absl::OkStatus();
  };
  for (const char* address : {"a:1", "b:2"}) cluster_.masters->at(address)->retry = answer;
  const auto results = cluster_.client->Retry({"a", "b", "c"});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].outcome, RetryOutcome::kRetried);
  EXPECT_EQ((*results)[1].outcome, RetryOutcome::kNotFound);
  EXPECT_EQ((*results)[2].outcome, RetryOutcome::kRefused);
  ASSERT_EQ(submissions.size(), 2u);
  EXPECT_EQ(submissions[0], submissions[1]);
  EXPECT_NE(submissions[0], 0u);
}

TEST_F(TaskClientTest, CancelAsksForAThousandAtATime) {
  std::vector<int> sizes;
  cluster_.masters->at("a:1")->cancel = [&sizes](const task::v1::CancelRequest& request, task::v1::CancelResponse* response) {
    sizes.push_back(request.ids_size());
    for (const std::string& id : request.ids()) response->add_results()->set_id(id);
    return absl::OkStatus();
  };
  auto results = cluster_.client->Cancel(std::vector<std::string>(1500, "t"), "why");
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(sizes, (std::vector<int>{1000, 500}));
  EXPECT_EQ(results->size(), 1500u);
}

TEST_F(TaskClientTest, WhatIsFullIsTriedAgainAndAloneUntilThereIsRoom) {
  std::vector<std::vector<std::string>> asked;
  auto submit = [&](const SubmitRequest& request, SubmitResponse* response) {
    asked.emplace_back();
    for (const auto& task : request.tasks()) {
      asked.back().push_back(task.id());
      auto* result = response->add_results();
      result->set_id(task.id());
      const bool full = task.id() == "b" && asked.size() < 3;
      result->set_outcome(full ? task::v1::FULL : task::v1::DONE);
      if (full) response->set_retry_after_ms(1'000);
    }
    return absl::OkStatus();
  };
  for (const char* address : {"a:1", "b:2"}) cluster_.masters->at(address)->submit = submit;
  auto* client = cluster_.client.get();
  std::vector<TaskSpec> specs = {Echo(), Echo(), Echo()};
  specs[0].id = "a";
  specs[1].id = "b";
  specs[2].id = "c";
  const auto results = client->SubmitAll(&specs);
  ASSERT_TRUE(results.ok()) << results.status();
  for (const SubmitResult& result : *results) EXPECT_EQ(result.outcome, SubmitOutcome::kAccepted) << result.id;
  EXPECT_EQ(asked, (std::vector<std::vector<std::string>>{{"a", "b", "c"}, {"b"}, {"b"}}));
}

TEST_F(TaskClientTest, WhatStaysFullIsGivenUpWhenTheTimeIsOver) {
  int calls = 0;
  auto submit = [&](const SubmitRequest& request, SubmitResponse* response) {
    ++calls;
    auto* result = response->add_results();
    result->set_id(request.tasks(0).id());
    result->set_outcome(task::v1::FULL);
    result->set_sentence("queue q is full");
    response->set_retry_after_ms(1'000);
    return absl::OkStatus();
  };
  for (const char* address : {"a:1", "b:2"}) cluster_.masters->at(address)->submit = submit;
  const auto id = cluster_.client->Submit(Echo());
  EXPECT_TRUE(absl::IsResourceExhausted(id.status())) << id.status();
  EXPECT_NE(id.status().message().find("queue q is full"), std::string::npos);
  EXPECT_GT(calls, 1);
  EXPECT_LE(calls, 31);
}

}  // namespace
}  // namespace drover::client
