#include "tests/bench/systems/zookeeper.h"

#include <gtest/gtest.h>

namespace drover::bench {
namespace {

std::string Answer(const std::string& mode, const std::string& zxid = "0x100000002") {
  return "Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2023-11-28\nLatency min/avg/max: 0/0.0/0\nReceived: 1\nSent: 0\n"
         "Connections: 1\nOutstanding: 0\nZxid: " +
         zxid + "\nMode: " + mode + "\nNode count: 5\n";
}

TEST(ZooKeeperTest, TheLeaderSaysThatItLeads) {
  const auto state = ParseZooKeeperState(Answer("leader"));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->leads);
  EXPECT_EQ(state->version, "3.8.0");
  EXPECT_EQ(state->applied, 0x100000002u);
  EXPECT_EQ(state->known, 0x100000002u);
}

TEST(ZooKeeperTest, AFollowerDoesNotLeadAndASingleServerDoes) {
  EXPECT_FALSE(ParseZooKeeperState(Answer("follower"))->leads);
  EXPECT_TRUE(ParseZooKeeperState(Answer("standalone"))->leads);
}

TEST(ZooKeeperTest, ALeaderThatHasChangedNothingYetKnowsNothingThatItsFollowersDoNotShow) {
  const auto state = ParseZooKeeperState(Answer("leader", "0x300000000"));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->known, 0u);
  EXPECT_EQ(state->applied, 0x300000000u);
}

TEST(ZooKeeperTest, AServerThatDoesNotServeIsUnavailable) {
  const auto state = ParseZooKeeperState("This ZooKeeper instance is not currently serving requests\n");
  EXPECT_EQ(state.status(), absl::UnavailableError("This ZooKeeper instance is not currently serving requests"));
  EXPECT_EQ(ParseZooKeeperState("").status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace drover::bench
