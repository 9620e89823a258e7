// Schedules: each time is fired once, whoever leads.
#include "master/records/schedule.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "master/records/record_limits.h"
#include "tests/master/state/planner_fixture.h"

namespace drover::master::state {
namespace {

using Kind = SubmitResult::Kind;

class ScheduleTest : public PlannerFixture {
 protected:
  static task::v1::ScheduleSpec Spec(const std::string& name, std::int64_t every_ms = 10'000) {
    task::v1::ScheduleSpec spec;
    spec.set_name(name);
    spec.set_every_ms(every_ms);
    spec.mutable_program()->add_argv("true");
    return spec;
  }
  absl::Status Answer(const std::function<void(absl::AnyInvocable<void(absl::Status)>)>& call) {
    absl::Status answer = absl::UnknownError("not answered");
    call([&](absl::Status a) { answer = std::move(a); });
    Run();
    return answer;
  }
  absl::Status Set(const task::v1::ScheduleSpec& spec, bool replace = false) {
    return Answer([&](auto done) { planner_->SetSchedule(spec, replace, std::move(done)); });
  }
  absl::Status Pause(const std::string& name, bool paused) {
    return Answer([&](auto done) { planner_->PauseSchedule(name, paused, std::move(done)); });
  }
  worker::v1::ScheduleRecord Record(const std::string& name) const { return view_->FindSchedule(name)->record; }
  [[nodiscard]] int Tasks(const std::string& schedule) const {
    int count = 0;
    for (const auto& [czxid, ref] : view_->by_submission()) count += absl::StartsWith(view_->At(ref)->id, schedule + ".") ? 1 : 0;
    return count;
  }
};

TEST_F(ScheduleTest, ItSubmitsItsTaskEachTime) {
  StartAndLead();
  Join("w", "p1", 8);
  ASSERT_TRUE(Set(Spec("s")).ok());
  EXPECT_EQ(Tasks("s"), 0);
  Pass(10'000);
  EXPECT_EQ(Tasks("s"), 1);
  EXPECT_EQ(StateOf(Record("s").last_task()), task::v1::ASSIGNED);
  Pass(30'000);
  EXPECT_EQ(Tasks("s"), 4);
  EXPECT_EQ(Record("s").fired(), 4U);
  EXPECT_EQ(Stored(Record("s").last_task()).policy().name(), "s");
}

TEST_F(ScheduleTest, TheNextMasterGoesOnWhereTheLastOneStopped) {
  StartAndLead();
  ASSERT_TRUE(Set(Spec("s")).ok());
  task::v1::ScheduleSpec all = Spec("all");
  all.set_missed(task::v1::ScheduleSpec::ALL);
  ASSERT_TRUE(Set(all).ok());
  Pass(25'000);
  EXPECT_EQ(Tasks("s"), 2);
  planner_->StopLeading();
  tree_.Delete(candidate_);
  Pass(60'000);
  EXPECT_EQ(Tasks("s"), 2);
  Lead();
  Pass(2'000);
  EXPECT_EQ(Tasks("s"), 3) << "of what was missed the last is made up for";
  EXPECT_EQ(Tasks("all"), 8) << "or all of it";
}

TEST_F(ScheduleTest, TwoOfOneNameAreOneIfTheyAreTheSame) {
  StartAndLead();
  ASSERT_TRUE(Set(Spec("s")).ok());
  Pass(10'000);
  const auto before = Record("s");
  EXPECT_TRUE(Set(Spec("s")).ok());
  EXPECT_EQ(Record("s").created_ms(), before.created_ms());
  EXPECT_TRUE(absl::IsAlreadyExists(Set(Spec("s", 5'000))));
  EXPECT_EQ(Record("s").spec().every_ms(), 10'000);
  EXPECT_TRUE(Set(Spec("s", 5'000), /*replace=*/true).ok());
  EXPECT_EQ(Record("s").spec().every_ms(), 5'000);
  EXPECT_EQ(Record("s").fired(), 1U);
  Pass(5'000);
  EXPECT_EQ(Record("s").fired(), 2U);
}

TEST_F(ScheduleTest, WhatPassesWhileItIsPausedIsNotMadeUpFor) {
  StartAndLead();
  ASSERT_TRUE(Set(Spec("s")).ok());
  ASSERT_TRUE(Pause("s", true).ok());
  Pass(35'000);
  EXPECT_EQ(Tasks("s"), 0);
  ASSERT_TRUE(Pause("s", false).ok());
  Pass(1'000);
  EXPECT_EQ(Tasks("s"), 0);
  Pass(10'000);
  EXPECT_EQ(Tasks("s"), 1);
  EXPECT_TRUE(absl::IsNotFound(Pause("nobody", true)));
}

TEST_F(ScheduleTest, DeletedItSubmitsNothingMore) {
  StartAndLead();
  ASSERT_TRUE(Set(Spec("s")).ok());
  Pass(10'000);
  EXPECT_TRUE(Answer([&](auto done) { planner_->DeleteSchedule("s", std::move(done)); }).ok());
  Pass(30'000);
  EXPECT_EQ(Tasks("s"), 1);
  EXPECT_TRUE(absl::IsNotFound(Answer([&](auto done) { planner_->DeleteSchedule("s", std::move(done)); })));
}

TEST_F(ScheduleTest, ItsTaskCanBeSubmittedBesides) {
  StartAndLead();
  ASSERT_TRUE(Set(Spec("s")).ok());
  for (int i = 0; i < 2; ++i) {  // the second is another try
    std::optional<Kind> kind;
    planner_->RunSchedule("s", 7, [&](absl::StatusOr<std::string> id, const SubmitResult& result) {
      ASSERT_TRUE(id.ok());
      EXPECT_EQ(*id, "s.run-0000000000000007");
      kind = result.kind;
    });
    Run();
    EXPECT_EQ(kind, i == 0 ? Kind::kDone : Kind::kExisted);
  }
  EXPECT_EQ(Tasks("s"), 1);
  EXPECT_EQ(Record("s").fired(), 0U) << "its timetable goes on as it is";
  absl::Status missing;
  planner_->RunSchedule("nobody", 7, [&](absl::StatusOr<std::string> id, const SubmitResult&) { missing = id.status(); });
  Run();
  EXPECT_TRUE(absl::IsNotFound(missing));
}

TEST_F(ScheduleTest, AFullQueueTakesItLater) {
  StartAndLead({.waiting_max = 1});
  ASSERT_TRUE(Set(Spec("s")).ok());
  EXPECT_EQ(Submit("a").kind, Kind::kDone);
  Pass(15'000);
  EXPECT_EQ(Tasks("s"), 0);
  EXPECT_EQ(planner_->WhyHeldBack("s"), "the pool is full: 1 of its tasks wait; try again later");
  Cancel("a");
  Pass(2'000);
  EXPECT_EQ(Tasks("s"), 1);
}

TEST_F(ScheduleTest, AnotherTaskOfItsIdIsNotItsOwn) {
  StartAndLead();
  ASSERT_TRUE(Set(Spec("s")).ok());
  const std::string id = records::FiringId("s", Record("s").created_ms() + 10'000);
  EXPECT_EQ(Submit(id).kind, Kind::kDone);
  Pass(15'000);
  EXPECT_EQ(Record("s").fired(), 0U);
  EXPECT_EQ(Record("s").last_task(), "");
  EXPECT_EQ(Record("s").note(), "left out: another task has the id " + id);
  Pass(10'000);
  EXPECT_EQ(Record("s").fired(), 1U);
  EXPECT_EQ(Record("s").note(), "");
}

TEST_F(ScheduleTest, ManyThatAreDueAtOnceAllFire) {
  StartAndLead();
  for (int i = 0; i < 200; ++i) {
    planner_->SetSchedule(Spec("s" + std::to_string(i)), false, [](absl::Status s) { EXPECT_TRUE(s.ok()) << s; });
  }
  Run();
  Pass(12'000);
  EXPECT_EQ(view_->tasks(), 200U);
}

TEST_F(ScheduleTest, WhatWillNotDoIsRefused) {
  StartAndLead();
  EXPECT_TRUE(absl::IsInvalidArgument(Set(Spec("a/b"))));
  EXPECT_TRUE(absl::IsInvalidArgument(Set(Spec("s", 1))));
  EXPECT_TRUE(view_->schedules().empty());
}

// Somebody wrote there by hand.
TEST_F(ScheduleTest, OneThatCannotBeReadFiresNeverAndCanBeReplaced) {
  StartAndLead();
  tree_.Create(paths_.Schedule("s"), "\xff\xff");
  Pass(1'000);
  EXPECT_EQ(planner_->schedules().NextOf("s"), 0);
  EXPECT_TRUE(Set(Spec("s"), true).ok());
  Pass(10'000);
  EXPECT_EQ(Tasks("s"), 1);
}

}  // namespace
}  // namespace drover::master::state
