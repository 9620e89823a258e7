#include "client/cli/dev_plan.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
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
  EXPECT_THAT(plan.servers[0].child.argv, ElementsAre("/bin/drover-coord", "--id", "1", "--data", "/data/coord-1",
                                                      "--initial-cluster", "1=127.0.0.1:1001", "--found-after", "0s", "--listen", "127.0.0.1:1001"));
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

TEST(DevPlanTest, SeveralCoordinationNodesKnowEachOtherAndClientsKnowAll) {
  DevOptions options;
  options.coords = 3;
  options.masters = 1;
  options.workers = 0;
  options.data = "/data";
  options.binaries = "/bin";
  const DevPlan plan = MakePlan(options, {{"coord-1", 1001}, {"coord-2", 1002}, {"coord-3", 1003}, {"master-1", 1004}}, {});
  EXPECT_EQ(plan.coord, "127.0.0.1:1001,127.0.0.1:1002,127.0.0.1:1003");
  ASSERT_EQ(plan.servers.size(), 4u);
  EXPECT_THAT(plan.servers[1].child.argv,
              ElementsAre("/bin/drover-coord", "--id", "2", "--data", "/data/coord-2", "--initial-cluster",
                          "1=127.0.0.1:1001,2=127.0.0.1:1002,3=127.0.0.1:1003", "--found-after", "0s", "--listen", "127.0.0.1:1002"));
}

TEST(DevPlanTest, ATakenPortOfAClusterOfSeveralIsRefusedByName) {
  store::TempDirectory directory;
  auto first = PickPorts({"coord-1", "coord-2", "coord-3"}, directory.path());
  ASSERT_TRUE(first.ok()) << first.status();
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(first->at("coord-2")));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  auto second = PickPorts({"coord-1", "coord-2", "coord-3"}, directory.path());
  close(fd);
  ASSERT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(second.status().message().find("coord-2"), absl::string_view::npos) << second.status();
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

TEST(DevPlanTest, WhatIsNotAskedForThisTimeKeepsItsPort) {
  store::TempDirectory directory;
  const std::vector<std::string> all = {"coord-1", "master-1", "master-2", "worker-1"};
  auto first = PickPorts(all, directory.path());
  ASSERT_TRUE(first.ok()) << first.status();
  auto fewer = PickPorts({"coord-1", "master-1"}, directory.path());
  ASSERT_TRUE(fewer.ok()) << fewer.status();
  EXPECT_EQ(fewer->size(), 2u);
  auto again = PickPorts(all, directory.path());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *first);
}

TEST(DevPlanTest, AnotherNumberOfCoordinationNodesIsRefused) {
  store::TempDirectory directory;
  EXPECT_TRUE(CheckCoords(3, directory.path()).ok()) << "nothing is there yet";
  ASSERT_TRUE(PickPorts({"coord-1", "coord-2", "coord-3", "master-1"}, directory.path()).ok());
  EXPECT_TRUE(CheckCoords(3, directory.path()).ok());
  for (int wrong : {1, 5}) {
    const absl::Status refused = CheckCoords(wrong, directory.path());
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("was made with --coords 3, not"), absl::string_view::npos) << refused;
  }
}

TEST(DevPlanTest, TheNodesDirectoriesTellHowManyThereAreWhereNothingElseDoes) {
  store::TempDirectory directory;
  for (int i : {1, 2, 3}) std::filesystem::create_directory(directory.path() + "/coord-" + std::to_string(i));
  EXPECT_TRUE(CheckCoords(3, directory.path()).ok());
  EXPECT_EQ(CheckCoords(1, directory.path()).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace drover::cli
