#include "master/scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <map>
#include <string>
#include <vector>

namespace drover::master::scheduler {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kAll = 1u << 20;

TaskFacts Facts(std::uint64_t order, std::uint8_t priority = 0, Labels labels = {}, std::uint32_t losses = 0) {
  return {.queue = "default", .labels = std::move(labels), .priority = priority, .order = order, .losses = losses};
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
  s.SetHolding(TaskRef(0), "w", Facts(0));
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
  s.SetHolding(TaskRef(0), "w", Facts(0));  // the view shows it
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
  s.SetHolding(TaskRef(0), "w", Facts(0));
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
  s.SetHolding(TaskRef(0), "w", Facts(0));
  s.SetHolding(TaskRef(1), "w", Facts(1));
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
  s.SetHolding(TaskRef(0), "w", Facts(0));
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
  s.SetHolding(TaskRef(1), "eu", Facts(1));
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
  for (std::uint32_t i = 1; i <= 2; ++i) s.SetHolding(TaskRef(i), "busy", Facts(i));
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

// ---- order ----

TaskFacts At(std::int64_t submitted_ms, std::uint8_t priority = 0) {
  return {.queue = "default", .priority = priority, .order = 7, .submitted_ms = submitted_ms};
}

TEST(SchedulerTest, WaitingIsWorthAPriorityEveryTenMinutes) {
  Scheduler s;
  constexpr std::int64_t kDay = 86'400'000;
  s.SetWaiting(TaskRef(0), At(kDay + kAgeingStepMs + 1, 1));
  s.SetWaiting(TaskRef(1), At(kDay));
  s.SetWaiting(TaskRef(2), At(kDay + kAgeingStepMs - 1, 1));
  s.SetWaiting(TaskRef(3), At(kDay + 9 * kAgeingStepMs - 2, 9));
  s.PutWorker({.name = "w", .slots = 4});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("3@w", "2@w", "1@w", "0@w"));
}

TEST(SchedulerTest, TasksOfOneMillisecondKeepTheOrderOfTheirSubmissions) {
  Scheduler s;
  for (std::uint32_t i = 0; i < 4; ++i) {
    TaskFacts facts = At(1'700'000'000'000);
    facts.order = (std::uint64_t{5} << 22) + 3 - i;
    s.SetWaiting(TaskRef(i), facts);
  }
  s.PutWorker({.name = "w", .slots = 4});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("3@w", "2@w", "1@w", "0@w"));
}

// ---- queues ----

TaskFacts In(const std::string& queue, std::uint64_t order) {
  return {.queue = queue, .order = order};
}

// How many of 1,000 starts each queue gets on `slots` slots if a task of a lasts `a_ms` and one of b `b_ms`.
std::map<std::string, double> SlotTime(const QueueFacts& a, const QueueFacts& b, std::uint32_t slots, std::int64_t a_ms,
                                       std::int64_t b_ms) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = slots});
  s.PutQueue("a", a);
  s.PutQueue("b", b);
  std::uint32_t last = 0;
  std::map<TaskRef, std::string> queue_of;
  const auto submit = [&](const std::string& queue) {
    const TaskRef ref(last++);
    queue_of[ref] = queue;
    s.SetWaiting(ref, In(queue, ref.value));
  };
  for (std::uint32_t i = 0; i < 2 * slots; ++i) {
    submit("a");
    submit("b");
  }
  std::multimap<std::int64_t, TaskRef> ends;
  std::map<std::string, double> used;
  std::int64_t now = 0;
  for (int decisions = 0; decisions < 1000;) {
    s.Advance(now);
    for (const Placement& p : s.Schedule(kAll).placements) {
      const std::string& queue = queue_of[p.task];
      const std::int64_t ms = queue == "a" ? a_ms : b_ms;
      ends.emplace(now + ms, p.task);
      used[queue] += static_cast<double>(ms);
      submit(queue);  // there is always more
      ++decisions;
    }
    now = ends.begin()->first;
    s.Advance(now);
    s.Forget(ends.begin()->second);
    ends.erase(ends.begin());
  }
  return used;
}

TEST(SchedulerTest, SlotTimeIsSharedByWeight) {
  struct Row {
    std::uint32_t weight_a, weight_b, slots;
    std::int64_t a_ms, b_ms;
  };
  for (const Row& row : {Row{1, 1, 1, 100, 100}, Row{1, 3, 1, 100, 100}, Row{1, 3, 2, 100, 100}, Row{1, 3, 16, 200, 100},
                         Row{5, 1, 4, 1000, 50}, Row{1, 1, 8, 3000, 100}, Row{1000, 1, 2, 50, 50}}) {
    auto used = SlotTime({.weight = row.weight_a}, {.weight = row.weight_b}, row.slots, row.a_ms, row.b_ms);
    const double share = used["a"] / (used["a"] + used["b"]);
    const double due = static_cast<double>(row.weight_a) / (row.weight_a + row.weight_b);
    EXPECT_NEAR(share, due, 0.05) << row.weight_a << ":" << row.weight_b << " on " << row.slots << " slots, tasks of " << row.a_ms
                                  << " and " << row.b_ms << " ms";
  }
}

TEST(SchedulerTest, SlotsThatComeFreeTogetherAreSharedOut) {
  Scheduler s;
  s.PutQueue("b", {.weight = 3});
  for (std::uint32_t i = 0; i < 100; ++i) s.SetWaiting(TaskRef(i), In("a", i));
  for (std::uint32_t i = 100; i < 200; ++i) s.SetWaiting(TaskRef(i), In("b", i));
  s.PutWorker({.name = "w", .slots = 40});
  EXPECT_EQ(s.Schedule(kAll).placements.size(), 40U);
  EXPECT_EQ(s.CountsOf("a").running, 10U);
  EXPECT_EQ(s.CountsOf("b").running, 30U);
  EXPECT_EQ(s.CountsOf("b").waiting, 70U);
}

TEST(SchedulerTest, AQueueThatWasIdleIsOwedNothing) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 1});
  std::uint32_t last = 0;
  const auto run = [&](std::int64_t from, std::int64_t to, bool with_b) {
    std::map<std::string, int> starts;
    for (std::int64_t now = from; now < to; now += 1000) {
      s.Advance(now);
      for (const Placement& p : s.Schedule(kAll).placements) {
        ++starts[p.task.value % 2 == 0 ? "a" : "b"];
        s.Advance(now + 1000);
        s.Forget(p.task);
      }
      last += 2;
      s.SetWaiting(TaskRef(last), In("a", last));
      if (with_b) s.SetWaiting(TaskRef(last + 1), In("b", last + 1));
    }
    return starts;
  };
  run(0, 1'000'000, false);  // a alone, for a thousand seconds
  auto starts = run(1'000'000, 1'100'000, true);
  EXPECT_NEAR(starts["a"], starts["b"], 2);
}

TEST(SchedulerTest, AQueueHasItsCap) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 8});
  s.PutQueue("a", {.running_max = 2});
  for (std::uint32_t i = 0; i < 4; ++i) s.SetWaiting(TaskRef(i), In("a", i));
  s.SetWaiting(TaskRef(9), In("b", 9));
  EXPECT_EQ(s.Schedule(kAll).placements.size(), 3U);
  EXPECT_EQ(s.Explain(TaskRef(2)).reason, WaitReason::kQueueFull);
  EXPECT_EQ(s.Explain(TaskRef(2)).sentence, "as many tasks of its queue a run as may: 2 of 2");
  EXPECT_EQ(s.Place(TaskRef(10), In("a", 10)), std::nullopt);
  EXPECT_EQ(s.Place(TaskRef(11), In("b", 11)), "w") << "a full queue is in nobody else's way";
  s.Forget(TaskRef(0));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w"));
  s.PutQueue("a", {.running_max = 3});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("3@w"));
  s.RemoveQueue("a");
  EXPECT_EQ(s.Place(TaskRef(12), In("a", 12)), "w");
}

TEST(SchedulerTest, APausedQueueStartsNothing) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 2});
  s.PutQueue("a", {.paused = true});
  s.SetWaiting(TaskRef(0), In("a", 0));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  EXPECT_EQ(s.Explain(TaskRef(0)).reason, WaitReason::kQueuePaused);
  EXPECT_EQ(s.Place(TaskRef(1), In("b", 1)), "w");
  s.PutQueue("a", {});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
}

TEST(SchedulerTest, AQueueStartsNotMoreThanItsRate) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 100});
  s.Advance(5'000);
  s.PutQueue("a", {.starts_per_second = 4, .burst = 3});
  for (std::uint32_t i = 0; i < 50; ++i) s.SetWaiting(TaskRef(i), In("a", i));
  Plan plan = s.Schedule(kAll);
  EXPECT_EQ(plan.placements.size(), 1U) << "no burst before something was saved up";
  EXPECT_EQ(plan.again_at_ms, 5'250);
  EXPECT_EQ(s.Explain(TaskRef(1)).sentence, "its queue a starts not more than 4 tasks a second");
  s.Advance(5'249);
  EXPECT_EQ(s.Schedule(kAll).placements.size(), 0U);
  s.Advance(5'250);
  EXPECT_EQ(s.Schedule(kAll).placements.size(), 1U);
  s.Advance(60'000);
  EXPECT_EQ(s.Schedule(kAll).placements.size(), 3U) << "a burst";
  std::size_t started = 0;
  for (std::int64_t now = 60'000; now <= 65'000; now += 10) {
    s.Advance(now);
    started += s.Schedule(kAll).placements.size();
  }
  EXPECT_EQ(started, 20U);
}

// ---- keys ----

TaskFacts Keyed(const std::string& key, std::uint32_t max, std::uint64_t order, Labels labels = {}) {
  return {.queue = "default", .labels = std::move(labels), .order = order, .key = key, .key_max = max};
}

TEST(SchedulerTest, OfOneKeyOnlySoManyRun) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 9});
  for (std::uint32_t i = 0; i < 5; ++i) s.SetWaiting(TaskRef(i), Keyed("db", 2, i));
  s.SetWaiting(TaskRef(5), Keyed("other", 1, 5));
  s.SetWaiting(TaskRef(6), Facts(6));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w", "1@w", "5@w", "6@w"));
  EXPECT_EQ(s.Explain(TaskRef(2)).reason, WaitReason::kKeyBusy);
  EXPECT_EQ(s.Explain(TaskRef(2)).sentence, "as many tasks of its key db run as may: 2 of 2");
  EXPECT_EQ(s.waiting(), 3U);
  EXPECT_EQ(s.Place(TaskRef(8), Keyed("db", 2, 8)), std::nullopt);
  s.Forget(TaskRef(3));  // cancelled while it was held back
  s.Forget(TaskRef(0));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w"));
  s.Forget(TaskRef(1));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("4@w"));
  EXPECT_EQ(s.waiting(), 0U);
}

TEST(SchedulerTest, AKeyThatIsFreeIsNotKeptByOneThatCannotRun) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 9});
  s.SetHolding(TaskRef(0), "w", Keyed("db", 1, 0));
  s.SetWaiting(TaskRef(1), Keyed("db", 1, 1, {{"gpu", "1"}}));
  s.SetWaiting(TaskRef(2), Keyed("db", 1, 2));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.Forget(TaskRef(0));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w"));
}

// ---- resources and rules ----

TaskFacts Wanting(Resources resources, std::uint64_t order) {
  return {.queue = "default", .order = order, .resources = std::move(resources)};
}

TEST(SchedulerTest, AWorkersResourcesAreNeverOversold) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 9, .resources = {{"cpu", 4000}, {"memory", 1000}}});
  s.SetWaiting(TaskRef(0), Wanting({{"cpu", 1500}}, 0));
  s.SetWaiting(TaskRef(1), Wanting({{"cpu", 1500}, {"memory", 600}}, 1));
  s.SetWaiting(TaskRef(2), Wanting({{"cpu", 1500}}, 2));
  s.SetWaiting(TaskRef(3), Wanting({{"memory", 500}}, 3));
  s.SetWaiting(TaskRef(4), Wanting({{"gpu", 1000}}, 4));
  s.SetWaiting(TaskRef(5), Facts(5));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w", "1@w", "5@w"));
  EXPECT_EQ(s.Explain(TaskRef(2)).workers.at(0).sentence, "has only 1 of 1.5 cpu free; 3 of 9 slots are used");
  EXPECT_EQ(s.Explain(TaskRef(4)).reason, WaitReason::kNoMatchingWorker);
  EXPECT_EQ(s.Explain(TaskRef(4)).workers.at(0).sentence, "has only 0 of 1 gpu");
  EXPECT_EQ(s.TakenOf("w"), (Resources{{"cpu", 3000}, {"memory", 600}}));
  s.Forget(TaskRef(1));
  EXPECT_EQ(s.TakenOf("w"), (Resources{{"cpu", 1500}}));
  EXPECT_EQ(s.TakenOf("nobody"), Resources());
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w", "3@w"));
  constexpr std::int64_t kGi = (std::int64_t{1} << 30) * 1000;
  s.SetWaiting(TaskRef(6), Wanting({{"disk", 16 * kGi}}, 6));
  s.PutWorker({.name = "v", .slots = 1, .resources = {{"disk", 8 * kGi}}});
  EXPECT_EQ(s.Explain(TaskRef(6)).workers.at(0).sentence, "has only 8Gi of 16Gi disk");
}

TEST(SchedulerTest, AWorkerIsEmptiedForALargeTaskThatStarves) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 9, .resources = {{"cpu", 4000}}});
  std::uint32_t small = 100;
  const auto fill = [&](std::int64_t now) {
    s.Advance(now);
    s.SetWaiting(TaskRef(small), Wanting({{"cpu", 1000}}, small));
    ++small;
    return s.Schedule(kAll);
  };
  for (int i = 0; i < 4; ++i) (void)fill(1'000);
  s.SetWaiting(TaskRef(0), Wanting({{"cpu", 3000}}, 0));
  EXPECT_EQ(s.Schedule(kAll).again_at_ms, 1'000 + kReserveAfterMs);
  s.Forget(TaskRef(100));
  EXPECT_THAT(Shown(fill(2'000)), ElementsAre("104@w")) << "smaller ones pass it for a while";
  s.Advance(1'000 + kReserveAfterMs);
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  for (std::uint32_t ended : {101U, 102U}) {
    s.Forget(TaskRef(ended));
    EXPECT_TRUE(fill(1'000 + kReserveAfterMs).placements.empty()) << "its room is kept";
  }
  s.Forget(TaskRef(103));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@w"));
}

TEST(SchedulerTest, AReservationIsNotHeldByAPausedQueue) {
  Scheduler s;
  s.PutWorker({.name = "w", .slots = 2, .resources = {{"cpu", 2000}}});
  s.SetHolding(TaskRef(1), "w", Wanting({{"cpu", 1000}}, 1));
  s.SetWaiting(TaskRef(0), {.queue = "a", .resources = {{"cpu", 2000}}});
  (void)s.Schedule(kAll);
  s.Advance(kReserveAfterMs + 1);
  (void)s.Schedule(kAll);
  s.SetWaiting(TaskRef(2), Facts(2));
  EXPECT_TRUE(s.Schedule(kAll).placements.empty());
  s.PutQueue("a", {.paused = true});
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("2@w"));
}

TEST(SchedulerTest, AQueueThatPacksFillsOneWorkerAfterTheOther) {
  Scheduler s;
  for (const char* name : {"a", "b", "c"}) s.PutWorker({.name = name, .slots = 2});
  s.PutQueue("default", {.pack = true});
  s.SetHolding(TaskRef(9), "b", Facts(9));
  for (std::uint32_t i = 0; i < 4; ++i) s.SetWaiting(TaskRef(i), Facts(i));
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@b", "1@c", "2@c", "3@a"));
}

TEST(SchedulerTest, LabelRules) {
  const Labels have = {{"cores", "16"}, {"zone", "eu"}};
  using Op = LabelOperator;
  struct Row {
    LabelRule rule;
    bool holds;
    std::string text;
  };
  for (const Row& row : {
           Row{{"zone", Op::kIn, {"us", "eu"}}, true, "zone in (us, eu)"},
           Row{{"zone", Op::kIn, {"us"}}, false, "zone=us"},
           Row{{"rack", Op::kIn, {"1"}}, false, "rack=1"},
           Row{{"zone", Op::kNotIn, {"us"}}, true, "zone!=us"},
           Row{{"zone", Op::kNotIn, {"us", "eu"}}, false, "zone notin (us, eu)"},
           Row{{"rack", Op::kNotIn, {"1"}}, true, "rack!=1"},
           Row{{"zone", Op::kExists, {}}, true, "zone"},
           Row{{"rack", Op::kExists, {}}, false, "rack"},
           Row{{"zone", Op::kMissing, {}}, false, "!zone"},
           Row{{"rack", Op::kMissing, {}}, true, "!rack"},
           Row{{"cores", Op::kAbove, {"8"}}, true, "cores>8"},
           Row{{"cores", Op::kAbove, {"16"}}, false, "cores>16"},
           Row{{"cores", Op::kBelow, {"16.5"}}, true, "cores<16.5"},
           Row{{"zone", Op::kAbove, {"1"}}, false, "zone>1"},
           Row{{"rack", Op::kBelow, {"1"}}, false, "rack<1"},
       }) {
    EXPECT_EQ(Satisfies(have, row.rule), row.holds) << row.text;
    EXPECT_EQ(RuleText(row.rule), row.text);
  }
}

TEST(SchedulerTest, RulesChooseTheWorkers) {
  Scheduler s;
  s.PutWorker({.name = "a", .slots = 9, .labels = {{"cores", "4"}}});
  s.PutWorker({.name = "b", .slots = 9, .labels = {{"cores", "32"}}});
  TaskFacts facts = Facts(0);
  facts.rules = {{"cores", LabelOperator::kAbove, {"8"}}};
  s.SetWaiting(TaskRef(0), facts);
  facts.rules = {{"cores", LabelOperator::kAbove, {"64"}}};
  s.SetWaiting(TaskRef(1), facts);
  EXPECT_THAT(Shown(s.Schedule(kAll)), ElementsAre("0@b"));
  EXPECT_EQ(s.Explain(TaskRef(1)).workers.at(0).sentence, "has not the label cores>64");
}

// ---- cost ----

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

TEST(SchedulerTest, AKeyThatMillionsWaitForCostsNothingMore) {
  const auto steps = [](std::uint32_t waiting) {
    Scheduler s;
    s.PutWorker({.name = "w", .slots = 10});
    for (std::uint32_t i = 0; i < waiting; ++i) s.SetWaiting(TaskRef(i), Keyed("db", 3, i));
    std::vector<Placement> running = s.Schedule(kAll).placements;
    EXPECT_EQ(running.size(), 3U);
    const std::uint64_t before = s.steps();
    for (std::size_t i = 0; i < 100; ++i) {
      s.Forget(running[i].task);
      for (Placement& p : s.Schedule(kAll).placements) running.push_back(std::move(p));
    }
    EXPECT_EQ(running.size(), 103U);
    return s.steps() - before;
  };
  EXPECT_EQ(steps(1'000), steps(100'000));
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
