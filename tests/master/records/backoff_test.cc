#include "master/records/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "coord/base/random.h"

namespace drover::records {
namespace {

task::v1::Policy First(std::int64_t ms) {
  task::v1::Policy policy;
  policy.set_retry_backoff_ms(ms);
  return policy;
}

// The shortest and the longest delay that any bits give.
std::pair<std::int64_t, std::int64_t> Bounds(const task::v1::Policy& policy, std::uint32_t failures) {
  base::SeededRandom random(failures);
  std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t delay = RetryDelayMs(policy, failures, random.Next());
    low = std::min(low, delay);
    high = std::max(high, delay);
  }
  return {low, high};
}

TEST(Backoff, DoublesUpToAMinuteGiveOrTakeAFifth) {
  const struct {
    std::uint32_t failures;
    std::int64_t delay;
  } cases[] = {{1, 1'000}, {2, 2'000}, {3, 4'000}, {6, 32'000}, {7, 60'000}, {1'001, 60'000}};
  for (const auto& c : cases) {
    const auto [low, high] = Bounds({}, c.failures);
    EXPECT_GE(low, c.delay * 80 / 100) << c.failures;
    EXPECT_LE(low, c.delay * 81 / 100) << c.failures << ": the bits are not used";
    EXPECT_GE(high, c.delay * 119 / 100) << c.failures << ": the bits are not used";
    EXPECT_LE(high, c.delay * 120 / 100) << c.failures;
  }
}

TEST(Backoff, ZeroIsAtOnceAndAnythingLongerThanAMinuteStaysAsItIs) {
  EXPECT_EQ(RetryDelayMs(First(0), 5, 12345), 0);
  EXPECT_LE(Bounds(First(600'000), 9).second, 720'000);
  EXPECT_GE(Bounds(First(600'000), 9).first, 480'000);
  EXPECT_EQ(RetryDelayMs(First(1), 1, 77), 1) << "too short to be spread";
  EXPECT_LE(RetryDelayMs(First(std::numeric_limits<std::int64_t>::max()), 1, ~std::uint64_t{0}), kRetryBackoffMaxMs * 120 / 100);
}

TEST(Backoff, TheSameBitsGiveTheSameDelay) {
  EXPECT_EQ(RetryDelayMs({}, 3, 0), 3'200);
  EXPECT_EQ(RetryDelayMs({}, 3, 1'600), 4'800);
}

}  // namespace
}  // namespace drover::records
