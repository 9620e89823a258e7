#include "master/state/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "master/records/task_id.h"
#include "tests/master/state/planner_fixture.h"

namespace drover::master::state {
namespace {

using ::testing::ElementsAre;
using Kind = SubmitResult::Kind;

class PlannerTest : public PlannerFixture {};

TEST_F(PlannerTest, ATaskIsAssignedInTheTransactionThatSubmitsIt) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  session_.commits.clear();
  EXPECT_EQ(Submit("a").kind, Kind::kDone);
  EXPECT_EQ(session_.commits.size(), 1U);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
  ASSERT_TRUE(Assigned("w", "a"));
  // An attempt that has not started: record mzxid = fence.
  EXPECT_EQ(tree_.Find(paths_.Task("a"))->stat.mzxid, tree_.Find(paths_.Assignment("w", "a"))->stat.czxid);
}

TEST_F(PlannerTest, WaitingTasksAreAssignedWhenAWorkerComesAndWhenOneIsFree) {
  StartAndLead();
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(Submit(id).kind, Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  Join("w", "p1", 2);
  Run();
  EXPECT_TRUE(Assigned("w", "a"));
  EXPECT_TRUE(Assigned("w", "b"));
  EXPECT_FALSE(Assigned("w", "c"));
  EXPECT_TRUE(Finish("w", "a"));
  Run();
  EXPECT_TRUE(Assigned("w", "c"));
}

TEST_F(PlannerTest, ATaskThatWaitsCanBeCancelled) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  Fail("w", "a", tree_.now_ms + 5'000);
  Run();
  EXPECT_EQ(Cancel("a").kind, CancelResult::Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::CANCELLED);
  tree_.now_ms += 10'000;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::CANCELLED);
}

TEST_F(PlannerTest, TheSameSubmissionTwiceIsOneTaskAndAnotherUnderItsIdIsAConflict) {
  StartAndLead();
  EXPECT_EQ(Submit("a").kind, Kind::kDone);
  EXPECT_EQ(Submit("a").kind, Kind::kExisted);
  const SubmitResult other = Submit("a", Record("false"));
  EXPECT_EQ(other.kind, Kind::kConflict);
  EXPECT_EQ(other.sentence, "another task has this id: its program differs");
}

TEST_F(PlannerTest, ASubmissionMayBeRefusedOrTakeWhateverIsThere) {
  StartAndLead();
  worker::v1::TaskRecord record = Record();
  record.set_submission(5);
  EXPECT_EQ(Submit("a", record, task::v1::REJECT).kind, Kind::kDone);
  EXPECT_EQ(Submit("a", record, task::v1::REJECT).kind, Kind::kExisted) << "its own second try";
  record.set_submission(6);
  const SubmitResult refused = Submit("a", record, task::v1::REJECT);
  EXPECT_EQ(refused.kind, Kind::kConflict);
  EXPECT_EQ(refused.sentence, "there is a task of this id: READY");
  EXPECT_EQ(Submit("a", Record("false"), task::v1::USE_EXISTING).kind, Kind::kExisted);
  EXPECT_EQ(Submit("a", Record("false"), task::v1::RERUN_FAILED).kind, Kind::kConflict) << "it has not ended";
}

TEST_F(PlannerTest, AFailedTaskIsRunAnewByItsNewSubmission) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  FailForGood("w", "a");
  Run();
  worker::v1::TaskRecord other = Record("false");
  other.set_submission(9);
  EXPECT_EQ(Submit("a", other, task::v1::RERUN_FAILED).kind, Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
  worker::v1::TaskRecord stored = Stored("a");
  EXPECT_EQ(stored.program(), "false");
  EXPECT_EQ(stored.reruns(), 1u);
  EXPECT_EQ(stored.attempts_total(), 2u);
  EXPECT_EQ(stored.failures(), 0u);
  EXPECT_EQ(stored.finished_at(), 0);
  EXPECT_EQ(stored.reason(), task::v1::NONE);
  FailForGood("w", "a");
  Run();
  EXPECT_EQ(Submit("a", other, task::v1::RERUN_FAILED).kind, Kind::kExisted) << "a late try of the same submission";
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  other.set_submission(10);
  EXPECT_EQ(Submit("a", other, task::v1::RERUN_FAILED).kind, Kind::kDone);
  EXPECT_TRUE(Finish("w", "a"));
  Run();
  other.set_submission(11);
  EXPECT_EQ(Submit("a", other, task::v1::RERUN_FAILED).kind, Kind::kExisted) << "it has succeeded";
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(PlannerTest, ARetryRunsATaskAnewAsItWas) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  EXPECT_EQ(Retry("a", 1).kind, Kind::kNotFound);
  Submit("a", Record("mine"));
  EXPECT_EQ(Retry("a", 1).kind, Kind::kRefused);
  EXPECT_EQ(Retry("a", 1).sentence, "it has not ended: ASSIGNED");
  FailForGood("w", "a");
  Run();
  EXPECT_EQ(Retry("a", 2).kind, Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
  EXPECT_EQ(Stored("a").program(), "mine");
  EXPECT_EQ(Retry("a", 2).kind, Kind::kDone) << "its own second try";
  EXPECT_EQ(Stored("a").reruns(), 1u);
  EXPECT_EQ(Submit("a", Record("mine")).kind, Kind::kExisted);
  EXPECT_TRUE(Finish("w", "a"));
  Run();
  EXPECT_EQ(Retry("a", 3).kind, Kind::kRefused);
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(PlannerTest, TwoRetriesAtTheSameTimeRunATaskAnewOnce) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  FailForGood("w", "a");
  Run();
  std::vector<Kind> kinds;
  for (const std::uint64_t submission : {5, 6}) planner_->Retry("a", submission, [&](SubmitResult r) { kinds.push_back(r.kind); });
  Run();
  EXPECT_THAT(kinds, ::testing::UnorderedElementsAre(Kind::kDone, Kind::kRefused));
  EXPECT_EQ(Stored("a").reruns(), 1u);
}

TEST_F(PlannerTest, ARetryAfterTheDeadlineIsRefused) {
  StartAndLead();
  worker::v1::TaskRecord record = Record();
  record.mutable_policy()->set_deadline_ms(tree_.now_ms + 1'000);
  Submit("a", record);
  tree_.now_ms += 1'000;
  Run(2'000);
  ASSERT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Retry("a", 1).kind, Kind::kRefused);
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
}

TEST_F(PlannerTest, TwoSubmissionsOfOneIdAtTheSameTimeAreOneTask) {
  StartAndLead();
  std::vector<Kind> kinds;
  for (int i = 0; i < 3; ++i)
    planner_->Submit("a", Record(), task::v1::SAME_ONLY, [&](SubmitResult r) { kinds.push_back(r.kind); });
  Run();
  EXPECT_THAT(kinds, ElementsAre(Kind::kDone, Kind::kExisted, Kind::kExisted));
}

TEST_F(PlannerTest, ARecordThatAnotherMasterMadeMeanwhileIsFound) {
  StartAndLead();
  session_.before_commit = [this](const coord::Transaction&) {
    session_.before_commit = nullptr;
    tree_.Create(paths_.Task("a"), records::Encode(Record()));
  };
  EXPECT_EQ(Submit("a").kind, Kind::kExisted);
}

TEST_F(PlannerTest, AWorkerThatGoesBeforeTheCommitLeavesTheTaskWaiting) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  session_.before_commit = [this](const coord::Transaction&) {
    session_.before_commit = nullptr;
    Vanish("w");
  };
  EXPECT_EQ(Submit("a").kind, Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  Join("w", "p2", 1);
  Run();
  EXPECT_TRUE(Assigned("w", "a"));
}

TEST_F(PlannerTest, AGeneratedIdBelowTheHorizonIsTooOldAndOneFromTheFutureIsRefused) {
  StartAndLead();
  worker::v1::Horizon horizon;
  horizon.set_ticket(50);
  tree_.Create(paths_.Horizon(), records::Encode(horizon));
  Run();
  EXPECT_EQ(Submit(records::GeneratedId(49, 1)).kind, Kind::kTooOld);
  EXPECT_EQ(Submit(records::GeneratedId(50, 1)).kind, Kind::kDone);
  EXPECT_EQ(Submit(records::GeneratedId(1'000'000, 1)).kind, Kind::kRefused);
}

TEST_F(PlannerTest, NothingIsPlannedBeforeTheViewHasReachedTheElection) {
  Start();
  Join("w", "p1", 1);
  tree_.Create(paths_.Task("a"), records::Encode(Record()));
  Run();
  const coord::Stat stat = tree_.Create(candidate_, "", session_.id());
  planner_->Lead({candidate_, stat.czxid}, Zxid(1'000'000), committer_.get());
  Run();
  EXPECT_FALSE(planner_->planning());
  EXPECT_TRUE(session_.commits.empty());
  EXPECT_EQ(Submit("b").kind, Kind::kUnavailable);
}

TEST_F(PlannerTest, AStandbyThatIsElectedTakesUpWhatItSaw) {
  Start();
  Join("w", "p1", 2);
  tree_.Create(paths_.Task("a"), records::Encode(Record()));
  Run();
  EXPECT_TRUE(session_.commits.empty());
  Lead();
  EXPECT_TRUE(Assigned("w", "a"));
}

TEST_F(PlannerTest, AfterItStoppedLeadingNothingIsPlanned) {
  StartAndLead();
  planner_->StopLeading();
  Join("w", "p1", 1);
  tree_.Create(paths_.Task("a"), records::Encode(Record()));
  Run();
  EXPECT_TRUE(session_.commits.empty());
  EXPECT_EQ(Submit("b").kind, Kind::kUnavailable);
  EXPECT_EQ(Cancel("a").kind, CancelResult::Kind::kUnavailable);
}

TEST_F(PlannerTest, ADeposedMasterDoesNotCommitAndSaysSo) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  tree_.Delete(candidate_);  // and nobody has told it yet
  EXPECT_EQ(Submit("a").kind, Kind::kUnavailable);
  EXPECT_EQ(tree_.Find(paths_.Task("a")), nullptr);
}

// ---- workers that vanish ----

TEST_F(PlannerTest, TasksOfADeadWorkerRunElsewhereWithALossAndTheNoticeIsRemoved) {
  StartAndLead();
  Join("w1", "p1", 2);
  Run();
  Submit("a");
  Submit("b");
  Join("w2", "p2", 2);
  Run();
  Die("w1", "p1");
  Run();
  for (const char* id : {"a", "b"}) {
    EXPECT_TRUE(Assigned("w2", id));
    EXPECT_FALSE(Assigned("w1", id));
    EXPECT_EQ(Stored(id).losses(), 1U);
    ASSERT_EQ(Stored(id).attempts_size(), 2);
    EXPECT_EQ(Stored(id).attempts(0).state(), task::v1::LOST);
  }
  EXPECT_EQ(tree_.Find(paths_.Died("p1")), nullptr);
}

TEST_F(PlannerTest, AWorkerThatIsKnownToBeDyingGetsNoWork) {
  StartAndLead();
  Join("w", "p1", 2);
  tree_.Create(paths_.Died("p1"), "");
  Run();
  Submit("a");
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  EXPECT_NE(tree_.Find(paths_.Died("p1")), nullptr) << "its registration stands";
  Vanish("w");
  Run();
  EXPECT_EQ(tree_.Find(paths_.Died("p1")), nullptr);
}

TEST_F(PlannerTest, ANewProcessUnderTheNameDoesNotInheritAssignments) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  const Zxid first = tree_.Find(paths_.Assignment("w", "a"))->stat.czxid;
  Vanish("w");
  Join("w", "p2", 1);
  Run();
  ASSERT_TRUE(Assigned("w", "a"));
  EXPECT_GT(tree_.Find(paths_.Assignment("w", "a"))->stat.czxid, first);
  EXPECT_EQ(records::DecodeAssignment(tree_.Find(paths_.Assignment("w", "a"))->data)->process_id(), "p2");
  EXPECT_FALSE(Finish("w", "a", first)) << "a late outcome of the first process";
}

TEST_F(PlannerTest, AStartedAtMostOnceTaskIsLostAtOnceOnlyIfItsProcessIsKnownDead) {
  StartAndLead();
  Join("w1", "p1", 2);
  Run();
  Submit("known", Record("true", true));
  Submit("unknown", Record("true", true));
  Submit("unstarted", Record("true", true));
  Begin("w1", "known");
  Begin("w1", "unknown");
  Run();
  Vanish("w1");
  Run();
  EXPECT_EQ(StateOf("known"), task::v1::RUNNING);
  EXPECT_NE(records::DecodeAssignment(tree_.Find(paths_.Assignment("w1", "known"))->data)->lost_since(), 0);
  EXPECT_EQ(StateOf("unstarted"), task::v1::READY);
  tree_.Create(paths_.Died("p1"), "");
  Run();
  EXPECT_EQ(StateOf("known"), task::v1::LOST);
  EXPECT_EQ(StateOf("unknown"), task::v1::LOST);
  EXPECT_EQ(Stored("known").reason(), task::v1::WORKER_LOST);
  EXPECT_FALSE(Stored("known").sentence().empty());
}

TEST_F(PlannerTest, AStartedAtMostOnceTaskOfACutOffWorkerIsLostAfterTenMinutes) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a", Record("true", true));
  Begin("w", "a");
  Vanish("w");
  Run();
  tree_.now_ms += 599'000;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::RUNNING);
  tree_.now_ms += 2'000;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::LOST);
  EXPECT_FALSE(Assigned("w", "a"));
}

TEST_F(PlannerTest, AWorkerThatRegistersAnewGoesOnWithItsStartedTask) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a", Record("true", true));
  Begin("w", "a");
  Vanish("w");
  Run();
  Join("w", "p1", 1);
  Run();
  EXPECT_EQ(records::DecodeAssignment(tree_.Find(paths_.Assignment("w", "a"))->data)->lost_since(), 0);
  EXPECT_TRUE(Finish("w", "a"));
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(PlannerTest, FiveDeathsEndATask) {
  StartAndLead();
  Submit("a");
  for (int i = 0; i < 5; ++i) {
    const std::string process = "p" + std::to_string(i);
    Join("w", process, 3);
    Run();
    ASSERT_TRUE(Assigned("w", "a")) << i;
    Die("w", process);
    Run();
  }
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Stored("a").reason(), task::v1::WORKER_LOST_LIMIT);
  EXPECT_EQ(Stored("a").losses(), 5U);
}

TEST_F(PlannerTest, AnOutcomeThatCommitsFirstIsNotOverwritten) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  session_.before_commit = [this](const coord::Transaction&) {
    session_.before_commit = nullptr;
    EXPECT_TRUE(Finish("w", "a"));
  };
  Vanish("w");
  Run();
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(PlannerTest, AnAssignmentDeletedByHandIsMended) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  const Zxid first = tree_.Find(paths_.Assignment("w", "a"))->stat.czxid;
  tree_.Delete(paths_.Assignment("w", "a"));
  Run(1'500);
  ASSERT_TRUE(Assigned("w", "a"));
  EXPECT_NE(tree_.Find(paths_.Assignment("w", "a"))->stat.czxid, first);
}

TEST_F(PlannerTest, AnAssignmentWhoseRecordWasDeletedByHandIsDeletedThoughItsWorkerLives) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  ASSERT_TRUE(Assigned("w", "a"));
  tree_.Delete(paths_.Task("a"));
  Run();
  EXPECT_FALSE(Assigned("w", "a"));
  Submit("b");
  EXPECT_TRUE(Assigned("w", "b"));
}

TEST_F(PlannerTest, AStepThatTheCoreWillNotTakeIsNotSentWithoutEnd) {
  StartAndLead();
  Submit("a");
  worker::v1::Assignment in_the_way;
  in_the_way.set_process_id("p1");
  tree_.Create(paths_.Assignment("w", "a"), records::Encode(in_the_way));
  Join("w", "p1", 1);
  const std::size_t before = session_.commits.size();
  Run(10'000);
  const std::size_t sent = session_.commits.size() - before;
  EXPECT_GE(sent, 2U);
  EXPECT_LE(sent, 12U);
}

// ---- cancel ----

TEST_F(PlannerTest, CancellingEndsAWaitingTaskAndTellsTheWorkerOfAnAssignedOne) {
  StartAndLead();
  Submit("waiting");
  EXPECT_EQ(Cancel("waiting").kind, CancelResult::Kind::kDone);
  EXPECT_EQ(StateOf("waiting"), task::v1::CANCELLED);
  EXPECT_EQ(Stored("waiting").sentence(), "because");
  EXPECT_EQ(Cancel("waiting").kind, CancelResult::Kind::kAlreadyTerminal);
  EXPECT_EQ(Cancel("nobody").kind, CancelResult::Kind::kNotFound);

  Join("w", "p1", 1);
  Run();
  Submit("assigned");
  const Zxid fence = tree_.Find(paths_.Assignment("w", "assigned"))->stat.czxid;
  EXPECT_EQ(Cancel("assigned").kind, CancelResult::Kind::kDone);
  EXPECT_EQ(StateOf("assigned"), task::v1::ASSIGNED);
  EXPECT_TRUE(records::DecodeAssignment(tree_.Find(paths_.Assignment("w", "assigned"))->data)->cancel());
  EXPECT_EQ(tree_.Find(paths_.Assignment("w", "assigned"))->stat.czxid, fence);
  EXPECT_EQ(Cancel("assigned").kind, CancelResult::Kind::kDone);
}

TEST_F(PlannerTest, ACancelThatRacesWithAnAssignmentIsDecidedAnew) {
  StartAndLead();
  Submit("a");
  std::optional<CancelResult> result;
  Join("w", "p1", 1);
  planner_->Cancel("a", "because", [&](CancelResult r) { result = std::move(r); });
  Run();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->kind, CancelResult::Kind::kDone);
  const bool told = Assigned("w", "a") && records::DecodeAssignment(tree_.Find(paths_.Assignment("w", "a"))->data)->cancel();
  EXPECT_TRUE(StateOf("a") == task::v1::CANCELLED || told);
}

TEST_F(PlannerTest, ACancelledTaskWhoseWorkerDiedIsCancelled) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  Cancel("a");
  Die("w", "p1");
  Run();
  EXPECT_EQ(StateOf("a"), task::v1::CANCELLED);
}

// ---- retirement ----

TEST_F(PlannerTest, OldFinishedTasksLeaveAfterTheHorizonWasRaised) {
  StartAndLead({.finished_kept = 2});
  Join("w", "p1", 10);
  Run();
  std::vector<std::string> ids;
  for (std::uint64_t i = 0; i < 5; ++i) {
    ids.push_back(records::GeneratedId(tree_.zxid().value, i));
    EXPECT_EQ(Submit(ids.back()).kind, Kind::kDone);
    EXPECT_TRUE(Finish("w", ids.back()));
  }
  tree_.now_ms += 59'000;
  Run(3'000);
  EXPECT_TRUE(retired_.empty()) << "not before they have been finished for a minute";
  session_.commits.clear();
  tree_.now_ms += 2'000;
  Run(3'000);
  EXPECT_THAT(retired_, ElementsAre(ids[0], ids[1], ids[2]));
  ASSERT_EQ(session_.commits.size(), 4U);
  EXPECT_EQ(session_.commits[0].then[0].path, paths_.Horizon());
  EXPECT_EQ(records::DecodeHorizon(tree_.Find(paths_.Horizon())->data)->ticket(), *records::TicketOf(ids[2]) + 1);
  EXPECT_EQ(tree_.Find(paths_.Task(ids[0])), nullptr);
  EXPECT_NE(tree_.Find(paths_.Task(ids[3])), nullptr);
  EXPECT_EQ(Submit(ids[0]).kind, Kind::kTooOld) << "a late retry";
  EXPECT_EQ(Submit(ids[4]).kind, Kind::kExisted);
}

TEST_F(PlannerTest, RetirementGoesOnInBatches) {
  StartAndLead({.finished_kept = 0, .retire_batch = 3});
  Join("w", "p1", 10);
  Run();
  for (int i = 0; i < 10; ++i) {
    Submit("t" + std::to_string(i));
    EXPECT_TRUE(Finish("w", "t" + std::to_string(i)));
  }
  tree_.now_ms += 61'000;
  Run(3'000);
  EXPECT_EQ(retired_.size(), 10U);
}

TEST_F(PlannerTest, ARetryThatCameWithoutItsProgramWhileItsTaskWasRetiredMakesNoRecord) {
  StartAndLead({.finished_kept = 0});
  Join("w", "p1", 1);
  Run();
  Submit("a");
  EXPECT_TRUE(Finish("w", "a"));
  worker::v1::TaskRecord without = Record();
  without.clear_program();
  EXPECT_EQ(Submit("a", without).kind, Kind::kExisted);
  std::optional<SubmitResult> result;
  bool asked = false;
  session_.before_commit = [&](const coord::Transaction& transaction) {
    const bool retires = std::any_of(transaction.then.begin(), transaction.then.end(),
                                     [&](const coord::Operation& operation) { return operation.path == paths_.Task("a"); });
    if (!retires || std::exchange(asked, true)) return;
    planner_->Submit("a", without, task::v1::SAME_ONLY, [&](SubmitResult r) { result = std::move(r); });
  };
  tree_.now_ms += 61'000;
  Run(3'000);
  EXPECT_THAT(retired_, ElementsAre("a"));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->kind, Kind::kUnavailable);
  EXPECT_EQ(tree_.Find(paths_.Task("a")), nullptr);
  EXPECT_EQ(Submit("a").kind, Kind::kDone) << "the client's retry brings the program";
}

// ---- the view ----

TEST_F(PlannerTest, AMasterWhoseViewLostItsHistoryStepsDownAndReadsAnew) {
  StartAndLead();
  Submit("a");
  session_.Compact();
  Run();
  EXPECT_EQ(stepped_down_, 1);
  Join("w", "p1", 1);
  Run();
  EXPECT_TRUE(Assigned("w", "a")) << "it leads still: nobody else stood";
}

// Workers that run, end, die, are cut off and come back, while tasks come in: whatever happens, no task has two assignments, no
// worker more than its slots, and once all is quiet every task has ended.
TEST_F(PlannerTest, WhateverWorkersDoEveryTaskEndsOnce) {
  StartAndLead();
  base::SeededRandom random(7);
  std::map<std::string, std::string> alive;
  std::map<std::string, Zxid> ended;
  int processes = 0, tasks = 0;
  for (int step = 0; step < 600; ++step) {
    const std::string worker = "w" + std::to_string(random.Below(4));
    const std::uint64_t choice = random.Below(10);
    if (choice < 4 && tasks < 120) {
      planner_->Submit("t" + std::to_string(tasks), Record("true", tasks % 3 == 0), task::v1::SAME_ONLY, [](SubmitResult) {});
      ++tasks;
    } else if (choice == 4) {
      if (alive.count(worker) == 0) {
        alive[worker] = "p" + std::to_string(processes++);
        Join(worker, alive[worker], 2);
      } else if (random.Below(2) == 0) {
        Die(worker, alive[worker]);
        alive.erase(worker);
      } else {
        Vanish(worker);
        if (random.Below(2) == 0) alive[worker] = "p" + std::to_string(processes++);
        Join(worker, alive[worker], 2);
      }
    } else {
      std::vector<View::AssignmentKey> mine;
      for (const auto& [key, assignment] : view_->assignments()) {
        if (alive.count(key.first) > 0 && alive[key.first] == assignment.data.process_id()) mine.push_back(key);
      }
      if (!mine.empty()) {
        const auto& [w, t] = mine[random.Below(mine.size())];
        const coord::Node* a = tree_.Find(paths_.Assignment(w, t));
        if (a != nullptr && Stored(t).policy().at_most_once() && StateOf(t) == task::v1::ASSIGNED) {
          Begin(w, t);
        } else if (a != nullptr) {
          EXPECT_TRUE(Finish(w, t));
        }
      }
    }
    Run(static_cast<int>(random.Below(3)) * 15);
    std::map<std::string, int> per_task;
    std::map<std::pair<std::string, std::string>, int> per_process;
    for (const auto& [path, node] : tree_.nodes()) {
      const auto parts = paths_.Parse(path);
      if (parts.kind == records::PathKind::kAssignment) {
        EXPECT_EQ(++per_task[std::string(parts.name)], 1);
        EXPECT_LE((++per_process[{std::string(parts.worker), records::DecodeAssignment(node.data)->process_id()}]), 2);
      }
      if (parts.kind != records::PathKind::kTask) continue;
      const auto record = records::DecodeTaskRecord(node.data);
      EXPECT_TRUE(records::CheckBounds(*record).ok());
      if (!records::IsTerminal(record->state())) continue;
      const auto [it, first] = ended.emplace(std::string(parts.name), node.stat.mzxid);
      EXPECT_EQ(it->second, node.stat.mzxid) << "an outcome was overwritten: " << path;
    }
  }
  // All quiet: whoever is away is dead for certain, one good worker does the rest.
  for (const auto& [worker, process] : alive) Die(worker, process);
  for (int p = 0; p < processes; ++p) {
    const std::string process = "p" + std::to_string(p);
    if (tree_.Find(paths_.Died(process)) == nullptr) tree_.Create(paths_.Died(process), "");
  }
  Run(2'000);
  Join("good", "good", 4);
  for (int round = 0; round < 200; ++round) {
    Run(50);
    const auto standing = view_->assignments();
    for (const auto& [key, assignment] : standing) {
      if (Stored(key.second).policy().at_most_once() && StateOf(key.second) == task::v1::ASSIGNED) Begin(key.first, key.second);
      EXPECT_TRUE(Finish(key.first, key.second));
    }
  }
  for (int t = 0; t < tasks; ++t)
    EXPECT_TRUE(records::IsTerminal(StateOf("t" + std::to_string(t)))) << t << Stored("t" + std::to_string(t)).DebugString();
  EXPECT_TRUE(view_->died().empty());
  EXPECT_GT(processes, 10);
}

}  // namespace
}  // namespace drover::master::state
