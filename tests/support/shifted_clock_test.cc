#include "tests/support/shifted_clock.h"

#include <gtest/gtest.h>

#include <ctime>

#include "tests/support/process.h"

namespace drover::testing {
namespace {

TEST(ShiftedClockTest, AProcessTakesAnotherTimeForTheTimeOfDay) {
  const TemporaryDirectory directory;
  ShiftedClock clock(directory / "clock");
  CommandOptions options;
  options.env = clock.environment();
  const auto ahead = [&options] {
    return std::stol(RunCommand({"/bin/date", "+%s"}, options).out) - static_cast<long>(std::time(nullptr));
  };
  constexpr long kHour = 3'600;
  EXPECT_LT(std::abs(ahead()), kHour);
  clock.Set(std::chrono::hours(24));
  EXPECT_LT(std::abs(ahead() - 24 * kHour), kHour);
  clock.Set(std::chrono::hours(-24));
  EXPECT_LT(std::abs(ahead() + 24 * kHour), kHour);
}

}  // namespace
}  // namespace drover::testing
