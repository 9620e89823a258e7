#include "tests/bench/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace drover::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed {
  absl::Status status;
  Flags flags;
  bool done = false;
  std::string out;
};

Parsed Parse(const std::vector<std::string>& args) {
  Parsed parsed;
  std::ostringstream out;
  parsed.status = ParseFlags(
      args, [](const std::string&) { return std::nullopt; }, out, &parsed.flags, &parsed.done);
  parsed.out = out.str();
  return parsed;
}

TEST(FlagsTest, CoordMeasuresDroverAloneUnlessToldOtherwise) {
  const Parsed parsed = Parse({"coord"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.flags.command, Command::kCoord);
  EXPECT_EQ(parsed.flags.nodes, 3);
  EXPECT_THAT(parsed.flags.systems, ElementsAre("drover"));
  EXPECT_THAT(parsed.flags.loads, ElementsAre(Load{1, 1}, Load{4, 64}));
  EXPECT_THAT(parsed.flags.value_bytes, ElementsAre(100u));
  EXPECT_EQ(parsed.flags.workloads.size(), 4u);
  EXPECT_EQ(parsed.flags.repetitions, 5);
  EXPECT_FALSE(parsed.flags.at_follower);
  EXPECT_FALSE(parsed.flags.json);
}

TEST(FlagsTest, EveryFlagOfCoordArrives) {
  const Parsed parsed = Parse(
      {"coord", "--nodes",       "1",     "--compare", "zookeeper,etcd", "--workloads", "mixed",   "--loads",       "2x8", "--keys",
       "7",     "--value-bytes", "10,20", "--warm-up", "100ms",          "--measure",   "250ms",   "--repetitions", "3",   "-o",
       "json",  "--mixed-sets",  "25",    "--data",    "/var/tmp",       "--first",     "follower"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.flags.nodes, 1);
  EXPECT_THAT(parsed.flags.systems, ElementsAre("drover", "zookeeper", "etcd"));
  EXPECT_THAT(parsed.flags.workloads, ElementsAre(Workload::kMixed));
  EXPECT_THAT(parsed.flags.loads, ElementsAre(Load{2, 8}));
  EXPECT_THAT(parsed.flags.value_bytes, ElementsAre(10u, 20u));
  EXPECT_EQ(parsed.flags.keys, 7);
  EXPECT_EQ(parsed.flags.set_percent, 25);
  EXPECT_TRUE(parsed.flags.at_follower);
  EXPECT_EQ(parsed.flags.warm_up, std::chrono::milliseconds(100));
  EXPECT_EQ(parsed.flags.measure, std::chrono::milliseconds(250));
  EXPECT_EQ(parsed.flags.repetitions, 3);
  EXPECT_EQ(parsed.flags.data, "/var/tmp");
  EXPECT_TRUE(parsed.flags.json);
}

TEST(FlagsTest, EveryFlagOfFailoverArrives) {
  const Parsed parsed = Parse({"failover", "--kills", "50", "--stop", "--rate", "100", "--pause", "2s", "--limit", "30s",
                               "--without-drover", "--compare", "etcd", "--nodes", "5"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.flags.command, Command::kFailover);
  EXPECT_EQ(parsed.flags.kills, 50);
  EXPECT_TRUE(parsed.flags.stop);
  EXPECT_EQ(parsed.flags.rate, 100);
  EXPECT_EQ(parsed.flags.pause, std::chrono::seconds(2));
  EXPECT_EQ(parsed.flags.limit, std::chrono::seconds(30));
  EXPECT_EQ(parsed.flags.nodes, 5);
  EXPECT_THAT(parsed.flags.systems, ElementsAre("etcd"));
}

TEST(FlagsTest, SteadySetsForTenMinutesUnlessToldOtherwise) {
  const Parsed parsed = Parse({"steady"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.flags.command, Command::kSteady);
  EXPECT_THAT(parsed.flags.workloads, ElementsAre(Workload::kSet));
  EXPECT_THAT(parsed.flags.loads, ElementsAre(Load{4, 64}));
  EXPECT_EQ(parsed.flags.duration, std::chrono::minutes(10));
  EXPECT_EQ(parsed.flags.stalls, 0);
}

TEST(FlagsTest, EveryFlagOfSteadyArrives) {
  const Parsed parsed = Parse({"steady", "--workload", "mixed", "--load", "2x8", "--mixed-sets", "50", "--duration", "20s",
                               "--slice", "5s", "--stalls", "4", "--stall", "2s", "--nodes", "5"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_THAT(parsed.flags.workloads, ElementsAre(Workload::kMixed));
  EXPECT_THAT(parsed.flags.loads, ElementsAre(Load{2, 8}));
  EXPECT_EQ(parsed.flags.set_percent, 50);
  EXPECT_EQ(parsed.flags.duration, std::chrono::seconds(20));
  EXPECT_EQ(parsed.flags.slice, std::chrono::seconds(5));
  EXPECT_EQ(parsed.flags.stalls, 4);
  EXPECT_EQ(parsed.flags.stall, std::chrono::seconds(2));
}

TEST(FlagsTest, WrongUsageIsRefusedByName) {
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{}, "coord"},
      {{"tasks"}, "tasks"},
      {{"coord", "--kills", "3"}, "--kills"},
      {{"coord", "--compare", "consul"}, "consul"},
      {{"coord", "--compare", "etcd,etcd"}, "etcd"},
      {{"coord", "--loads", "4"}, "CLIENTSxWINDOW"},
      {{"coord", "--workloads", "put"}, "put"},
      {{"coord", "--value-bytes", "1k"}, "1k"},
      {{"coord", "--measure", "5"}, "measure"},
      {{"coord", "--measure", "0"}, "measure"},
      {{"coord", "--without-drover"}, "--compare"},
      {{"coord", "-o", "xml"}, "xml"},
      {{"coord", "--nodes", "0"}, "nodes"},
      {{"failover", "--nodes", "1"}, "less than 3"},
      {{"failover", "--kills", "0"}, "kills"},
      {{"steady", "--workload", "set,get"}, "set,get"},
      {{"steady", "--slice", "0"}, "--slice"},
      {{"steady", "--slice", "7s"}, "whole number"},
      {{"steady", "--stalls", "1", "--compare", "etcd"}, "--compare"},
      {{"steady", "--stalls", "1", "--nodes", "1"}, "less than 3"},
      {{"steady", "--stalls", "200"}, "less than --duration"},
      {{"scale", "--parts", "memory,disk"}, "disk"},
      {{"scale", "--parts", "memory,memory"}, "twice"},
      {{"scale", "--nodes", "1"}, "catch-up"},
      {{"scale", "--compare", "etcd", "--without-drover"}, "--parts memory"},
      {{"scale", "--measure", "0"}, "measure"},
      {{"watches", "--sessions", "3", "--watches", "10"}, "whole multiple"},
      {{"watches", "--kind", "twice"}, "twice"},
      {{"watches", "--compare", "etcd"}, "--compare"},
  };
  for (const auto& [args, word] : table) {
    const Parsed parsed = Parse(args);
    EXPECT_EQ(parsed.status.code(), absl::StatusCode::kInvalidArgument) << ::testing::PrintToString(args);
    EXPECT_THAT(std::string(parsed.status.message()), HasSubstr(word)) << ::testing::PrintToString(args);
  }
}

TEST(FlagsTest, ScaleMeasuresEveryPartOfAMillionZnodesUnlessToldOtherwise) {
  const Parsed parsed = Parse({"scale"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.flags.command, Command::kScale);
  EXPECT_EQ(parsed.flags.znodes, 1'000'000u);
  EXPECT_EQ(parsed.flags.data_bytes, 100u);
  EXPECT_EQ(parsed.flags.parts.size(), 5u);
  EXPECT_EQ(parsed.flags.measure, std::chrono::seconds(15));
  EXPECT_EQ(Parse({"coord"}).flags.measure, std::chrono::seconds(5));
}

TEST(FlagsTest, WatchesAreAMillionOfTenThousandSessionsUnlessToldOtherwise) {
  const Parsed parsed = Parse({"watches"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.flags.command, Command::kWatches);
  EXPECT_EQ(parsed.flags.sessions, 10'000);
  EXPECT_EQ(parsed.flags.watches, 1'000'000u);
  EXPECT_EQ(parsed.flags.measure, std::chrono::seconds(10));
  const Parsed all = Parse({"watches", "--sessions", "7", "--watches", "21", "--kind", "once", "--data-bytes", "9", "--warm-up",
                            "1s", "--measure", "2s", "--data", "/d", "-o", "json"});
  ASSERT_TRUE(all.status.ok()) << all.status;
  EXPECT_EQ(all.flags.sessions, 7);
  EXPECT_EQ(all.flags.watches, 21u);
  EXPECT_EQ(all.flags.watch_kind, "once");
  EXPECT_EQ(all.flags.data_bytes, 9u);
  EXPECT_EQ(all.flags.warm_up, std::chrono::seconds(1));
  EXPECT_EQ(all.flags.measure, std::chrono::seconds(2));
  EXPECT_EQ(all.flags.data, "/d");
  EXPECT_TRUE(all.flags.json);
}

TEST(FlagsTest, EveryFlagOfScaleArrives) {
  const Parsed parsed = Parse({"scale",
                               "--nodes",
                               "1",
                               "--parts",
                               "restart,memory",
                               "--znodes",
                               "5",
                               "--data-bytes",
                               "7",
                               "--warm-up",
                               "1s",
                               "--measure",
                               "2s",
                               "--repetitions",
                               "3",
                               "--restart-entries",
                               "9",
                               "--missed-writes",
                               "11",
                               "--compare",
                               "etcd",
                               "-o",
                               "json"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_THAT(parsed.flags.parts, ElementsAre(ScalePart::kRestart, ScalePart::kMemory));
  EXPECT_EQ(parsed.flags.znodes, 5u);
  EXPECT_EQ(parsed.flags.data_bytes, 7u);
  EXPECT_EQ(parsed.flags.warm_up, std::chrono::seconds(1));
  EXPECT_EQ(parsed.flags.measure, std::chrono::seconds(2));
  EXPECT_EQ(parsed.flags.repetitions, 3);
  EXPECT_EQ(parsed.flags.restart_entries, 9u);
  EXPECT_EQ(parsed.flags.missed_writes, 11u);
  EXPECT_THAT(parsed.flags.systems, ElementsAre("drover", "etcd"));
  EXPECT_TRUE(parsed.flags.json);
}

TEST(FlagsTest, HelpNamesTheCommands) {
  const Parsed parsed = Parse({"--help"});
  EXPECT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_TRUE(parsed.done);
  EXPECT_THAT(parsed.out, HasSubstr("failover"));
  EXPECT_THAT(parsed.out, HasSubstr("scale"));
  EXPECT_THAT(parsed.out, HasSubstr("coord"));
}

}  // namespace
}  // namespace drover::bench
