#include "coord/server/start_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace drover::coord::server {
namespace {

using ::testing::ElementsAre;

std::vector<int> Told(std::uint64_t total, const std::vector<std::uint64_t>& done) {
  std::vector<int> told;
  StartMeter meter(StartPhase::kLog, total, [&told](const StartProgress& progress) {
    EXPECT_EQ(progress.phase, StartPhase::kLog);
    told.push_back(progress.percent);
  });
  for (const std::uint64_t at : done) meter.At(at);
  return told;
}

TEST(StartMeterTest, EachHundredthIsToldOnce) {
  EXPECT_THAT(Told(1'000, {0, 1, 9, 10, 11, 999, 1'000}), ElementsAre(0, 1, 99, 100));
}

TEST(StartMeterTest, NothingToReadIsAllOfIt) {
  EXPECT_THAT(Told(0, {0}), ElementsAre(100));
}

TEST(StartMeterTest, NobodyNeedListen) {
  StartMeter meter(StartPhase::kSnapshot, 10, nullptr);
  meter.At(5);
}

}  // namespace
}  // namespace drover::coord::server
