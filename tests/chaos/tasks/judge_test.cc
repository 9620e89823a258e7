#include "tests/chaos/tasks/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drover::chaos::tasks {
namespace {

using client::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TaskJudgeTest : public ::testing::Test {
 protected:
  TaskJudgeTest() {
    order_.spec.id = "t";
    order_.spec.argv = {"sh", "-c", "true"};
    order_.ends = {State::kSucceeded};
    story_.order = &order_;
    story_.states = {State::kReady, State::kSucceeded};
    story_.last.id = "t";
    story_.last.state = State::kSucceeded;
    story_.last.fence = 7;
    begins_ = {{"t", 1, 7, 1'000}};
  }
  [[nodiscard]] std::vector<std::string> Faults() const { return Judge({story_}, begins_); }

  Order order_;
  Story story_;
  std::vector<Begin> begins_;
};

TEST_F(TaskJudgeTest, WhatGoesTogetherHasNoFaults) {
  EXPECT_THAT(Faults(), IsEmpty());
  begins_.push_back({"t", 2, 9, 2'000});  // a copy that was cut off
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(TaskJudgeTest, AnEndIsTheOnlyOneAndTheRightOne) {
  story_.states = {State::kFailed, State::kSucceeded};
  EXPECT_THAT(Faults(), ElementsAre("task t: it was told to be FAILED and then SUCCEEDED"));
  story_.states = {State::kFailed};
  story_.last.state = State::kFailed;
  EXPECT_THAT(Faults(), ElementsAre(HasSubstr("task t: it is FAILED")));
  story_.last.state = State::kRunning;
  EXPECT_THAT(Faults(), ElementsAre("task t: it has not ended: RUNNING"));
}

TEST_F(TaskJudgeTest, AnAttemptBeginsOnce) {
  begins_.push_back({"t", 1, 7, 1'100});
  EXPECT_THAT(Faults(), ElementsAre("task t: attempt of fence 7 began twice"));
}

TEST_F(TaskJudgeTest, AtMostOnceIsAtMostOnce) {
  order_.spec.at_most_once = true;
  begins_.push_back({"t", 2, 9, 1'100});
  EXPECT_THAT(Faults(), ElementsAre("task t: it runs at most once, and began 2 times"));
  order_.ends.push_back(State::kLost);
  story_.states = {State::kLost};
  story_.last.state = State::kLost;
  begins_.clear();
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(TaskJudgeTest, WhatSucceededHasRun) {
  begins_.clear();
  EXPECT_THAT(Faults(), ElementsAre("task t: it is SUCCEEDED (NONE) and began 0 times",
                                    "task t: it succeeded with fence 7, and no such attempt began"));
}

TEST_F(TaskJudgeTest, WhatMustNotRunHasNot) {
  order_.runs = false;
  order_.ends = {State::kCancelled};
  order_.reason = client::Reason::kDependency;
  story_.states = {State::kCancelled};
  story_.last.state = State::kCancelled;
  story_.last.reason = client::Reason::kCancelledByUser;
  EXPECT_THAT(Faults(), ElementsAre("task t: it is CANCELLED for CANCELLED_BY_USER", "task t: it began, and should never have"));
}

TEST_F(TaskJudgeTest, NothingBeginsBeforeItsTime) {
  order_.spec.delay = std::chrono::milliseconds(1'000);
  story_.submitted_ms = 500;
  EXPECT_THAT(Faults(), ElementsAre("task t: it began 500 ms before its delay was over"));
  order_.spec.delay = {};
  Order before;
  before.spec.id = "before";
  before.spec.argv = {"true"};
  before.ends = {State::kSucceeded};
  Story first;
  first.order = &before;
  first.last.state = State::kSucceeded;
  first.last.fence = 5;
  first.last.finished_at_ms = 1'900;
  order_.after = "before";
  begins_.push_back({"before", 1, 5, 800});
  EXPECT_THAT(Judge({first, story_}, begins_), ElementsAre("task t: it began 900 ms before before ended"));
}

TEST_F(TaskJudgeTest, AnArraysElementsAddUpAndEachBegan) {
  order_.elements = 3;
  order_.elements_failed = 1;
  story_.last.array = client::ArrayProgress{.elements = 3, .succeeded = 2, .failed = 1};
  begins_ = {{"t:0", 1, 1, 1}, {"t:1", 1, 2, 1}, {"t:2", 1, 3, 1}};
  EXPECT_THAT(Faults(), IsEmpty());
  story_.last.array->failed = 2;
  begins_.pop_back();
  EXPECT_THAT(Faults(), ElementsAre(HasSubstr("2 succeeded, 2 failed"), "task t: 2 of its 3 elements began"));
}

TEST_F(TaskJudgeTest, AScheduleFiresEachTimeOnce) {
  client::Schedule schedule;
  schedule.name = "s";
  schedule.every = std::chrono::seconds(1);
  schedule.created_at_ms = 500;
  schedule.last_at_ms = 3'500;
  schedule.fired = 3;
  std::vector<Begin> begins = {{"s.1", 1, 1, 1}, {"s.2", 1, 2, 1}, {"other.1", 1, 3, 1}};
  EXPECT_THAT(JudgeSchedule(schedule, begins), IsEmpty());
  begins.push_back({"s.2", 2, 9, 1});
  schedule.fired = 4;
  EXPECT_THAT(JudgeSchedule(schedule, begins), ElementsAre("schedule s: it fired 4 times, and 3 times have passed",
                                                           "schedule s: task s.2 runs at most once, and began 2 times"));
}

TEST_F(TaskJudgeTest, AWitnessIsReadAndWhatIsNoneIsAFault) {
  std::vector<std::string> faults;
  const std::vector<Begin> begins = ReadWitness("t 1 7 1000\nt:3 2 9 1001\n\nt 1 7\n", &faults);
  ASSERT_EQ(begins.size(), 2U);
  EXPECT_EQ(begins[1].task, "t:3");
  EXPECT_EQ(begins[1].fence, 9U);
  EXPECT_THAT(faults, ElementsAre("a line of the witness file is none: t 1 7"));
}

}  // namespace
}  // namespace drover::chaos::tasks
