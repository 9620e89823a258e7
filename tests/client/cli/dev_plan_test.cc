#include "client/cli/dev_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/client/store/temp_directory.h"

namespace drover::cli {
namespace {

using ::testing::ElementsAre;

TEST(DevPlanTest, EveryProcessGetsAllItNeedsOnItsCommandLine) {
  DevOptions options;
  options.masters = 1;
  options.workers = 1;
  options.slots = 7;
  options.pool = "p";
  options.data = "/data";
  options.binaries = "/bin";
  EXPECT_THAT(DevIds(options), ElementsAre("coord-1", "master-1", "worker-1"));
  const DevPlan plan = MakePlan(options, {{"coord-1", 1001}, {"master-1", 1002}, {"worker-1", 1003}},
                                {{"PATH", "/x"}, {"DROVER_HTTP", "127.0.0.1:1"}, {"DROVER_LOG_LEVEL", "debug"}});
  EXPECT_EQ(plan.coord, "127.0.0.1:1001");
  ASSERT_EQ(plan.servers.size(), 3u);
  EXPECT_THAT(plan.servers[0].child.argv,
              ElementsAre("/bin/drover-coord", "--id", "1", "--data", "/data/coord-1", "--listen", "127.0.0.1:1001"));
  EXPECT_THAT(plan.servers[1].child.argv, ElementsAre("/bin/drover-master", "--name", "master-1", "--coord", "127.0.0.1:1001",
                                                      "--pool", "p", "--store", "file:/data/store", "--listen", "127.0.0.1:1002"));
  EXPECT_THAT(plan.servers[2].child.argv,
              ElementsAre("/bin/drover-worker", "--name", "worker-1", "--slots", "7", "--death-report-patience", "10s", "--coord",
                          "127.0.0.1:1001", "--pool", "p", "--store", "file:/data/store", "--listen", "127.0.0.1:1003"));
  for (const DevServer& server : plan.servers) {
    EXPECT_EQ(server.child.log, "/data/" + server.child.id + ".log");
    // What is meant for commands in the same shell does not reach the servers.
    EXPECT_EQ(server.child.environment, (std::map<std::string, std::string>{{"PATH", "/x"}, {"DROVER_LOG_LEVEL", "debug"}}));
  }
}

TEST(DevPlanTest, PortsAreDistinctAndStayTheSameInTheSameDirectory) {
  store::TempDirectory directory;
  const std::vector<std::string> ids = {"coord-1", "master-1", "master-2", "worker-1"};
  auto first = PickPorts(ids, directory.path());
  ASSERT_TRUE(first.ok()) << first.status();
  std::set<int> distinct;
  for (const auto& [id, port] : *first) distinct.insert(port);
  EXPECT_EQ(distinct.size(), ids.size());
  EXPECT_FALSE(distinct.contains(0));
  auto second = PickPorts(ids, directory.path());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(*first, *second);
}

}  // namespace
}  // namespace drover::cli
