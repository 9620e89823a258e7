// How nodes with different lists part. That one list makes one cluster is in cluster_test.cc.
#include "coord/server/formation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace drover::coord::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kList[] = "1=a:1,2=b:1,3=c:1";
constexpr char kOther[] = "1=a:1,2=b:1,3=elsewhere:1";

Formation NewFormation(std::uint64_t id, const std::string& list, std::int64_t started) {
  return Formation({base::NodeId(id), base::Incarnation(id), base::ClusterId(7), base::WallTime(started)},
                   *ParseInitialCluster(list));
}
PeerHeader From(std::uint64_t id) {
  PeerHeader header;
  header.from = base::NodeId(id);
  header.from_incarnation = base::Incarnation(id);
  return header;
}

TEST(FormationTest, OfTwoListsTheLaterOneGivesWayAndBothAreTold) {
  Formation early = NewFormation(3, kOther, 1'000);
  Formation late = NewFormation(1, kList, 2'000);
  const auto answer = late.OnHello(From(3), early.NextRound());
  EXPECT_THAT(std::string(late.failed().message()),
              AllOf(HasSubstr(kList), HasSubstr(kOther), HasSubstr("give all nodes the same")));
  ASSERT_TRUE(answer.ok() && answer->has_value()) << "the other one would not know";
  const auto dismissed = early.OnHello(From(1), **answer);
  EXPECT_TRUE(absl::IsFailedPrecondition(dismissed.status()));
  EXPECT_THAT(std::string(dismissed.status().message()), AllOf(HasSubstr(kList), HasSubstr(kOther)));
  EXPECT_TRUE(early.failed().ok()) << "it goes on waiting";
}

TEST(FormationTest, WhoeverHearsFirstTheSameOneGivesWay) {
  Formation early = NewFormation(3, kOther, 1'000);
  Formation late = NewFormation(1, kList, 2'000);
  const auto dismissed = early.OnHello(From(1), late.NextRound());
  EXPECT_TRUE(absl::IsFailedPrecondition(dismissed.status()));
  late.OnDismissed(base::NodeId(3), dismissed.status());
  EXPECT_THAT(std::string(late.failed().message()), AllOf(HasSubstr("node 3 refuses"), HasSubstr(kList), HasSubstr(kOther)));
  EXPECT_TRUE(early.failed().ok());
}

TEST(FormationTest, OfTwoThatBeganAtTheSameMomentOneGivesWay) {
  Formation first = NewFormation(1, kList, 1'000);
  Formation second = NewFormation(3, kOther, 1'000);
  EXPECT_FALSE(first.OnHello(From(3), second.NextRound()).ok());
  EXPECT_TRUE(second.OnHello(From(1), first.NextRound()).ok());
  EXPECT_TRUE(first.failed().ok());
  EXPECT_FALSE(second.failed().ok());
}

TEST(FormationTest, WhoIsRestoredWaitsForAnEarlierDirectoryToBeMovedAwayAndSaysSo) {
  Formation::Self self{base::NodeId(1), base::Incarnation(1), base::ClusterId(7), base::WallTime(1'000)};
  self.restored = true;
  Formation formation(self, *ParseInitialCluster(kList));
  EXPECT_EQ(formation.NextRound().restored, base::ClusterId(7));
  EXPECT_EQ(NewFormation(1, kList, 1'000).NextRound().restored, base::ClusterId()) << "nothing is restored there";
  EXPECT_THAT(
      formation.OnEarlierDirectory(base::NodeId(2), base::ClusterId(5)),
      AllOf(HasSubstr("begins cluster 7; the data directory of node 2 is of cluster 5"), HasSubstr("move its directory away")));
  EXPECT_TRUE(formation.failed().ok());
  EXPECT_THAT(formation.Waiting(), AllOf(HasSubstr("waiting for nodes 2, 3"), HasSubstr("node 2 is of another cluster, 5")));
  ASSERT_TRUE(formation.OnHello(From(2), NewFormation(2, kList, 2'000).NextRound()).ok());
  EXPECT_EQ(formation.Waiting(), "waiting for node 3 of the initial cluster");
}

TEST(FormationTest, AClusterOfOtherMembersIsNotJoined) {
  Formation formation = NewFormation(1, kList, 1'000);
  raft::Configuration founded;
  founded.cluster = base::ClusterId(9);
  const InitialMembers others = *ParseInitialCluster(kOther);
  for (const auto& [id, address] : others) {
    founded.members.push_back(raft::Member{id, base::Incarnation(id.value), address, true});
  }
  formation.OnFound(From(3), Found{raft::EncodeConfiguration(founded)});
  EXPECT_FALSE(formation.formed().has_value());
  EXPECT_THAT(std::string(formation.failed().message()), AllOf(HasSubstr(kList), HasSubstr(kOther)));
}

}  // namespace
}  // namespace drover::coord::server
