#include "client/cli/core_survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>

namespace drover::cli {
namespace {

using ::testing::ElementsAre;

// Nodes by address; who is not there does not answer.
class CoreSurveyTest : public ::testing::Test {
 protected:
  coord::NodeStatus& Node(const std::string& address, std::uint64_t id, std::uint64_t cluster = 7) {
    coord::NodeStatus& status = nodes_[address];
    status.node_id = id;
    status.cluster_id = cluster;
    status.role = "follower";
    status.leader_id = 1;
    status.boot = id;
    return status;
  }
  void Know(coord::NodeStatus* node, const std::vector<std::pair<std::uint64_t, std::string>>& members) {
    for (const auto& [id, address] : members) node->members.push_back({id, address, "", 10 * id, 0});
  }
  std::vector<SurveyedNode> Survey(const std::vector<std::string>& addresses) {
    return SurveyCore(addresses, [this](const std::string& address) -> absl::StatusOr<coord::NodeStatus> {
      const std::lock_guard lock(mu_);
      ++asked_[address];
      const auto node = nodes_.find(address);
      if (node == nodes_.end()) return absl::UnavailableError("nobody");
      return node->second;
    });
  }
  static std::vector<std::pair<std::uint64_t, std::string>> Rows(const std::vector<SurveyedNode>& nodes) {
    std::vector<std::pair<std::uint64_t, std::string>> rows;
    for (const SurveyedNode& node : nodes) rows.emplace_back(node.id, node.address + (node.status.ok() ? "" : "!"));
    return rows;
  }
  using Row = std::pair<std::uint64_t, std::string>;

  std::mutex mu_;
  std::map<std::string, coord::NodeStatus> nodes_;
  std::map<std::string, int> asked_;
};

TEST_F(CoreSurveyTest, MembersThatNobodyNamedAreAskedToo) {
  Know(&Node("b", 2), {{1, "a"}, {2, "b"}, {3, "c"}});
  Node("a", 1);
  EXPECT_THAT(Rows(Survey({"b"})), ElementsAre(Row(1, "a"), Row(2, "b"), Row(3, "c!")));
  EXPECT_EQ(asked_, (std::map<std::string, int>{{"a", 1}, {"b", 1}, {"c", 1}}));
}

// Three voters, node 1 of which leads.
class DiskTroubleTest : public CoreSurveyTest {
 protected:
  DiskTroubleTest() {
    for (std::uint64_t id = 1; id <= 3; ++id) Know(&Node(Address(id), id), {{1, "1"}, {2, "2"}, {3, "3"}});
    nodes_["1"].role = "leader";
  }
  static std::string Address(std::uint64_t id) { return std::to_string(id); }
  void Fill(std::uint64_t id) { nodes_[Address(id)].disk_full = true; }
  // Who, and a "!" if nothing can be written.
  std::string Trouble() {
    const std::optional<DiskTrouble> trouble = FindDiskTrouble(Survey({"1", "2", "3"}));
    return trouble ? trouble->who + (trouble->no_write ? "!" : "") : "";
  }
};

TEST_F(DiskTroubleTest, OneOfThreeIsNamedAndStopsNothing) {
  EXPECT_EQ(Trouble(), "");
  Fill(2);
  EXPECT_EQ(Trouble(), "the disk of node 2 is full");
}

TEST_F(DiskTroubleTest, TheFollowersDisksStopTheWritesOfALeaderThatHasSpace) {
  Fill(2);
  Fill(3);
  EXPECT_EQ(Trouble(), "the disks of nodes 2 and 3 are full!");
  nodes_["1"].role = "candidate";
  EXPECT_EQ(Trouble(), "the disks of nodes 2 and 3 are full!");
}

TEST_F(DiskTroubleTest, OneThatIsAwayCountsWithOneThatIsFull) {
  Fill(2);
  nodes_.erase("3");
  EXPECT_EQ(Trouble(), "the disk of node 2 is full") << "the leader hears it";
  nodes_["1"].members[2].silent_ms = 1'000;
  EXPECT_EQ(Trouble(), "the disk of node 2 is full, and node 3 does not answer!");
  nodes_["1"].role = "candidate";
  nodes_["1"].members[2].silent_ms = 0;
  EXPECT_EQ(Trouble(), "the disk of node 2 is full, and node 3 does not answer!");
}

TEST_F(DiskTroubleTest, LearnersDoNotCount) {
  Fill(2);
  Fill(3);
  nodes_["1"].members[2].role = "learner";
  EXPECT_EQ(Trouble(), "the disk of node 2 is full!") << "of two voters both are needed";
  nodes_["1"].members[1].role = "learner";
  EXPECT_EQ(Trouble(), "");
}

TEST_F(CoreSurveyTest, ANodeReachedAtAnotherAddressIsShownOnce) {
  for (const std::string address : {"a", "alias-of-a"}) Know(&Node(address, 1), {{1, "advertised"}});
  EXPECT_THAT(Rows(Survey({"alias-of-a", "a"})), ElementsAre(Row(1, "alias-of-a")));
}

// A directory was copied, and both are started: one is the member, the other one has no leader.
TEST_F(CoreSurveyTest, ACopyOfANodeIsShownBesideIt) {
  Know(&Node("a", 1), {{1, "a"}, {2, "new"}});
  Node("new", 2);
  coord::NodeStatus& copy = Node("old", 2);
  copy.leader_id = 0;
  copy.boot = 99;
  EXPECT_THAT(Rows(Survey({"a", "old"})), ElementsAre(Row(1, "a"), Row(2, "old"), Row(2, "new")));
}

TEST_F(CoreSurveyTest, ASilentNodeIsKnownByTheOthersWord) {
  Know(&Node("a", 1), {{1, "a"}, {2, "b"}});
  EXPECT_THAT(Rows(Survey({"x", "b", "a"})), ElementsAre(Row(1, "a"), Row(2, "b!"), Row(0, "x!")));
}

TEST_F(CoreSurveyTest, TheNewestLeaderKnowsHowFarBehindTheOthersAre) {
  for (const std::uint64_t id : {1, 2}) {
    coord::NodeStatus& node = Node(id == 1 ? "a" : "b", id);
    node.role = "leader";
    node.term = id;
    if (id == 2) Know(&node, {{1, "a"}, {2, "b"}, {3, "c"}});
  }
  Node("other", 1, 8);
  const std::vector<SurveyedNode> nodes = Survey({"a", "b", "other"});
  ASSERT_THAT(Rows(nodes), ElementsAre(Row(1, "a"), Row(1, "other"), Row(2, "b"), Row(3, "c!")));
  EXPECT_EQ(nodes[0].lag, 10u);
  EXPECT_EQ(nodes[1].lag, std::nullopt) << "of another cluster";
  EXPECT_EQ(nodes[2].lag, 20u);
  EXPECT_EQ(nodes[3].lag, 30u);
}

TEST_F(CoreSurveyTest, WithoutALeaderNobodyKnows) {
  Know(&Node("a", 1), {{1, "a"}});
  EXPECT_EQ(Survey({"a"})[0].lag, std::nullopt);
}

}  // namespace
}  // namespace drover::cli
