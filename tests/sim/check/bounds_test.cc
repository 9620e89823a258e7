#include "tests/sim/check/bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::sim::check {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

base::Instant At(int ms) {
  return base::Instant(milliseconds(ms));
}

TEST(GrowthBounds, WhatIsOverItsBoundIsNamed) {
  GrowthBounds bounds;
  bounds.Limit("log bytes", 4'096);
  bounds.Limit("queue", 10);
  EXPECT_TRUE(bounds.Sample("log bytes", "node 1", 4'096, At(1)).ok());
  EXPECT_EQ(bounds.Sample("log bytes", "node 2", 4'097, At(2)).message(),
            "log bytes of node 2 is 4097 at 2 ms, over its bound of 4096");
  EXPECT_EQ(bounds.peaks().at("log bytes").largest, 4'097U);
  EXPECT_EQ(bounds.peaks().at("queue").samples, 0U);
}
TEST(GrowthBounds, ASizeWithoutABoundIsNoPass) {
  GrowthBounds bounds;
  EXPECT_EQ(bounds.Sample("log bytes", "node 1", 1, At(1)).code(), absl::StatusCode::kInvalidArgument);
}

std::string Check(const std::vector<Probe>& probes, int now) {
  return std::string(CheckLiveness(probes, At(1'000), milliseconds(500), At(now)).message());
}

TEST(Liveness, AProbeWithinTheBoundPasses) {
  EXPECT_EQ(Check({{"p", At(10), At(1'500)}, {"q", At(2'000), At(2'500)}}, 9'000), "");
}
TEST(Liveness, AProbeThatComesTooLateIsFound) {
  EXPECT_THAT(Check({{"p", At(10), At(1'501)}}, 9'000), HasSubstr("probe p was committed only 501 ms"));
  EXPECT_THAT(Check({{"p", At(1'200), {}}}, 1'701), HasSubstr("probe p was not committed 501 ms"));
}
TEST(Liveness, AProbeWhoseTimeIsNotOverPassesButShowsNothing) {
  EXPECT_THAT(Check({{"p", At(1'200), {}}}, 1'700), HasSubstr("no probe was committed"));
  EXPECT_THAT(Check({}, 9'000), HasSubstr("no probe was committed"));
  EXPECT_THAT(Check({{"p", At(10), At(20)}}, 9'000), HasSubstr("no probe was committed"));
  EXPECT_EQ(Check({{"p", At(1'000), At(1'001)}, {"q", At(1'200), {}}}, 1'700), "");
}

}  // namespace
}  // namespace drover::sim::check
