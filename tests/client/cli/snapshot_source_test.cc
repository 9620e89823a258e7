#include "client/cli/snapshot_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SurveyedNode Node(std::uint64_t id, const std::string& role, bool serving = true, std::uint64_t cluster = 7) {
  SurveyedNode node;
  node.address = "node" + std::to_string(id);
  node.id = id;
  coord::NodeStatus status;
  status.node_id = id;
  status.cluster_id = cluster;
  status.role = role;
  status.serving = serving;
  if (!serving) status.trouble = "no leader";
  node.status = status;
  return node;
}

SurveyedNode Silent(std::uint64_t id) {
  SurveyedNode node;
  node.address = "node" + std::to_string(id);
  node.id = id;
  node.status = absl::UnavailableError("connection refused");
  return node;
}

std::vector<std::uint64_t> Ids(const std::vector<SurveyedNode>& nodes) {
  std::vector<std::uint64_t> ids;
  for (const SurveyedNode& node : nodes) ids.push_back(node.id);
  return ids;
}

TEST(SnapshotSourceTest, WhoFollowsIsAskedBeforeWhoLeads) {
  const auto sources = SnapshotSources({Node(1, "leader"), Node(2, "follower"), Silent(3), Node(4, "follower", false)}, 0);
  ASSERT_TRUE(sources.ok()) << sources.status();
  EXPECT_THAT(Ids(*sources), ElementsAre(2, 1));
}

TEST(SnapshotSourceTest, TheOneThatIsNamedAloneIsAsked) {
  const auto sources = SnapshotSources({Node(1, "leader"), Node(2, "follower")}, 1);
  ASSERT_TRUE(sources.ok()) << sources.status();
  EXPECT_THAT(Ids(*sources), ElementsAre(1));
}

TEST(SnapshotSourceTest, WhyNobodyCanIsTold) {
  const auto named = SnapshotSources({Node(1, "leader"), Silent(2)}, 2);
  EXPECT_EQ(named.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(named.status().message()), HasSubstr("node 2 does not serve: node2: connection refused"));
  const auto any = SnapshotSources({Node(1, "follower", false), Silent(2)}, 0);
  EXPECT_THAT(std::string(any.status().message()),
              HasSubstr("no coordination node serves: node1: no leader; node2: connection refused"));
  EXPECT_EQ(SnapshotSources({Node(1, "leader")}, 3).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(SnapshotSources({Silent(0)}, 3).status().code(), absl::StatusCode::kUnavailable) << "it may be that one";
}

TEST(SnapshotSourceTest, AnotherIsAskedWhereItMayHaveWhatOneHasNot) {
  EXPECT_TRUE(AnotherMayGive(absl::UnavailableError("its snapshot is damaged")));
  EXPECT_TRUE(AnotherMayGive(absl::NotFoundError("no such file")));
  EXPECT_TRUE(AnotherMayGive(absl::DataLossError("a part is damaged")));
  EXPECT_TRUE(AnotherMayGive(absl::ResourceExhaustedError("its disk is full")));
  EXPECT_TRUE(AnotherMayGive(absl::DeadlineExceededError("nothing came")));
  EXPECT_FALSE(AnotherMayGive(absl::CancelledError("interrupted")));
  EXPECT_FALSE(AnotherMayGive(absl::UnimplementedError("of a newer program")));
}

TEST(SnapshotSourceTest, AllReasonsAreToldIfNobodyGaveIt) {
  const absl::Status busy = absl::ResourceExhaustedError("two already");
  EXPECT_EQ(NobodyGave({{"a:1", busy}, {"b:1", busy}}), absl::ResourceExhaustedError("a:1: two already; b:1: two already"));
  EXPECT_EQ(NobodyGave({{"a:1", absl::DataLossError("damaged")}, {"b:1", busy}}),
            absl::UnavailableError("a:1: damaged; b:1: two already"));
  EXPECT_EQ(NobodyGave({{"a:1", absl::NotFoundError("no such file")}}), absl::UnavailableError("a:1: no such file"))
      << "it is the node that has it not; there is no such thing as a backup that was asked for";
}

TEST(SnapshotSourceTest, NodesOfTwoClustersAreRefused) {
  const auto sources = SnapshotSources({Node(1, "leader"), Node(2, "leader", true, 8)}, 1);
  EXPECT_EQ(sources.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace drover::cli
