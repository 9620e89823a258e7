#include "master/records/time_bounds.h"

#include "gtest/gtest.h"
#include "master/records/codec.h"

namespace drover::records {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

worker::v1::TaskRecord Eligible() {
  worker::v1::TaskRecord record;
  record.set_eligible_at(kNow);
  return record;
}

TEST(TimeBounds, ATaskMayRunAtOnceAfterADelayOrFromATimeOn) {
  task::v1::Policy policy;
  EXPECT_EQ(EligibleAt(policy, kNow), kNow);
  policy.set_delay_ms(5'000);
  EXPECT_EQ(EligibleAt(policy, kNow), kNow + 5'000);
  policy.clear_delay_ms();
  policy.set_start_at_ms(kNow + 7'000);
  EXPECT_EQ(EligibleAt(policy, kNow), kNow + 7'000);
  policy.set_start_at_ms(kNow - 7'000);
  EXPECT_EQ(EligibleAt(policy, kNow), kNow) << "that time is over";
}

TEST(TimeBounds, ADelayCountsFromWhenTheRecordWasMade) {
  worker::v1::TaskRecord record = Eligible();
  EXPECT_EQ(DelayedUntil(record, kNow, kNow), 0);
  record.mutable_policy()->set_delay_ms(5'000);
  EXPECT_EQ(DelayedUntil(record, kNow, kNow), 0) << "it does not wait";
  record.set_state(task::v1::WAITING);
  EXPECT_EQ(DelayedUntil(record, kNow, kNow + 900), kNow + 5'000);
  record.set_reruns(1);
  EXPECT_EQ(DelayedUntil(record, kNow, kNow + 900), kNow + 5'900);
  record.set_failures(1);
  EXPECT_EQ(DelayedUntil(record, kNow, kNow + 900), 0) << "it waits for a retry";
}

TEST(TimeBounds, WithoutLimitsThereIsNone) {
  EXPECT_FALSE(StartBound(Eligible()).has_value());
  EXPECT_FALSE(TotalBound(Eligible()).has_value());
}

TEST(TimeBounds, TheFirstOfThemCounts) {
  worker::v1::TaskRecord record = Eligible();
  record.mutable_policy()->set_total_limit_ms(60'000);
  auto bound = StartBound(record);
  ASSERT_TRUE(bound.has_value());
  EXPECT_EQ(bound->at_ms, kNow + 60'000);
  EXPECT_EQ(bound->reason, task::v1::TIME_LIMIT);
  EXPECT_EQ(bound->sentence, "over its total limit of 1m");
  record.mutable_policy()->set_start_within_ms(30'000);
  bound = StartBound(record);
  EXPECT_EQ(bound->at_ms, kNow + 30'000);
  EXPECT_EQ(bound->reason, task::v1::DEADLINE);
  EXPECT_EQ(bound->sentence, "not started within 30s");
  record.mutable_policy()->set_deadline_ms(kNow + 10'500);
  bound = StartBound(record);
  EXPECT_EQ(bound->at_ms, kNow + 10'500);
  EXPECT_EQ(bound->reason, task::v1::DEADLINE);
  EXPECT_EQ(bound->sentence, "not started by its deadline, 2023-11-14T22:13:30.5Z");
  EXPECT_EQ(TotalBound(record)->at_ms, kNow + 60'000);
}

TEST(TimeBounds, TheTimeToStartWithinIsOfTheFirstAttemptThatStarts) {
  worker::v1::TaskRecord record = Eligible();
  record.mutable_policy()->set_start_within_ms(30'000);
  AddAttempt(&record, "w", kNow);
  EXPECT_TRUE(StartBound(record).has_value()) << "assigned, and not started";
  record.mutable_attempts(0)->set_started_at(kNow + 1);
  EXPECT_FALSE(StartBound(record).has_value());
  // The one that started is not kept any more.
  for (int i = 0; i < 5; ++i) AddAttempt(&record, "w", kNow);
  EXPECT_FALSE(StartBound(record).has_value());
}

}  // namespace
}  // namespace drover::records
