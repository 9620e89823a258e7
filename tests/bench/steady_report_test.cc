#include "tests/bench/steady_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace drover::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Flags Options() {
  Flags flags;
  flags.workloads = {Workload::kSet};
  flags.loads = {{4, 64}};
  flags.stalls = 3;
  return flags;
}

SteadyReport Report() {
  SteadyReport report;
  report.machine = {2, "6.1.0", "drover-bench 0.1.0", "/var/tmp", "ext4"};
  report.systems = {{"drover", "1.2", 3, "on", {"drover-coord --id 1"}, "", "one thread"}};
  report.results = {{"drover", {{3000, 10, 90}, {1000, 30, 70}, {2000, 20, 80}}, {"node 2: unavailable"}, 7, 9, 3}};
  return report;
}

TEST(SteadyReportTest, ThePersonSeesElectionsStallsAndRefusals) {
  const std::string text = SteadyText(Options(), Report());
  EXPECT_THAT(text, HasSubstr("drover      2       3       3        1  2000 (1000-3000)  20 (10-30)  80 (70-90)\n"));
  EXPECT_THAT(text, HasSubstr("refused: drover: node 2: unavailable\n"));
  EXPECT_THAT(text, HasSubstr("each stall of a follower's disk took 3s"));
}

TEST(SteadyReportTest, WhatDidNotHappenIsNotSpokenOf) {
  Flags flags = Options();
  flags.stalls = 0;
  SteadyReport report = Report();
  report.results[0].failures.clear();
  const std::string text = SteadyText(flags, report);
  EXPECT_THAT(text, Not(HasSubstr("refused:")));
  EXPECT_THAT(text, Not(HasSubstr("disk took")));
}

TEST(SteadyReportTest, AProgramFindsEverySlice) {
  const auto json = nlohmann::json::parse(SteadyJson(Options(), Report()));
  EXPECT_EQ(json["benchmark"], "steady");
  EXPECT_EQ(json["options"]["stalls"], 3);
  const auto& result = json["results"][0];
  EXPECT_EQ(result["elections"], 2);
  EXPECT_EQ(result["stalls"], 3);
  EXPECT_EQ(result["slices"].size(), 3u);
  EXPECT_EQ(result["slices"][1]["p99_us"], 70);
  EXPECT_EQ(result["operations_per_second"]["median"], 2000);
  EXPECT_EQ(result["failures"][0], "node 2: unavailable");
}

}  // namespace
}  // namespace drover::bench
