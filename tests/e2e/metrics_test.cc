// Every metric that a server serves is in deploy/METRICS.md, under its kind, and the other way round.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::ContainerEq;

// Name -> kind, of those that begin with `prefix`.
std::map<std::string, std::string> Served(const std::string& page, const std::string& prefix) {
  std::map<std::string, std::string> kinds;
  for (const std::string& line : Lines(page)) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex("# TYPE (" + prefix + "[a-z0-9_]*) ([a-z]+)"))) kinds[match[1]] = match[2];
  }
  return kinds;
}

// A row of its tables: | `name` | kind | meaning |
std::map<std::string, std::string> Documented(const std::string& prefix) {
  std::map<std::string, std::string> kinds;
  for (const std::string& line : Lines(ReadFile(std::string(DROVER_SOURCE_DIR) + "/deploy/METRICS.md"))) {
    std::smatch match;
    const std::regex row("\\| `(" + prefix + R"([a-z0-9_]*)(?:\{[a-z]+\})?` \| ([a-z]+) \| .+ \|)");
    if (std::regex_match(line, match, row)) kinds[match[1]] = match[2];
  }
  return kinds;
}

TEST(MetricsTest, WhatIsServedIsDocumentedAndTheOtherWayRound) {
  ClusterOptions options;
  options.coords = 3;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  ASSERT_EQ(cluster.Drover({"run", "--", "true"}).exit_code, 0);
  const std::map<std::string, std::string> pages = {{"drover_coord_", cluster.CoordPage("/metrics").second},
                                                    {"drover_master_", cluster.MasterPage("/metrics", 0).second},
                                                    {"drover_worker_", cluster.WorkerPage("/metrics", 0).second}};
  for (const auto& [prefix, page] : pages) {
    EXPECT_FALSE(Served(page, prefix).empty()) << page;
    EXPECT_THAT(Documented(prefix), ContainerEq(Served(page, prefix)));
    for (const char* common : {"drover_build_", "process_"}) EXPECT_THAT(Documented(common), ContainerEq(Served(page, common)));
  }
}

}  // namespace
}  // namespace drover::testing
