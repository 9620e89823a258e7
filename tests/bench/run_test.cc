// drover-bench as a user runs it, on real servers: short, and without a word on how fast it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/process.h"

namespace drover::bench {
namespace {

using ::testing::HasSubstr;

TEST(RunTest, CoordMeasuresEveryPointAndLeavesNothingBehind) {
  const testing::TemporaryDirectory data;
  const testing::CommandResult ran =
      testing::RunCommand({DROVER_BENCH, "coord",         "--nodes",       "1",      "--data", data.path(), "--loads",
                           "1x1,3x8",    "--value-bytes", "10,100",        "--keys", "20",     "--warm-up", "10ms",
                           "--measure",  "100ms",         "--repetitions", "2",      "-o",     "json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  ASSERT_EQ(json["results"].size(), 16u);  // 4 workloads, 2 loads, 2 sizes
  for (const auto& point : json["results"]) {
    EXPECT_EQ(point["system"], "drover");
    EXPECT_EQ(point["repetitions"].size(), 2u);
    EXPECT_GT(point["operations_per_second"]["min"], 0) << point;
    EXPECT_GE(point["p99_us"]["max"], point["p50_us"]["min"]) << point;
  }
  ASSERT_EQ(json["systems"].size(), 1u);
  EXPECT_THAT(json["systems"][0]["fsync"].get<std::string>(), HasSubstr("on"));
  EXPECT_FALSE(json["systems"][0]["version"].get<std::string>().empty());
  EXPECT_TRUE(std::filesystem::is_empty(data.path()));
}

TEST(RunTest, SteadyLoadsWhileDisksStallAndLeavesNothingBehind) {
  const testing::TemporaryDirectory data;
  const testing::CommandResult ran =
      testing::RunCommand({DROVER_BENCH, "steady", "--data", data.path(), "--load", "2x4", "--duration", "2s", "--slice", "1s",
                           "--stalls", "2", "--stall", "200ms", "-o", "json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  ASSERT_EQ(json["results"].size(), 1u);
  const auto& result = json["results"][0];
  EXPECT_EQ(result["stalls"], 2) << ran.out;
  EXPECT_EQ(result["slices"].size() + result["failures"].size(), 2u) << ran.out;
  EXPECT_TRUE(std::filesystem::is_empty(data.path()));
}

TEST(RunTest, ScaleMeasuresEveryPartAndLeavesNothingBehind) {
  const testing::TemporaryDirectory data;
  const testing::CommandResult ran =
      testing::RunCommand({DROVER_BENCH, "scale", "--data", data.path(), "--znodes", "2500", "--warm-up", "10ms", "--measure",
                           "200ms", "--repetitions", "2", "--restart-entries", "20", "--missed-writes", "500", "-o", "json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  ASSERT_EQ(json["memory"].size(), 1u);
  EXPECT_EQ(json["memory"][0]["nodes"].size(), 3u);
  for (const auto& node : json["memory"][0]["nodes"]) EXPECT_GT(node["full_bytes"], node["empty_bytes"]) << node;
  for (const char* runs : {"with", "without"}) {
    ASSERT_EQ(json["snapshot_gap"][runs]["runs"].size(), 2u);
    EXPECT_GT(json["snapshot_gap"][runs]["largest_gap_ms"]["min"], 0);
  }
  ASSERT_EQ(json["restart"]["runs"].size(), 2u);
  EXPECT_GE(json["restart"]["runs"][0]["entries"], 20);
  EXPECT_GT(json["restart"]["ready_s"]["min"], 0);
  EXPECT_GT(json["catch_up"]["missed_entries"], 0);
  EXPECT_GT(json["catch_up"]["caught_up_s"], 0);
  EXPECT_TRUE(std::filesystem::is_empty(data.path()));
}

TEST(RunTest, WatchesAreCountedToldAndGone) {
  const testing::TemporaryDirectory data;
  const testing::CommandResult ran =
      testing::RunCommand({DROVER_BENCH, "watches", "--data", data.path(), "--sessions", "150", "--watches", "3000", "--warm-up",
                           "10ms", "--measure", "300ms", "-o", "json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_GT(json["memory"]["sessions_bytes"], json["memory"]["empty_bytes"]);
  EXPECT_GT(json["fan_out"]["changes"], 0);
  EXPECT_GT(json["fan_out"]["notifications_per_second"], 0);
  EXPECT_TRUE(std::filesystem::is_empty(data.path()));
}

TEST(RunTest, ADataDirectoryThatIsNotThereIsNamed) {
  const testing::TemporaryDirectory data;
  const testing::CommandResult ran = testing::RunCommand({DROVER_BENCH, "coord", "--nodes", "1", "--data", data / "missing"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr(data / "missing"));
}

TEST(RunTest, APeerThatIsNotInstalledIsToldBeforeAnythingStarts) {
  const testing::CommandResult ran =
      testing::RunCommand({"/usr/bin/env", "PATH=/nonexistent", DROVER_BENCH, "coord", "--compare", "zookeeper"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.err, HasSubstr("deploy/install-packages peers"));
  EXPECT_THAT(ran.err, ::testing::Not(HasSubstr("starting")));
}

TEST(RunTest, WrongUsageExitsTwo) {
  const testing::CommandResult ran = testing::RunCommand({DROVER_BENCH, "coord", "--loads", "many"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("many"));
}

}  // namespace
}  // namespace drover::bench
