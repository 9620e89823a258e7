#include "tests/bench/watch_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace drover::bench {
namespace {

using ::testing::HasSubstr;

constexpr double kMiB = 1 << 20;

Flags Options() {
  Flags flags;
  flags.sessions = 1 << 10;
  flags.watches = 1 << 20;
  return flags;
}

WatchReport Report() {
  WatchReport report;
  report.machine = {2, "6.1.0", "drover-bench 0.1.0", "/var/tmp", "ext4"};
  report.systems = {{"drover", "1.2", 1, "on", {"drover-coord --id 1"}, "", "one thread"}};
  report.empty_bytes = 20 * kMiB;
  report.sessions_bytes = 120 * kMiB;
  report.watches_bytes = 270 * kMiB;
  report.open_s = 1.25;
  report.arm_s = 10;
  report.changes = 50;
  report.notifications_per_second = 123'456;
  report.p50_ms = 8;
  report.p99_ms = 16;
  return report;
}

TEST(WatchReportTest, WhatASessionAndAWatchTakeIsWhatCameWithThem) {
  const std::string text = WatchText(Options(), Report());
  EXPECT_THAT(text, HasSubstr("   20       120      270         102400          150     1.2   10.0\n"));
  EXPECT_THAT(text, HasSubstr("     50           123456             8.0    16.0\n"));
  EXPECT_THAT(text, HasSubstr("1024 sessions"));
}

TEST(WatchReportTest, AProgramFindsTheSame) {
  const auto json = nlohmann::json::parse(WatchJson(Options(), Report()));
  EXPECT_EQ(json["benchmark"], "watches");
  EXPECT_EQ(json["options"]["watches"], 1 << 20);
  EXPECT_EQ(json["memory"]["session_bytes"], 102'400);
  EXPECT_EQ(json["memory"]["watch_bytes"], 150);
  EXPECT_EQ(json["fan_out"]["changes"], 50);
}

}  // namespace
}  // namespace drover::bench
