// `drover cluster status` as an operator of three nodes meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class ClusterStatusTest : public ::testing::Test {
 protected:
  Cluster cluster_{CoreAlone()};
};

TEST_F(ClusterStatusTest, EveryMemberIsShownThoughOneAloneIsNamed) {
  ASSERT_EQ(cluster_.Drover({"tree", "create", "/made"}).exit_code, 0);
  const nlohmann::json nodes = cluster_.Json({"--coord", cluster_.coord_address(1), "cluster", "status"});
  ASSERT_EQ(nodes.size(), 3u);
  int leaders = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    EXPECT_EQ(nodes[i].at("id"), i + 1) << nodes;
    EXPECT_EQ(nodes[i].at("address"), cluster_.coord_address(static_cast<int>(i)));
    EXPECT_EQ(nodes[i].at("reachable"), true);
    EXPECT_EQ(nodes[i].at("serving"), true);
    EXPECT_EQ(nodes[i].at("trouble"), "");
    EXPECT_EQ(nodes[i].at("disk_full"), false);
    EXPECT_GE(nodes[i].at("feature_level"), 1);
    EXPECT_GE(nodes[i].at("feature_level_max"), nodes[i].at("feature_level"));
    EXPECT_GT(nodes[i].at("log_bytes"), 0);
    EXPECT_TRUE(nodes[i].at("lag").is_number()) << nodes;
    leaders += nodes[i].at("role") == "leader" ? 1 : 0;
  }
  EXPECT_EQ(leaders, 1) << nodes;
}

TEST_F(ClusterStatusTest, WhoDoesNotAnswerIsShownAndDelaysNobody) {
  const int leader = cluster_.AwaitCoordLeader();
  const int killed = (leader + 1) % 3;
  const int paused = (leader + 2) % 3;
  cluster_.coord(killed).Kill();
  cluster_.coord(paused).Signal(SIGSTOP);
  // Without a majority the leader steps down, and says so.
  CommandResult result;
  ASSERT_TRUE(Await([&] {
    result = cluster_.Drover({"-o", "json", "cluster", "status"});
    return result.exit_code != 0;
  }));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(nlohmann::json::parse(result.err).at("error").at("code"), "UNAVAILABLE");
  const nlohmann::json nodes = nlohmann::json::parse(result.out);
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_THAT(nodes[static_cast<std::size_t>(leader)].at("trouble"), HasSubstr("no leader is known to this node"));
  for (const int silent : {killed, paused}) {
    const nlohmann::json& node = nodes[static_cast<std::size_t>(silent)];
    EXPECT_EQ(node.at("id"), silent + 1);
    EXPECT_EQ(node.at("reachable"), false);
    EXPECT_FALSE(node.at("error").get<std::string>().empty());
  }
  const CommandResult table = cluster_.Drover({"cluster", "status"});
  EXPECT_EQ(table.exit_code, 7);
  ASSERT_EQ(Lines(table.out).size(), 4u) << table.out;
  for (const int silent : {killed, paused}) {
    EXPECT_THAT(Lines(table.out)[static_cast<std::size_t>(silent) + 1], EndsWith("  UNREACHABLE"));
  }
  EXPECT_THAT(table.err, HasSubstr(cluster_.coord_address(killed) + " (cannot connect: Connection refused)"));
  EXPECT_THAT(table.err, HasSubstr(cluster_.coord_address(paused) + " ("));
  EXPECT_THAT(table.err, Not(HasSubstr("last error"))) << "gRPC's own words";
  EXPECT_THAT(table.err, HasSubstr("the core does not serve: 1 of 3 nodes answered"));
}

TEST_F(ClusterStatusTest, OneNodeThatIsAwayIsShownButTheCoreServes) {
  const int killed = (cluster_.AwaitCoordLeader() + 1) % 3;
  cluster_.coord(killed).Kill();
  const CommandResult table = cluster_.Drover({"cluster", "status"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("  UNREACHABLE\n"));
}

TEST_F(ClusterStatusTest, NodesOfTwoClustersAreARefusal) {
  Cluster other(CoreAlone(1));
  other.AwaitCoordsServing();
  const CommandResult both =
      RunCommand({Binary("drover"), "--coord", cluster_.coord_address(0) + "," + other.coord_address(0), "cluster", "status"});
  EXPECT_EQ(both.exit_code, 8) << both.err;
  EXPECT_EQ(Lines(both.out).size(), 5u) << both.out;
  EXPECT_THAT(both.err, HasSubstr("these are nodes of 2 different clusters"));
}

TEST_F(ClusterStatusTest, WatchedItIsShownUntilCtrlC) {
  const std::string core = cluster_.coord_addresses();
  Process watching({Binary("drover"), "--coord", core, "-o", "jsonl", "cluster", "status", "--watch", "--interval", "100ms"}, {},
                   cluster_.path("watched"));
  watching.Start();
  ASSERT_TRUE(Await([&] { return Lines(watching.Log()).size() >= 9; })) << watching.Log();
  cluster_.coord(2).Kill();
  ASSERT_TRUE(Await([&] { return watching.Log().find("\"reachable\":false") != std::string::npos; }));
  watching.Signal(SIGINT);
  EXPECT_EQ(watching.Wait(), 0);
  const nlohmann::json first = nlohmann::json::parse(Lines(watching.Log()).front());
  EXPECT_THAT(first.at("time").get<std::string>(), EndsWith("Z"));
  EXPECT_EQ(first.at("id"), 1);

  Process table({Binary("drover"), "--coord", core, "cluster", "status", "--watch", "--interval", "100ms"}, {},
                cluster_.path("table"));
  table.Start();
  ASSERT_TRUE(Await([&] { return table.Log().find("writes/s") != std::string::npos; })) << table.Log();
  EXPECT_THAT(table.Log(), HasSubstr("answered 2/3"));
  EXPECT_THAT(table.Log(), Not(HasSubstr("\033")));
  table.Signal(SIGTERM);
  EXPECT_EQ(table.Wait(), 0);

  const CommandResult json = cluster_.Drover({"-o", "json", "cluster", "status", "--watch"});
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_THAT(json.err, HasSubstr("jsonl"));
  for (const std::string interval : {"0s", "99ms"}) {
    const CommandResult often = cluster_.Drover({"cluster", "status", "--watch", "--interval", interval});
    EXPECT_EQ(often.exit_code, 2);
    EXPECT_THAT(often.err, HasSubstr("it must be 100ms to"));
  }
}

}  // namespace
}  // namespace drover::testing
