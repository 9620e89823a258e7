#include "master/state/transitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace drover::master::state {
namespace {

using coord::Compare;
using coord::Operation;
using ::testing::ElementsAre;

// "czxid /drover/p/workers/w = 7", "absent /x", "exists /x"
std::vector<std::string> Guards(const coord::Transaction& t) {
  std::vector<std::string> shown;
  for (const Compare& c : t.compares) {
    EXPECT_EQ(c.relation, Compare::Relation::kEqual);
    const std::string path = c.path.substr(std::string("/drover/p/").size());
    switch (c.field) {
      case Compare::Field::kExists:
        shown.push_back((c.value == 0 ? "absent " : "exists ") + path);
        break;
      case Compare::Field::kCzxid:
        shown.push_back(absl::StrCat("czxid ", path, " ", c.value));
        break;
      case Compare::Field::kMzxid:
        shown.push_back(absl::StrCat("mzxid ", path, " ", c.value));
        break;
      default:
        shown.push_back("other");
    }
  }
  return shown;
}

std::vector<std::string> Effects(const coord::Transaction& t) {
  std::vector<std::string> shown;
  for (const Operation& o : t.then) {
    const char* verb = o.kind == Operation::Kind::kCreate ? "create " : o.kind == Operation::Kind::kSet ? "set " : "delete ";
    shown.push_back(verb + o.path.substr(std::string("/drover/p/").size()));
  }
  EXPECT_TRUE(t.otherwise.empty());
  return shown;
}

worker::v1::TaskRecord RecordIn(const coord::Transaction& t) {
  for (const Operation& o : t.then) {
    if (o.kind != Operation::Kind::kDelete && o.path == "/drover/p/tasks/t") return *records::DecodeTaskRecord(o.data);
  }
  ADD_FAILURE() << "no record is written";
  return {};
}

class TransitionsTest : public ::testing::Test {
 protected:
  TransitionsTest() {
    record_.set_state(task::v1::READY);
    record_.set_submitted_at(5);
    assigned_ = record_;
    assigned_.set_state(task::v1::ASSIGNED);
    assigned_.set_worker("w");
    records::AddAttempt(&assigned_, "w", 6);
    assignment_ = {"w", "t", Zxid(20), Zxid(21), {}};
    assignment_.data.set_process_id("p1");
    successor_ = {"w", Zxid(30), {}};
  }
  const Transitions transitions_{records::PoolPaths("p"), {"/drover/p/masters/c-1", Zxid(7)}};
  const Target target_{"w", Zxid(9), "p1"};
  worker::v1::TaskRecord record_;
  worker::v1::TaskRecord assigned_;
  AssignmentView assignment_;
  WorkerView successor_;
};

TEST_F(TransitionsTest, EachTransitionHasItsGuards) {
  const Subject waiting{"t", Zxid(11), record_};
  const Subject held{"t", Zxid(12), assigned_};
  const records::AttemptEnd lost{.state = task::v1::LOST, .reason = task::v1::WORKER_LOST};
  const struct {
    const char* name;
    coord::Transaction transaction;
    std::vector<std::string> guards;  // besides the epoch
    std::vector<std::string> effects;
  } cases[] = {
      {"submit", transitions_.Submit("t", record_, std::nullopt, {}, 1), {}, {"create tasks/t"}},
      {"submit, after others",
       transitions_.Submit("t", record_, std::nullopt, {"a", "b"}, 1),
       {"exists tasks/a", "exists tasks/b"},
       {"create tasks/t"}},
      {"resolve", transitions_.Resolve(waiting, 1, 1), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"never runs", transitions_.NeverRuns(waiting, "", 1), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"submit and assign",
       transitions_.Submit("t", record_, target_, {}, 1),
       {"czxid workers/w 9"},
       {"create tasks/t", "create assign/w/t"}},
      {"assign",
       transitions_.Assign(waiting, target_, 1),
       {"czxid workers/w 9", "mzxid tasks/t 11"},
       {"set tasks/t", "create assign/w/t"}},
      {"take back, nobody there",
       transitions_.TakeBack(held, assignment_, nullptr, true, "", 1),
       {"absent workers/w", "czxid assign/w/t 20", "mzxid assign/w/t 21", "mzxid tasks/t 12"},
       {"set tasks/t", "delete assign/w/t"}},
      {"take back, another process there",
       transitions_.TakeBack(held, assignment_, &successor_, true, "", 1),
       {"czxid workers/w 30", "czxid assign/w/t 20", "mzxid assign/w/t 21", "mzxid tasks/t 12"},
       {"set tasks/t", "delete assign/w/t"}},
      {"give up, known dead",
       transitions_.GiveUp(held, assignment_, nullptr, true, lost, true),
       {"absent workers/w", "czxid assign/w/t 20", "mzxid assign/w/t 21", "mzxid tasks/t 12", "exists died/p1"},
       {"set tasks/t", "delete assign/w/t"}},
      {"give up, away too long",
       transitions_.GiveUp(held, assignment_, nullptr, false, lost, false),
       {"absent workers/w", "czxid assign/w/t 20", "mzxid assign/w/t 21", "mzxid tasks/t 12"},
       {"set tasks/t", "delete assign/w/t"}},
      {"note an absence",
       transitions_.NoteLost(assignment_, 5),
       {"czxid assign/w/t 20", "mzxid assign/w/t 21"},
       {"set assign/w/t"}},
      {"cancel a waiting one", transitions_.CancelWaiting(waiting, "", 1), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"cancel an assigned one",
       transitions_.CancelAssigned(assignment_, ""),
       {"czxid assign/w/t 20", "mzxid assign/w/t 21"},
       {"set assign/w/t"}},
      {"quarantine", transitions_.Quarantine(waiting, 1), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"release", transitions_.Release(waiting), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"run anew", transitions_.Rerun(waiting, waiting.record, {}), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"overdue", transitions_.Overdue(waiting, {5, task::v1::DEADLINE, ""}, 6), {"mzxid tasks/t 11"}, {"set tasks/t"}},
      {"orphaned", transitions_.Orphaned(held, 1), {"mzxid tasks/t 12", "absent assign/w/t"}, {"set tasks/t"}},
      {"first horizon", transitions_.RaiseHorizon(8, Zxid()), {}, {"create horizon"}},
      {"horizon", transitions_.RaiseHorizon(8, Zxid(3)), {"mzxid horizon 3"}, {"set horizon"}},
      {"retire", transitions_.Retire("t", Zxid(11)), {"mzxid tasks/t 11"}, {"delete tasks/t"}},
      {"delete a notice of death", transitions_.DeleteDied("p1", Zxid(4)), {"czxid died/p1 4"}, {"delete died/p1"}},
      {"delete a stray assignment",
       transitions_.DeleteStray(assignment_),
       {"czxid assign/w/t 20", "absent tasks/t"},
       {"delete assign/w/t"}},
  };
  for (const auto& c : cases) {
    std::vector<std::string> expected = {"czxid masters/c-1 7"};
    expected.insert(expected.end(), c.guards.begin(), c.guards.end());
    EXPECT_EQ(Guards(c.transaction), expected) << c.name;
    EXPECT_EQ(Effects(c.transaction), c.effects) << c.name;
  }
}

TEST_F(TransitionsTest, AnAssignmentNamesTheProcessAndTheRecordTheWorker) {
  const coord::Transaction t = transitions_.Submit("t", record_, target_, {}, 42);
  const worker::v1::TaskRecord record = RecordIn(t);
  EXPECT_EQ(record.state(), task::v1::ASSIGNED);
  EXPECT_EQ(record.worker(), "w");
  ASSERT_EQ(record.attempts_size(), 1);
  EXPECT_EQ(record.attempts(0).assigned_at(), 42);
  EXPECT_EQ(record.attempts_total(), 1U);
  EXPECT_EQ(records::DecodeAssignment(t.then[1].data)->process_id(), "p1");
}

TEST_F(TransitionsTest, ATaskTakenBackIsReadyWithItsLossAndItsAttemptClosed) {
  const worker::v1::TaskRecord record =
      RecordIn(transitions_.TakeBack({"t", Zxid(12), assigned_}, assignment_, nullptr, true, "worker w died", 50));
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_EQ(record.losses(), 1U);
  EXPECT_TRUE(record.worker().empty());
  EXPECT_EQ(record.attempts(0).state(), task::v1::LOST);
  EXPECT_EQ(record.attempts(0).fence(), 20U);
  EXPECT_EQ(record.attempts(0).finished_at(), 50);
  EXPECT_EQ(RecordIn(transitions_.TakeBack({"t", Zxid(12), assigned_}, assignment_, nullptr, false, "", 50)).losses(), 0U);
}

TEST_F(TransitionsTest, AnOrphanRunsAgainUnlessItMayHaveRunAndMustNotTwice) {
  const auto outcome = [&](bool at_most_once, task::v1::State state) {
    worker::v1::TaskRecord record = assigned_;
    record.mutable_policy()->set_at_most_once(at_most_once);
    record.set_state(state);
    return RecordIn(transitions_.Orphaned({"t", Zxid(12), record}, 1)).state();
  };
  EXPECT_EQ(outcome(false, task::v1::RUNNING), task::v1::READY);
  EXPECT_EQ(outcome(true, task::v1::ASSIGNED), task::v1::READY);
  EXPECT_EQ(outcome(true, task::v1::RUNNING), task::v1::LOST);
}

TEST_F(TransitionsTest, ACancelKeepsWhatElseTheAssignmentSays) {
  assignment_.data.set_lost_since(77);
  const auto data = records::DecodeAssignment(transitions_.CancelAssigned(assignment_, std::string(500, 'x')).then[0].data);
  EXPECT_TRUE(data->cancel());
  EXPECT_EQ(data->process_id(), "p1");
  EXPECT_EQ(data->lost_since(), 77);
  EXPECT_EQ(data->cancel_reason().size(), 100U);
}

}  // namespace
}  // namespace drover::master::state
