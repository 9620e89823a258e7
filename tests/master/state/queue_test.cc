// Queues: what holds for them, and how many tasks they take.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "tests/master/state/planner_fixture.h"

namespace drover::master::state {
namespace {

using Kind = SubmitResult::Kind;

class QueueTest : public PlannerFixture {
 protected:
  static worker::v1::TaskRecord In(const std::string& queue) {
    worker::v1::TaskRecord record = Record();
    record.mutable_policy()->set_queue(queue);
    return record;
  }
  QueueAnswer Set(const std::string& name, std::function<void(task::v1::SetQueueRequest*)> change) {
    task::v1::SetQueueRequest request;
    request.set_name(name);
    change(&request);
    std::optional<QueueAnswer> answer;
    planner_->SetQueue(request, [&](QueueAnswer a) { answer = std::move(a); });
    Run();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::UnknownError(""));
  }
  absl::Status Delete(const std::string& name) {
    absl::Status answer = absl::UnknownError("not answered");
    planner_->DeleteQueue(name, [&](absl::Status a) { answer = std::move(a); });
    Run();
    return answer;
  }
};

TEST_F(QueueTest, SettingsAreInTheTreeAndChangeOneByOne) {
  StartAndLead();
  ASSERT_TRUE(Set("q", [](auto* c) { c->set_weight(3); }).ok());
  const auto both = Set("q", [](auto* c) { c->set_running_max(2); });
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->weight(), 3U);
  EXPECT_EQ(both->running_max(), 2U);
  EXPECT_EQ(records::DecodeQueueSettings(tree_.Find(paths_.Queue("q"))->data)->weight(), 3U);
  EXPECT_EQ(view_->FindQueue("q")->settings.running_max(), 2U);
  EXPECT_TRUE(Delete("q").ok());
  EXPECT_EQ(view_->FindQueue("q"), nullptr);
  EXPECT_TRUE(absl::IsNotFound(Delete("q")));
}

TEST_F(QueueTest, WhatIsOutOfRangeIsRefusedAndChangesNothing) {
  StartAndLead();
  EXPECT_TRUE(absl::IsInvalidArgument(Set("q", [](auto* c) { c->set_weight(1'001); }).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Set("q", [](auto* c) { c->set_starts_per_second(-1); }).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Set("q", [](auto* c) { c->set_starts_per_second(std::nan("")); }).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Set("a/b", [](auto*) {}).status()));
  EXPECT_TRUE(view_->queues().empty());
}

TEST_F(QueueTest, ThereIsALimitOfQueuesWithSettings) {
  StartAndLead();
  for (std::size_t i = 0; i < records::kQueuesMax; ++i) {
    tree_.Create(paths_.Queue("q" + std::to_string(i)), "");
  }
  Run();
  EXPECT_TRUE(absl::IsFailedPrecondition(Set("one-more", [](auto*) {}).status()));
  EXPECT_TRUE(Set("q7", [](auto* c) { c->set_paused(true); }).ok());
}

TEST_F(QueueTest, TwoChangesAtOnceAreBothMade) {
  StartAndLead();
  int answered = 0;
  for (const bool weight : {true, false}) {
    task::v1::SetQueueRequest request;
    request.set_name("q");
    if (weight) {
      request.set_weight(5);
    } else {
      request.set_burst(7);
    }
    planner_->SetQueue(request, [&](const QueueAnswer& a) { answered += a.ok() ? 1 : 0; });
  }
  Run();
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(view_->FindQueue("q")->settings.weight(), 5U);
  EXPECT_EQ(view_->FindQueue("q")->settings.burst(), 7U);
}

TEST_F(QueueTest, APausedQueueStartsNothingUnderTheNextMasterEither) {
  StartAndLead();
  Join("w", "p1", 4);
  Run();
  ASSERT_TRUE(Set("q", [](auto* c) { c->set_paused(true); }).ok());
  Submit("a", In("q"));
  Submit("b", In("other"));
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  EXPECT_EQ(StateOf("b"), task::v1::ASSIGNED);
  planner_->StopLeading();
  tree_.Delete(candidate_);
  Lead();
  Run(2'000);
  EXPECT_EQ(StateOf("a"), task::v1::READY);
  ASSERT_TRUE(Set("q", [](auto* c) { c->set_paused(false); }).ok());
  EXPECT_EQ(StateOf("a"), task::v1::ASSIGNED);
}

TEST_F(QueueTest, ARateStartsOneAfterTheOther) {
  StartAndLead();
  Join("w", "p1", 100);
  ASSERT_TRUE(Set("q", [](auto* c) { c->set_starts_per_second(10); }).ok());
  for (int i = 0; i < 30; ++i) planner_->Submit("t" + std::to_string(i), In("q"), task::v1::SAME_ONLY, [](const SubmitResult&) {});
  Run(1'050);
  const std::size_t started = view_->TallyOf("q").running;
  EXPECT_GE(started, 10U);
  EXPECT_LE(started, 12U);
  Run(2'500);
  EXPECT_EQ(view_->TallyOf("q").running, 30U);
}

TEST_F(QueueTest, AQueueThatIsFullTakesNoMoreAndASecondTryIsStillTheSameTask) {
  StartAndLead();
  ASSERT_TRUE(Set("q", [](auto* c) { c->set_waiting_max(3); }).ok());
  worker::v1::TaskRecord delayed = In("q");
  delayed.mutable_policy()->set_delay_ms(60'000);
  EXPECT_EQ(Submit("late", delayed).kind, Kind::kDone) << "delayed ones count, too";
  std::map<Kind, int> kinds;
  for (int i = 0; i < 5; ++i) {
    planner_->Submit("t" + std::to_string(i), In("q"), task::v1::SAME_ONLY, [&](const SubmitResult& r) { ++kinds[r.kind]; });
  }
  Run();
  EXPECT_EQ(kinds[Kind::kDone], 2) << "those on their way count";
  EXPECT_EQ(kinds[Kind::kFull], 3);
  EXPECT_EQ(Submit("t0", In("q")).kind, Kind::kExisted);
  EXPECT_EQ(Submit("t4", In("q")).sentence, "queue q is full: 3 of its tasks wait; try again later");
  EXPECT_EQ(Submit("x", In("other")).kind, Kind::kDone);
  Join("w", "p1", 1);
  Run();
  EXPECT_EQ(Submit("t4", In("q")).kind, Kind::kDone) << "one has started";
}

TEST_F(QueueTest, WhatIsRunAnewCountsToo) {
  StartAndLead();
  ASSERT_TRUE(Set("q", [](auto* c) { c->set_waiting_max(2); }).ok());
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(Submit(id, In("q")).kind, Kind::kDone);
    Cancel(id);
  }
  EXPECT_EQ(Submit("c", In("q")).kind, Kind::kDone);
  std::map<Kind, int> kinds;
  for (const char* id : {"a", "b"}) planner_->Retry(id, 1, [&](const SubmitResult& r) { ++kinds[r.kind]; });
  Run();
  EXPECT_EQ(kinds[Kind::kDone], 1) << "those on their way count";
  EXPECT_EQ(kinds[Kind::kFull], 1);
  EXPECT_EQ(view_->TallyOf("q").ready, 2U);
}

TEST_F(QueueTest, ThePoolTakesOnlySoMany) {
  StartAndLead({.waiting_max = 2});
  EXPECT_EQ(Submit("a", In("q")).kind, Kind::kDone);
  EXPECT_EQ(Submit("b", In("r")).kind, Kind::kDone);
  EXPECT_EQ(Submit("c", In("s")).sentence, "the pool is full: 2 of its tasks wait; try again later");
  Cancel("a");
  EXPECT_EQ(Submit("c", In("s")).kind, Kind::kDone);
}

TEST_F(QueueTest, TheViewCountsEachQueuesTasks) {
  StartAndLead();
  Join("w", "p1", 1);
  Run();
  worker::v1::TaskRecord delayed = In("q");
  delayed.mutable_policy()->set_delay_ms(60'000);
  Submit("a", In("q"));
  Submit("b", In("q"));
  Submit("c", delayed);
  const QueueTally q = view_->TallyOf("q");
  EXPECT_EQ(q.running, 1U);
  EXPECT_EQ(q.ready, 1U);
  EXPECT_EQ(q.delayed, 1U);
  EXPECT_EQ(view_->tally().waiting(), 2U);
  Finish("w", "a");
  Cancel("c");
  Run();
  EXPECT_EQ(view_->TallyOf("q").running, 1U);
  EXPECT_EQ(view_->TallyOf("q").waiting(), 0U);
  Finish("w", "b");
  Run();
  EXPECT_EQ(view_->tallies().count("q"), 0U) << "an empty queue takes no memory";
}

// ---- workers to be drained ----

class DrainTest : public PlannerFixture {
 protected:
  absl::Status Drain(const std::string& worker, std::optional<base::Duration> patience = std::nullopt) {
    absl::Status answer = absl::UnknownError("not answered");
    planner_->DrainWorker(worker, patience, "new disk", [&](absl::Status a) { answer = std::move(a); });
    Run();
    return answer;
  }
  absl::Status Undrain(const std::string& worker) {
    absl::Status answer = absl::UnknownError("not answered");
    planner_->UndrainWorker(worker, [&](absl::Status a) { answer = std::move(a); });
    Run();
    return answer;
  }
};

TEST_F(DrainTest, ADrainedWorkerGetsNothingNewAlsoAsAnotherProcessUnderAnotherMaster) {
  StartAndLead();
  Join("w", "p1", 4);
  Run();
  Submit("a");
  ASSERT_TRUE(Drain("w", std::chrono::minutes(5)).ok());
  const auto drain = records::DecodeDrain(tree_.Find(paths_.Drain("w"))->data);
  EXPECT_EQ(drain->deadline_ms(), tree_.now_ms + 300'000);
  EXPECT_EQ(drain->reason(), "new disk");
  Submit("b");
  EXPECT_TRUE(Assigned("w", "a")) << "what runs may end";
  EXPECT_EQ(StateOf("b"), task::v1::READY);
  EXPECT_TRUE(Finish("w", "a"));
  Vanish("w");
  planner_->StopLeading();
  tree_.Delete(candidate_);
  Lead();
  Join("w", "p2", 4);
  Run();
  EXPECT_EQ(StateOf("b"), task::v1::READY);
  ASSERT_TRUE(Undrain("w").ok());
  EXPECT_TRUE(Assigned("w", "b"));
  EXPECT_EQ(tree_.Find(paths_.Drain("w")), nullptr);
}

TEST_F(DrainTest, WhoIsNotThereIsNotDrainedNorUndrained) {
  StartAndLead();
  EXPECT_TRUE(absl::IsNotFound(Drain("w")));
  EXPECT_TRUE(absl::IsNotFound(Undrain("w")));
  Join("w", "p1", 1);
  Run();
  ASSERT_TRUE(Drain("w").ok());
  Vanish("w");
  Run();
  EXPECT_TRUE(Drain("w", std::chrono::seconds(0)).ok()) << "again, with another deadline, while it is away";
  EXPECT_TRUE(Undrain("w").ok());
  EXPECT_TRUE(absl::IsNotFound(Drain("w")));
}

}  // namespace
}  // namespace drover::master::state
