#include "master/scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

namespace drover::master::scheduler {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kAll = 1u << 20;

TaskFacts Facts(std::uint64_t order, std::uint8_t priority = 0, Labels labels = {}, std::uint32_t losses = 0) {
  return {"default", std::move(labels), priority, order, losses};
}

std::vector<std::string> Shown(const Plan& plan) {
  std::vector<std::string> shown;
  for (const Placement& p : plan.placements) shown.push_back(std::to_string(p.task.value) + "@" + p.worker);
  return shown;
}

TEST(SchedulerTest, HigherPriorityFirstThenEarlierSubmission) {
  Scheduler s;
  s.SetWaiting(TaskRef(1), Facts(10));
  s.SetWaiting(TaskRef(2), Facts(20, 9));
  s.SetWaiting(TaskRef(3), Facts(5));
  s.SetWaiting(TaskRef(4), Facts(30, 9));
  s.PutWorker({.name = "w", .slots = 3});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w", "4@w", "3@w"));
  s.Forget(TaskRef(2));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("1@w"));
}

TEST(SchedulerTest, WorkIsSpreadLeastLoadedFirstThenByName) {
  Scheduler s;
  s.PutWorker({.name = "b", .slots = 2});
  s.PutWorker({.name = "a", .slots = 4});
  for (std::uint32_t i = 0; i < 7; ++i) s.SetWaiting(TaskRef(i), Facts(i));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@a", "1@b", "2@a", "3@a", "4@b", "5@a"));
  EXPECT_EQ(s.Used("a"), 4U);
  EXPECT_EQ(s.waiting(), 1U);
}

TEST(SchedulerTest, ATaskGoesOnlyWhereAllItsLabelsAre) {
  Scheduler s;
  s.PutWorker({.name = "plain", .slots = 9});
  s.PutWorker({.name = "gpu", .slots = 9, .labels = {{"gpu", "a100"}, {"zone", "eu"}}});
  s.SetWaiting(TaskRef(0), Facts(0, 0, {{"gpu", "a100"}}));
  s.SetWaiting(TaskRef(1), Facts(1, 0, {{"gpu", "h100"}}));
  s.SetWaiting(TaskRef(2), Facts(2, 0, {{"gpu", "a100"}, {"zone", "eu"}}));
  s.SetWaiting(TaskRef(3), Facts(3));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@gpu", "2@gpu", "3@plain"));
}

TEST(SchedulerTest, ATaskThatCannotRunAnywhereHoldsNobodyUp) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 1});
  s.SetWaiting(TaskRef(0), Facts(0, 9, {{"no", "such"}}));
  s.SetWaiting(TaskRef(1), Facts(1));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("1@w"));
}

TEST(SchedulerTest, ADrainingWorkerGetsNothingAndItsTasksStay) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 4});
  s.SetHolding(TaskRef(0), "w", false);
  s.PutWorker({.name = "w", .slots = 4, .takes_work = false});
  s.SetWaiting(TaskRef(1), Facts(1));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  EXPECT_EQ(s.Used("w"), 1U);
  EXPECT_EQ(s.Explain(TaskRef(1)).reason, WaitReason::kMatchingDraining);
}

TEST(SchedulerTest, WhatIsPlannedIsNotPlannedTwice) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 1});
  s.SetWaiting(TaskRef(0), Facts(0));
  s.SetWaiting(TaskRef(1), Facts(1));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.SetHolding(TaskRef(0), "w", false);  // the view shows it
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
}

TEST(SchedulerTest, ARefusedPlacementKeepsItsTurn) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 1});
  s.SetWaiting(TaskRef(0), Facts(0));
  s.SetWaiting(TaskRef(1), Facts(1));
  ASSERT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
  s.SetWaiting(TaskRef(0), Facts(0));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
}

TEST(SchedulerTest, ASlotIsHeldByATaskOfAWorkerThatIsGone) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 1});
  s.SetHolding(TaskRef(0), "w", false);
  s.RemoveWorker("w");
  EXPECT_EQ(s.Used("w"), 1U);
  s.PutWorker({.name = "w", .slots = 1});  // the next process of that name
  s.SetWaiting(TaskRef(1), Facts(1));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.SetWaiting(TaskRef(0), Facts(0));  // taken back
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
}

TEST(SchedulerTest, ASuspectRunsAloneOnItsWorker) {
  Scheduler s;
  s.PutWorker({.name = "a", .slots = 4});
  s.PutWorker({.name = "b", .slots = 4});
  s.SetWaiting(TaskRef(0), Facts(0, 0, {}, kLossesAlone));
  for (std::uint32_t i = 1; i < 6; ++i) s.SetWaiting(TaskRef(i), Facts(i));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@a", "1@b", "2@b", "3@b", "4@b"));
  s.Forget(TaskRef(0));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("5@a"));
}

TEST(SchedulerTest, AWorkerIsEmptiedForASuspectWhenItIsItsTurn) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 2});
  s.SetHolding(TaskRef(0), "w", false);
  s.SetHolding(TaskRef(1), "w", false);
  s.SetWaiting(TaskRef(2), Facts(2, 0, {}, kLossesAlone));
  s.SetWaiting(TaskRef(3), Facts(3));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.Forget(TaskRef(0));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty()) << "the free slot is kept for the suspect";
  EXPECT_EQ(s.Explain(TaskRef(2)).reason, WaitReason::kNeedsIdleWorker);
  s.Forget(TaskRef(1));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w"));
  s.Forget(TaskRef(2));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("3@w"));
}

TEST(SchedulerTest, AReservationEndsWithTheSuspectOrTheWorker) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 2});
  s.SetHolding(TaskRef(0), "w", false);
  s.SetWaiting(TaskRef(1), Facts(1, 0, {}, kLossesAlone));
  s.SetWaiting(TaskRef(2), Facts(2));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.Forget(TaskRef(1));  // cancelled
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w"));

  s.SetWaiting(TaskRef(1), Facts(1, 0, {}, kLossesAlone));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.RemoveWorker("w");
  s.PutWorker({.name = "x", .slots = 1});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("1@x"));
}

TEST(SchedulerTest, FiveLossesAreTheEnd) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 1});
  s.SetWaiting(TaskRef(7), Facts(0, 0, {}, kLossesQuarantine));
  EXPECT_EQ(s.Explain(TaskRef(7)).reason, WaitReason::kQuarantined);
  const Plan plan = s.Schedule(kAll);
  EXPECT_THAT(plan.quarantined, ElementsAre(TaskRef(7)));
  EXPECT_TRUE(plan.placements.empty());
  EXPECT_TRUE(s.Schedule(kAll).quarantined.empty()) << "said once";
}

TEST(SchedulerTest, ALimitedPlanSaysThereIsMore) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 5});
  for (std::uint32_t i = 0; i < 5; ++i) s.SetWaiting(TaskRef(i), Facts(i));
  Plan plan = s.Schedule(2);
  EXPECT_THAT(Shown(plan), ElementsAre("0@w", "1@w"));
  EXPECT_TRUE(plan.more);
  plan = s.Schedule(3);
  EXPECT_THAT(Shown(plan), ElementsAre("2@w", "3@w", "4@w"));
  EXPECT_FALSE(plan.more);
}

TEST(SchedulerTest, ANewTaskIsPlacedAtOnceOnlyIfNobodyHasABetterClaim) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 2});
  EXPECT_EQ(s.Place(TaskRef(0), Facts(0)), "w");
  EXPECT_EQ(s.Used("w"), 1U);
  s.SetWaiting(TaskRef(1), Facts(1));
  EXPECT_EQ(s.Place(TaskRef(2), Facts(2)), std::nullopt);
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("1@w"));
  EXPECT_EQ(s.Place(TaskRef(2), Facts(2)), std::nullopt);
  EXPECT_EQ(s.Explain(TaskRef(2)).reason, WaitReason::kNotWaiting);
}

TEST(SchedulerTest, EveryWaitIsExplained) {
  Scheduler s;
  s.SetWaiting(TaskRef(0), Facts(0, 0, {{"zone", "eu"}}));
  EXPECT_EQ(s.Explain(TaskRef(0)).reason, WaitReason::kNext);
  (void)s.Schedule(kAll);
  EXPECT_EQ(s.Explain(TaskRef(0)).reason, WaitReason::kNoWorkers);
  s.PutWorker({.name = "us", .slots = 1, .labels = {{"zone", "us"}}});
  (void)s.Schedule(kAll);
  EXPECT_EQ(s.Explain(TaskRef(0)).reason, WaitReason::kNoMatchingWorker);
  s.PutWorker({.name = "eu", .slots = 1, .labels = {{"zone", "eu"}}});
  s.SetHolding(TaskRef(1), "eu", false);
  (void)s.Schedule(kAll);
  EXPECT_EQ(s.Explain(TaskRef(0)).reason, WaitReason::kBusy);
  s.Forget(TaskRef(1));
  ASSERT_EQ(s.Schedule(kAll).placements.size(), 1U);
  EXPECT_EQ(s.Explain(TaskRef(0)).reason, WaitReason::kNotWaiting);
}

TEST(SchedulerTest, AWaitIsExplainedWorkerByWorker) {
  Scheduler s;
  s.PutWorker({.name = "busy", .slots = 2, .labels = {{"zone", "eu"}}});
  s.PutWorker({.name = "draining", .slots = 2, .labels = {{"zone", "eu"}}, .takes_work = false});
  s.PutWorker({.name = "other", .slots = 2, .labels = {{"zone", "us"}}});
  for (std::uint32_t i = 1; i <= 2; ++i) s.SetHolding(TaskRef(i), "busy", false);
  for (std::uint32_t i = 3; i <= 5; ++i) s.SetWaiting(TaskRef(i), Facts(i, 0, {{"disk", "ssd"}, {"zone", "eu"}}));
  for (std::uint32_t i = 6; i <= 7; ++i) s.SetWaiting(TaskRef(i), Facts(i, 0, {{"zone", "eu"}}));
  (void)s.Schedule(kAll);
  const auto shown = [&](std::uint32_t task) {
    std::vector<std::string> lines;
    for (const WorkerVerdict& v : s.Explain(TaskRef(task)).workers) {
      lines.push_back(v.worker + (v.suits ? " suits: " : " does not: ") + v.sentence);
    }
    return lines;
  };
  EXPECT_THAT(shown(7), ElementsAre("busy suits: is busy: 2 of 2 slots are used", "draining suits: takes no more work",
                                    "other does not: has not the label zone=eu"));
  EXPECT_THAT(shown(5), ElementsAre("busy does not: has not the label disk=ssd", "draining does not: has not the label disk=ssd",
                                    "other does not: has not the label disk=ssd, zone=eu"));
  EXPECT_EQ(s.Explain(TaskRef(3)).ahead, 0U);
  EXPECT_EQ(s.Explain(TaskRef(5)).ahead, 2U);
  EXPECT_EQ(s.Explain(TaskRef(7)).ahead, 1U) << "of those that can run in the same places";
}

TEST(SchedulerTest, ALabelChangeMovesTheWorkerToOtherWork) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 2, .labels = {{"zone", "us"}}});
  s.SetWaiting(TaskRef(0), Facts(0, 0, {{"zone", "eu"}}));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.PutWorker({.name = "w", .slots = 2, .labels = {{"zone", "eu"}}});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
}

// Steps of starting and ending `decisions` tasks one by one while `waiting` others wait.
std::uint64_t StepsOfDecisions(std::uint32_t waiting, std::uint32_t decisions) {
  Scheduler s;
  for (int w = 0; w < 10; ++w)
    s.PutWorker({.name = "w" + std::to_string(w), .slots = 1, .labels = {{"zone", w % 2 == 0 ? "eu" : "us"}}});
  for (std::uint32_t i = 0; i < waiting; ++i) {
    const bool picky = i % 3 == 0;
    s.SetWaiting(TaskRef(i),
                 Facts(i, static_cast<std::uint8_t>(i % 10), picky ? Labels{{"zone", i % 2 == 0 ? "eu" : "us"}} : Labels{}));
  }
  std::vector<Placement> running = s.Schedule(kAll).placements;
  const std::uint64_t before = s.steps();
  for (std::uint32_t i = 0; i < decisions; ++i) {
    s.Forget(running[i].task);
    for (Placement& p : s.Schedule(kAll).placements) running.push_back(std::move(p));
  }
  return s.steps() - before;
}

TEST(SchedulerTest, ADecisionCostsTheSameWithAThousandOrThreeHundredThousandWaiting) {
  const std::uint64_t few = StepsOfDecisions(1'000, 500);
  const std::uint64_t many = StepsOfDecisions(300'000, 500);
  EXPECT_LE(many, few + few / 10);
  EXPECT_LT(many / 500, 20U);
}

TEST(SchedulerTest, AWaitingTaskTakesLessThanAHundredAndFiftyBytes) {
  constexpr std::uint32_t kTasks = 200'000;
  const auto before = mallinfo2().uordblks + mallinfo2().hblkhd;
  Scheduler s;
  for (std::uint32_t i = 0; i < kTasks; ++i) s.SetWaiting(TaskRef(i), Facts(i));
  const auto used = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / kTasks;
  RecordProperty("bytes_per_waiting_task", static_cast<int>(used));
  std::cout << "bytes per waiting task: " << used << "\n";
  EXPECT_LT(used, 150U);
}

}  // namespace
}  // namespace drover::master::scheduler
