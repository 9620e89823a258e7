// When tasks may run, and until when: delays, limits, deadlines, back-off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/master/state/planner_fixture.h"

namespace drover::master::state {
namespace {

using Kind = SubmitResult::Kind;

class TimesTest : public PlannerFixture {};

TEST_F(TimesTest, ATaskThatWaitsIsReleasedWhenItsTimeHasComeAndNotBefore) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  Fail("w", "a", tree_.now_ms + 5'000);
  Run(10'000);  // by the loop's clock; the cluster's stands still
  EXPECT_EQ(StateOf("a"), task::v1::WAITING);
  tree_.now_ms += 4'999;
  Run(10);
  EXPECT_EQ(StateOf("a"), task::v1::WAITING);
  tree_.now_ms += 1;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
  EXPECT_EQ(Stored("a").not_before(), 0);
  EXPECT_TRUE(Finish("w", "a"));
}

TEST_F(TimesTest, ATaskWithADelayWaitsForItByTheClustersTime) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  worker::v1::TaskRecord record = Record();
  record.mutable_policy()->set_delay_ms(5'000);
  EXPECT_EQ(Submit("a", record).kind, SubmitResult::Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::WAITING);
  EXPECT_EQ(Stored("a").not_before(), tree_.now_ms + 5'000);
  EXPECT_EQ(Submit("a", record).kind, SubmitResult::Kind::kExisted);
  tree_.now_ms += 4'999;
  Run(10'000);
  EXPECT_EQ(StateOf("a"), task::v1::WAITING);
  tree_.now_ms += 1;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
}

// A bad link holds the core's word for seconds: then its time is known up to that.
TEST_F(TimesTest, NothingIsEarlyThoughTheClustersTimeIsOnlyKnownUpToSeconds) {
  StartAndLead();
  worker::v1::TaskRecord delayed = Record();
  delayed.mutable_policy()->set_delay_ms(1'000);
  ASSERT_EQ(Submit("delayed", delayed).kind, Kind::kDone);
  worker::v1::TaskRecord within = Record();
  within.mutable_policy()->set_start_within_ms(1'000);
  ASSERT_EQ(Submit("within", within).kind, Kind::kDone);
  ahead_ms_ = 3'000;
  behind_ms_ = 500;
  Pass(900);
  EXPECT_EQ(StateOf("delayed"), task::v1::WAITING);
  EXPECT_EQ(StateOf("within"), task::v1::READY);
  Pass(700);
  EXPECT_EQ(StateOf("delayed"), task::v1::READY);
  EXPECT_EQ(StateOf("within"), task::v1::FAILED);
  // A master that thinks it is earlier than it is: the core knows when the record was made.
  ahead_ms_ = -800;
  behind_ms_ = 0;
  ASSERT_EQ(Submit("early", delayed).kind, Kind::kDone);
  ahead_ms_ = 0;
  Pass(900);
  EXPECT_EQ(StateOf("early"), task::v1::WAITING);
  Pass(300);
  EXPECT_EQ(StateOf("early"), task::v1::READY);
  // What begins while it is known so badly is late at most.
  ahead_ms_ = 3'000;
  ASSERT_EQ(Submit("later", delayed).kind, Kind::kDone);
  Pass(1'200);
  EXPECT_EQ(StateOf("later"), task::v1::WAITING);
  ahead_ms_ = behind_ms_ = 0;
  Pass(3'000);
  EXPECT_EQ(StateOf("later"), task::v1::READY);
}

TEST_F(TimesTest, WhatDoesNotStartInTimeFails) {
  StartAndLead();
  worker::v1::TaskRecord within = Record(), deadline = Record(), total = Record();
  within.mutable_policy()->set_start_within_ms(5'000);
  deadline.mutable_policy()->set_deadline_ms(tree_.now_ms + 6'000);
  total.mutable_policy()->set_total_limit_ms(7'000);
  Submit("within", within);
  Submit("deadline", deadline);
  Submit("total", total);
  Submit("patient");
  tree_.now_ms += 4'999;
  Run(2'000);
  EXPECT_EQ(StateOf("within"), task::v1::READY);
  tree_.now_ms += 1;
  Run(2'000);
  EXPECT_EQ(StateOf("within"), task::v1::FAILED);
  EXPECT_EQ(Stored("within").reason(), task::v1::DEADLINE);
  EXPECT_EQ(StateOf("deadline"), task::v1::READY);
  tree_.now_ms += 2'000;
  Run(2'000);
  EXPECT_EQ(StateOf("deadline"), task::v1::FAILED);
  EXPECT_EQ(StateOf("total"), task::v1::FAILED);
  EXPECT_EQ(Stored("total").reason(), task::v1::TIME_LIMIT);
  // None of them is placed when a worker comes.
  Join("w", "p1", 8);
  Run();
  EXPECT_EQ(StateOf("patient"), task::v1::ASSIGNED);
  EXPECT_EQ(StateOf("within"), task::v1::FAILED);
}

TEST_F(TimesTest, LimitsAreCountedFromTheEndOfADelay) {
  StartAndLead();
  worker::v1::TaskRecord record = Record();
  record.mutable_policy()->set_delay_ms(10'000);
  record.mutable_policy()->set_start_within_ms(5'000);
  Submit("a", record);
  tree_.now_ms += 14'999;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  tree_.now_ms += 1;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
}

TEST_F(TimesTest, ATaskWhoseWorkerIsLostTooLateFailsInsteadOfRunningAgain) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  worker::v1::TaskRecord record = Record();
  record.mutable_policy()->set_deadline_ms(tree_.now_ms + 1'000);
  Submit("a", record);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
  tree_.now_ms += 1'000;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED) << "what runs runs on";
  Die("w", "p1");
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Stored("a").reason(), task::v1::DEADLINE);
  EXPECT_THAT(Stored("a").sentence(), ::testing::StartsWith("not started by its deadline"));
  EXPECT_THAT(Stored("a").sentence(), ::testing::EndsWith("; before: worker w died"));
}

TEST_F(TimesTest, ASubmissionAfterItsDeadlineIsRefused) {
  StartAndLead();
  worker::v1::TaskRecord record = Record();
  record.mutable_policy()->set_deadline_ms(tree_.now_ms);
  EXPECT_EQ(Submit("a", record).kind, SubmitResult::Kind::kRefused);
  record.mutable_policy()->set_deadline_ms(tree_.now_ms + 5'000);
  record.mutable_policy()->set_delay_ms(5'000);
  EXPECT_EQ(Submit("a", record).kind, SubmitResult::Kind::kRefused);
  EXPECT_EQ(StateOf("a"), task::v1::STATE_UNSPECIFIED);
}

TEST_F(TimesTest, AMasterThatTakesOverEndsWhatIsOverdue) {
  worker::v1::TaskRecord record = Record();
  record.set_eligible_at(tree_.now_ms - 10);
  record.mutable_policy()->set_start_within_ms(10);
  tree_.Create(paths_.Task("late"), records::Encode(record));
  Start();
  Run(2'000);
  EXPECT_EQ(StateOf("late"), task::v1::READY) << "a standby writes nothing";
  Join("w", "p1", 1);
  Lead();
  EXPECT_EQ(StateOf("late"), task::v1::FAILED) << "and it is not placed";
}

TEST_F(TimesTest, AReleasedTaskStillSaysWhyItIsBack) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  Submit("a");
  Fail("w", "a", tree_.now_ms + 1'000);
  Vanish("w");
  Run();
  tree_.now_ms += 1'000;
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  EXPECT_EQ(Stored("a").reason(), task::v1::EXIT_CODE);
  EXPECT_EQ(Stored("a").sentence(), "exit code 1");
}

TEST_F(TimesTest, AMasterThatTakesOverReleasesWhatIsDue) {
  worker::v1::TaskRecord record = Record();
  records::BackToWaiting(&record, task::v1::EXIT_CODE, "exit code 1", tree_.now_ms - 1);
  tree_.Create(paths_.Task("due"), records::Encode(record));
  record.set_not_before(tree_.now_ms + 1'000);
  tree_.Create(paths_.Task("later"), records::Encode(record));
  Start();
  Run(2'000);
  EXPECT_EQ(StateOf("due"), task::v1::WAITING) << "a standby writes nothing";
  Lead();
  EXPECT_EQ(StateOf("due"), task::v1::READY);
  EXPECT_EQ(StateOf("later"), task::v1::WAITING);
  tree_.now_ms += 1'000;
  Run(2'000);
  EXPECT_EQ(StateOf("later"), task::v1::READY);
}

TEST_F(TimesTest, ManyThatAreDueAtOnceAreReleasedInSeveralTurns) {
  StartAndLead({.turn_placements = 10});
  worker::v1::TaskRecord record = Record();
  records::BackToWaiting(&record, task::v1::EXIT_CODE, "", tree_.now_ms + 100);
  for (int i = 0; i < 35; ++i) tree_.Create(paths_.Task("t" + std::to_string(i)), records::Encode(record));
  Run();
  tree_.now_ms += 100;
  Run(2'000);
  for (int i = 0; i < 35; ++i) EXPECT_EQ(StateOf("t" + std::to_string(i)), task::v1::READY) << i;
}

}  // namespace
}  // namespace drover::master::state
