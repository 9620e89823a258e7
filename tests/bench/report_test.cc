#include "tests/bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace drover::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

SystemFacts Facts(const std::string& name) {
  return {name, "1.2", 3, "on: each batch", {name + "-server --id 1", name + "-server --id 2"}, "", "one thread"};
}

CoordReport TwoSystems() {
  CoordReport report;
  report.machine = {2, "6.1.0", "drover-bench 0.1.0", "/var/tmp", "ext4"};
  report.systems = {Facts("drover"), Facts("etcd")};
  report.points = {{Workload::kSet, {4, 64}, 100, "drover", {{3000, 10, 90}, {1000, 30, 70}, {2000, 20, 80}}, {}},
                   {Workload::kSet, {4, 64}, 100, "etcd", {{500, 40, 400}, {800, 60, 600}, {1000, 50, 500}}, {}}};
  return report;
}

TEST(ReportTest, ThePersonSeesMedianSpreadAndHowManyTimesDroverDid) {
  const std::string text = CoordText(Flags(), TwoSystems());
  EXPECT_THAT(text, HasSubstr("set       4x64  100    drover  2000 (1000-3000)  20 (10-30)     80 (70-90)\n"));
  EXPECT_THAT(text, HasSubstr("set       4x64  100    etcd      800 (500-1000)  50 (40-60)  500 (400-600)          2.50\n"));
}

TEST(ReportTest, ThePersonSeesVersionsFlagsAndThatFsyncIsOn) {
  const std::string text = CoordText(Flags(), TwoSystems());
  for (const char* part : {"2 cores", "etcd 1.2, 3 nodes", "on: each batch", "etcd-server --id 1", "/var/tmp (ext4)", "5s"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("WARNING")));
}

TEST(ReportTest, DataInMemoryIsWarnedOf) {
  CoordReport report = TwoSystems();
  report.machine.file_system = "tmpfs";
  EXPECT_THAT(CoordText(Flags(), report), HasSubstr("WARNING"));
}

TEST(ReportTest, MeasurementsThatWereThrownAwayAreTold) {
  CoordReport report = TwoSystems();
  report.points[1].failures = {"etcd: leader changed"};
  EXPECT_THAT(CoordText(Flags(), report), HasSubstr("\nmeasured anew: set 4x64: etcd: leader changed\n"));
  EXPECT_THAT(CoordText(Flags(), TwoSystems()), Not(HasSubstr("anew")));
  const auto json = nlohmann::json::parse(CoordJson(Flags(), report));
  EXPECT_EQ(json["results"][0]["failures"].size(), 0u);
  EXPECT_EQ(json["results"][1]["failures"][0], "etcd: leader changed");
}

TEST(ReportTest, AProgramFindsEveryMeasurement) {
  const auto json = nlohmann::json::parse(CoordJson(Flags(), TwoSystems()));
  EXPECT_EQ(json["benchmark"], "coord");
  EXPECT_EQ(json["systems"][1]["commands"].size(), 2u);
  EXPECT_EQ(json["machine"]["file_system"], "ext4");
  const auto& etcd = json["results"][1];
  EXPECT_EQ(etcd["system"], "etcd");
  EXPECT_EQ(etcd["workload"], "set");
  EXPECT_EQ(etcd["clients"], 4);
  EXPECT_EQ(etcd["window"], 64);
  EXPECT_EQ(etcd["value_bytes"], 100);
  EXPECT_EQ(etcd["operations_per_second"]["median"], 800);
  EXPECT_EQ(etcd["operations_per_second"]["min"], 500);
  EXPECT_EQ(etcd["p99_us"]["max"], 600);
  EXPECT_EQ(etcd["repetitions"].size(), 3u);
  EXPECT_EQ(etcd["repetitions"][1]["p50_us"], 60);
}

FailoverReport Outages() {
  FailoverReport report;
  report.machine = TwoSystems().machine;
  report.systems = {Facts("drover")};
  report.results = {{"drover", {{1, 0.3}, {3, 0.1}, {2, 0.2}}, 12345, 6}};
  return report;
}

TEST(ReportTest, FailoverTellsMedianAndWorst) {
  const std::string text = FailoverText(Flags(), Outages());
  EXPECT_THAT(text, HasSubstr("drover      3   0.200  0.300  0.100   12345       6\n"));
  EXPECT_THAT(text, HasSubstr("SIGKILL"));
  Flags stop;
  stop.stop = true;
  EXPECT_THAT(FailoverText(stop, Outages()), HasSubstr("SIGSTOP"));
}

TEST(ReportTest, FailoverTellsAProgramEachOutage) {
  const auto json = nlohmann::json::parse(FailoverJson(Flags(), Outages()));
  EXPECT_EQ(json["benchmark"], "failover");
  EXPECT_EQ(json["options"]["signal"], "SIGKILL");
  const auto& result = json["results"][0];
  EXPECT_EQ(result["outages"].size(), 3u);
  EXPECT_EQ(result["outages"][1]["leader"], 3);
  EXPECT_EQ(result["outage_s"]["median"], 0.2);
  EXPECT_EQ(result["outage_s"]["max"], 0.3);
  EXPECT_EQ(result["writes_acknowledged"], 12345);
}

}  // namespace
}  // namespace drover::bench
