#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/bench/scale/report.h"

namespace drover::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kMiB = 1 << 20;

Flags Million() {
  Flags flags;
  flags.znodes = 1 << 20;
  return flags;
}

ScaleReport Everything() {
  ScaleReport report;
  report.machine = {2, "6.1.0", "drover-bench 0.1.0", "/var/tmp", "ext4"};
  // The second node has less than the first without its buffers.
  report.memory = {
      {"drover", 42, {{20 * kMiB, 350 * kMiB, 360 * kMiB, 50 * kMiB}, {20 * kMiB, 380 * kMiB, 390 * kMiB, 100 * kMiB}}},
      {"zookeeper", 99, {{100 * kMiB, 1900 * kMiB, 2000 * kMiB, 0}}}};
  for (const double gap_us : {10'000.0, 30'000.0, 20'000.0}) {
    report.gaps.push_back({false, {1'000, 100, 2'000, gap_us}, 0, 350 * kMiB, 351 * kMiB});
    report.gaps.push_back({true, {900, 100, 3'000, gap_us + 5'000}, 7.5, 350 * kMiB, 370 * kMiB});
  }
  report.restarts = {{3, 100'000, 2, 300 * kMiB}, {5, 100'000, 2, 300 * kMiB}, {4, 100'000, 2, 300 * kMiB}};
  report.catch_up = CatchUpResult{
      {1'000, 100, 200, 300}, {1'100, 100, 200, 300}, {800, 100, 9'000, 300}, {1'000, 100, 200, 300}, 20'000, 12.5, 1, 400 * kMiB};
  report.add_node = AddNodeResult{{1'000, 100, 200, 300}, {700, 100, 8'000, 300}, {900, 100, 200, 300}, 0.5, 7.5, 1, 300 * kMiB};
  return report;
}

TEST(ScaleReportTest, BytesAZnodeAreThoseOfTheServerThatTakesMostBesidesItsBuffers) {
  const std::string text = ScaleText(Million(), Everything());
  EXPECT_THAT(text, HasSubstr("drover         42     20   350   360       50        350       300     280\n"));
  EXPECT_THAT(text, HasSubstr("zookeeper      99    100  1900  2000        0       1900      1900    1800\n"));
}

TEST(ScaleReportTest, TheGapIsComparedByMedians) {
  const std::string text = ScaleText(Million(), Everything());
  EXPECT_THAT(text, HasSubstr("20.0 (10.0-30.0)"));
  EXPECT_THAT(text, HasSubstr("25.0 (15.0-35.0)"));
  EXPECT_THAT(text, HasSubstr("A snapshot makes the largest gap 5.0 ms longer."));
}

TEST(ScaleReportTest, RestartAndCatchingUpAreTold) {
  const std::string text = ScaleText(Million(), Everything());
  EXPECT_THAT(text, HasSubstr("4.00 (3.00-5.00)"));
  EXPECT_THAT(text, HasSubstr("It had caught up 12.5 s after its start, over 20000 entries of the log, with 1 snapshot(s)"));
  EXPECT_THAT(text, HasSubstr("At the end 400 MiB of it were resident."));
  EXPECT_THAT(text, HasSubstr("it comes back       800     0.1     9.0     0.3\n"));
  EXPECT_THAT(text, HasSubstr("it is added      700     0.1     8.0     0.3\n"));
  EXPECT_THAT(text, HasSubstr("It was a member 0.5 s after its start and a voter after 7.5 s, with 1 snapshot(s)"));
}

TEST(ScaleReportTest, WhatWasNotMeasuredIsNotTold) {
  ScaleReport report = Everything();
  report.memory.clear();
  report.gaps.clear();
  report.restarts.clear();
  report.catch_up.reset();
  report.add_node.reset();
  const std::string text = ScaleText(Million(), report);
  for (const char* part : {"Memory", "Snapshots", "Restart", "Catching up", "Adding"}) EXPECT_THAT(text, Not(HasSubstr(part)));
  const auto json = nlohmann::json::parse(ScaleJson(Million(), report));
  for (const char* part : {"memory", "snapshot_gap", "restart", "catch_up", "add_node"}) EXPECT_FALSE(json.contains(part)) << part;
}

TEST(ScaleReportTest, AProgramFindsEveryRun) {
  const auto json = nlohmann::json::parse(ScaleJson(Million(), Everything()));
  EXPECT_EQ(json["benchmark"], "scale");
  EXPECT_EQ(json["options"]["znodes"], 1 << 20);
  EXPECT_EQ(json["memory"][0]["nodes"][1]["znode_without_buffers_bytes"], 280);
  EXPECT_EQ(json["memory"][1]["system"], "zookeeper");
  EXPECT_EQ(json["snapshot_gap"]["with"]["largest_gap_ms"]["median"], 25);
  EXPECT_EQ(json["snapshot_gap"]["without"]["runs"].size(), 3u);
  EXPECT_EQ(json["snapshot_gap"]["with"]["runs"][0]["snapshot_s"], 7.5);
  EXPECT_EQ(json["restart"]["ready_s"]["max"], 5);
  EXPECT_EQ(json["restart"]["runs"][0]["cpu_s"], 2);
  EXPECT_EQ(json["catch_up"]["caught_up_s"], 12.5);
  EXPECT_EQ(json["catch_up"]["catching_up"]["p99_us"], 9'000);
  EXPECT_EQ(json["add_node"]["voter_s"], 7.5);
}

}  // namespace
}  // namespace drover::bench
