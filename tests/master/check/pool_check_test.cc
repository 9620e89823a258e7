#include "master/check/pool_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "master/records/array.h"
#include "master/records/codec.h"
#include "master/records/spec.h"

namespace drover::master::check {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PoolCheckTest : public ::testing::Test {
 protected:
  static worker::v1::TaskRecord Record(task::v1::State state) {
    worker::v1::TaskRecord record;
    records::Normalise(record.mutable_policy());
    record.set_program("p");
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view("p")));
    record.set_state(state);
    if (state == task::v1::WAITING) record.set_not_before(7);
    if (records::IsTerminal(state)) record.set_finished_at(9);
    return record;
  }
  static worker::v1::TaskRecord Held(const std::string& worker) {
    worker::v1::TaskRecord record = Record(task::v1::READY);
    records::AddAttempt(&record, worker, 5);
    record.set_state(task::v1::RUNNING);
    record.set_worker(worker);
    return record;
  }
  void Put(const std::string& path, const std::string& data) {
    coord::Node node;
    node.path = path;
    node.data = data;
    node.stat.czxid = base::Zxid(++zxid_);
    nodes_.push_back(node);
  }
  void Task(const std::string& id, const worker::v1::TaskRecord& record) { Put(paths_.Task(id), records::Encode(record)); }
  void Assign(const std::string& worker, const std::string& task, const std::string& process = "p1") {
    worker::v1::Assignment assignment;
    assignment.set_process_id(process);
    Put(paths_.Assignment(worker, task), records::Encode(assignment));
  }
  void Worker(const std::string& name, std::uint32_t slots, std::int64_t cpu = 1'000) {
    worker::v1::WorkerInfo info;
    info.set_process_id("p1");
    info.set_slots(slots);
    (*info.mutable_resources())["cpu"] = cpu;
    Put(paths_.Worker(name), records::Encode(info));
  }
  // "path: sentence", with ? before what is pending.
  [[nodiscard]] std::vector<std::string> Found() const {
    std::vector<std::string> found;
    for (const Finding& f : CheckPool(paths_, nodes_).findings) {
      found.push_back((f.kind == Finding::Kind::kPending ? "?" : "") + f.path.substr(paths_.root().size() + 1) + ": " + f.sentence);
    }
    return found;
  }

  const records::PoolPaths paths_{"p"};
  std::vector<coord::Node> nodes_;
  std::uint64_t zxid_ = 100;
};

TEST_F(PoolCheckTest, APoolAsItIsHasNoFindings) {
  Worker("w", 2);
  Task("waits", Record(task::v1::WAITING));
  Task("ready", Record(task::v1::READY));
  Task("runs", Held("w"));
  Assign("w", "runs");
  worker::v1::TaskRecord retried = Held("w");
  records::EndAttempt(&retried, {.state = task::v1::FAILED, .reason = task::v1::EXIT_CODE, .fence = 50});
  records::AddAttempt(&retried, "w", 6);
  retried.set_state(task::v1::ASSIGNED);
  retried.set_worker("w");
  Task("retried", retried);
  Assign("w", "retried");
  Task("over", Record(task::v1::SUCCEEDED));
  EXPECT_THAT(Found(), IsEmpty());
  const PoolSummary summary = CheckPool(paths_, nodes_).summary;
  EXPECT_EQ(summary.tasks, 5U);
  EXPECT_EQ(summary.finished, 1U);
  EXPECT_EQ(summary.assignments, 2U);
  EXPECT_EQ(summary.workers, 1U);
}

TEST_F(PoolCheckTest, AssignmentsAndStatesBelongTogether) {
  Worker("w", 9);
  Worker("x", 9);
  Task("alone", Held("w"));
  Task("over", Record(task::v1::SUCCEEDED));
  Assign("w", "over");
  Task("twice", Held("w"));
  Assign("w", "twice");
  Assign("x", "twice");
  Assign("w", "nobody");
  EXPECT_THAT(Found(),
              ElementsAre("assign/w/nobody: there is no task nobody", "assign/w/over: task over is SUCCEEDED and has an assignment",
                          "assign/w/twice: task twice is assigned 2 times", "assign/x/twice: task twice is assigned 2 times",
                          "assign/x/twice: task twice is held by worker w", "tasks/alone: it is RUNNING and has no assignment"));
}

TEST_F(PoolCheckTest, WhatAMasterHasStillToDoIsPending) {
  Worker("w", 9);
  Task("of-another-process", Held("w"));
  Assign("w", "of-another-process", "p0");
  Task("of-nobody", Held("gone"));
  Assign("gone", "of-nobody");
  Put(paths_.Died("p0"), "");
  EXPECT_THAT(Found(), ElementsAre("?assign/gone/of-nobody: its worker is gone: it is still to be taken back",
                                   "?assign/w/of-another-process: its worker is gone: it is still to be taken back",
                                   "?died/p0: the notice of a worker's death is still to be deleted"));
}

TEST_F(PoolCheckTest, AnArraysElementsAddUp) {
  const auto array = [](task::v1::State state, std::uint32_t running_max = 0) {
    worker::v1::TaskRecord record = Record(state);
    *record.mutable_policy()->mutable_array() = *records::ParseArray("0-3");
    record.mutable_policy()->mutable_array()->set_running_max(running_max);
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view("p")));
    if (state == task::v1::RUNNING) record.clear_worker();
    return record;
  };
  const auto chunk = [this](const std::string& id, const std::vector<task::v1::State>& ends, std::uint32_t number = 0) {
    worker::v1::ArrayChunk states;
    for (std::uint32_t i = 0; i < ends.size(); ++i) records::SetStateIn(&states, i, ends[i]);
    Put(paths_.ArrayChunk(id, number), records::Encode(states));
  };
  using task::v1::FAILED;
  using task::v1::READY;
  using task::v1::SUCCEEDED;
  Task("fine", array(task::v1::RUNNING));
  chunk("fine", {SUCCEEDED, FAILED});
  Task("fine:0", Record(SUCCEEDED));
  Task("fine:2", Record(READY));
  Task("over", array(SUCCEEDED));
  chunk("over", {SUCCEEDED, SUCCEEDED, SUCCEEDED, SUCCEEDED});
  EXPECT_THAT(Found(), IsEmpty());

  Task("behind", array(task::v1::RUNNING));
  Task("behind:0", Record(SUCCEEDED));
  Task("broken", array(SUCCEEDED));
  chunk("broken", {SUCCEEDED, FAILED});
  chunk("broken", {}, 7);
  Task("broken:0", Record(FAILED));
  Task("broken:1", Record(READY));
  Task("broken:2", Record(READY));
  Task("broken:9", Record(READY));
  Task("broken:x", Record(READY));
  chunk("gone", {SUCCEEDED});
  Task("lost:0", Record(READY));
  Task("many", array(task::v1::RUNNING, 1));
  Task("many:0", Record(READY));
  Task("many:1", Record(READY));
  EXPECT_THAT(Found(), ElementsAre("arrays/broken/7: its array has 1 chunks", "arrays/gone/0: there is no array gone",
                                   "?tasks/behind: 1 ends of elements are to be counted",
                                   "tasks/broken: it has SUCCEEDED, as 1 of its 4 elements did",
                                   "tasks/broken: it is SUCCEEDED, and some of its elements have not ended",
                                   "tasks/broken:0: its array says that it has SUCCEEDED",
                                   "tasks/broken:1: its array says that it has FAILED, and it has not ended",
                                   "tasks/broken:9: its array has no such element", "tasks/broken:x: it is the id of no task",
                                   "tasks/lost: it is not there, and 1 of its elements are",
                                   "tasks/many: 2 of its elements are under way, at most 1"));
}

TEST_F(PoolCheckTest, AWorkerHoldsNoMoreThanItHas) {
  Worker("w", 1, 1'500);
  for (const char* id : {"a", "b"}) {
    worker::v1::TaskRecord record = Held("w");
    (*record.mutable_policy()->mutable_resources())["cpu"] = 1'000;
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view("p")));
    Task(id, record);
    Assign("w", id);
  }
  EXPECT_THAT(Found(),
              ElementsAre("workers/w: it holds 2 tasks and has 1 slots", "workers/w: its tasks take 2 cpu and it has 1.5"));
}

TEST_F(PoolCheckTest, RecordsAreWhatTransitionsMake) {
  struct Row {
    std::string sentence;
    std::function<void(worker::v1::TaskRecord*)> spoil;
    task::v1::State state = task::v1::READY;
  };
  const std::vector<Row> rows = {
      {"it is in no state (99)", [](auto* r) { r->set_state(static_cast<task::v1::State>(99)); }},
      {"it has not exactly one of a program and a reference to one",
       [](auto* r) { r->mutable_program_object()->set_digest(records::Digest("p")); }},
      {"its digest is that of another submission", [](auto* r) { r->mutable_policy()->set_priority(3); }},
      {"it is READY and names a worker", [](auto* r) { r->set_worker("w"); }},
      {"it is WAITING, the time it waits for is 0, and it does not wait for other tasks", [](auto* r) { r->clear_not_before(); },
       task::v1::WAITING},
      {"it is FAILED and has no time of its end", [](auto* r) { r->clear_finished_at(); }, task::v1::FAILED},
      {"1 attempts are kept, 0 were counted",
       [](auto* r) {
         records::AddAttempt(r, "w", 1);
         records::EndAttempt(r, {.state = task::v1::LOST, .fence = 1});
         r->set_attempts_total(0);
       }},
      {"an attempt that is over has not ended", [](auto* r) { records::AddAttempt(r, "w", 1); }},
      {"fence 3 comes after fence 3",
       [](auto* r) {
         for (int i = 0; i < 2; ++i) {
           records::AddAttempt(r, "w", 1);
           records::EndAttempt(r, {.state = task::v1::LOST, .fence = 3});
         }
       }},
      {"it runs at most once, and has another attempt after one that ran",
       [](auto* r) {
         r->mutable_policy()->set_at_most_once(true);
         r->set_spec_digest(records::SpecDigest(r->policy(), absl::string_view("p")));
         for (std::uint64_t i = 1; i <= 2; ++i) {
           records::AddAttempt(r, "w", 1);
           records::EndAttempt(r, {.state = task::v1::FAILED, .reason = task::v1::EXIT_CODE, .fence = i});
         }
       }},
  };
  for (const Row& row : rows) {
    nodes_.clear();
    worker::v1::TaskRecord record = Record(row.state);
    row.spoil(&record);
    Task("t", record);
    EXPECT_THAT(Found(), ElementsAre("tasks/t: " + row.sentence));
  }
  nodes_.clear();
  Put(paths_.Task("t"), "\xff\xff");
  EXPECT_EQ(Found().size(), 1U) << "what is no record";
}

TEST_F(PoolCheckTest, ObjectsThatRecordsReferToAreListed) {
  worker::v1::TaskRecord record = Held("w");
  records::EndAttempt(&record, {.state = task::v1::SUCCEEDED, .fence = 42});
  records::EndTask(&record, {.state = task::v1::SUCCEEDED, .finished_at_ms = 1});
  record.clear_program();
  record.mutable_program_object()->set_key("input/t/1");
  record.mutable_program_object()->set_size(11);
  record.mutable_output()->mutable_err()->set_chunks(2);
  Task("t", record);
  std::vector<std::string> keys;
  for (const NeededObject& object : ObjectsOf(paths_, nodes_)) keys.push_back(object.key);
  EXPECT_THAT(keys, ElementsAre("input/t/1", "output/t/42/err/00000000", "output/t/42/err/00000001"));
}

TEST_F(PoolCheckTest, WhatWaitsForTasksIsJudgedByThem) {
  const auto after = [](const std::vector<std::string>& ids) {
    worker::v1::TaskRecord record = Record(task::v1::WAITING);
    for (const std::string& id : ids) record.mutable_policy()->add_dependencies()->set_task(id);
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view("p")));
    record.clear_not_before();
    record.set_awaits(true);
    return record;
  };
  Task("done", Record(task::v1::SUCCEEDED));
  Task("failed", Record(task::v1::FAILED));
  Task("open", Record(task::v1::READY));
  Task("a-fine", after({"done", "open"}));
  Task("b-over", after({"done"}));
  Task("c-never", after({"failed", "open"}));
  Task("d-gone", after({"nobody"}));
  Task("e-none", after({}));
  worker::v1::TaskRecord both = after({"open"});
  both.set_not_before(7);
  Task("f-both", both);
  EXPECT_THAT(Found(), ElementsAre("?tasks/b-over: all tasks that it waits for have ended: it is still to be looked at",
                                   "?tasks/c-never: task failed, on which it depends, has FAILED: it is still to be ended",
                                   "?tasks/d-gone: task nobody, on which it depends, is not there: it is still to be ended",
                                   "?tasks/e-none: all tasks that it waits for have ended: it is still to be looked at",
                                   "tasks/e-none: it waits for other tasks and depends on none",
                                   "tasks/f-both: it is WAITING, the time it waits for is 7, and it waits for other tasks"));
}

}  // namespace
}  // namespace drover::master::check
