#include "coord/server/neighbours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drover::coord::server {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Pair;

raft::Member Of(std::uint64_t id, std::uint64_t incarnation, std::string address) {
  return {base::NodeId(id), base::Incarnation(incarnation), std::move(address), true};
}
base::Instant At(int second) {
  return base::Instant() + seconds(second);
}

class NeighboursTest : public testing::Test {
 protected:
  NeighboursTest() { neighbours_.SetConfigurations(two_, two_); }

  const raft::Configuration two_{base::ClusterId(7), {Of(1, 11, "a"), Of(2, 12, "b")}};
  Neighbours neighbours_{base::NodeId(1), {}};
};

TEST_F(NeighboursTest, TheOthersOfTheConfigurationAreDialled) {
  EXPECT_THAT(neighbours_.Addresses(), ElementsAre(Pair(base::NodeId(2), "b")));
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(2)), base::Incarnation(12));
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(3)), base::Incarnation());
}

TEST_F(NeighboursTest, WhoIsRemovedByAnUncommittedEntryIsStillDialled) {
  neighbours_.SetConfigurations(two_, {base::ClusterId(7), {Of(1, 11, "a"), Of(3, 13, "c")}});
  EXPECT_THAT(neighbours_.Addresses(), ElementsAre(Pair(base::NodeId(2), "b"), Pair(base::NodeId(3), "c")));
  EXPECT_TRUE(neighbours_.Named(base::NodeId(2), base::Incarnation(12)));
}

TEST_F(NeighboursTest, TheNewestSaysWhereAMemberIs) {
  const std::uint64_t before = neighbours_.version();
  neighbours_.SetConfigurations(two_, {base::ClusterId(7), {Of(1, 11, "a"), Of(2, 22, "moved")}});
  EXPECT_GT(neighbours_.version(), before);
  EXPECT_THAT(neighbours_.Addresses(), ElementsAre(Pair(base::NodeId(2), "moved")));
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(2)), base::Incarnation(22));
  EXPECT_TRUE(neighbours_.Named(base::NodeId(2), base::Incarnation(12))) << "not gone for good yet";
}

TEST_F(NeighboursTest, AGuestIsAnsweredAsLongAsItSpeaks) {
  neighbours_.Welcome(At(0), Of(4, 14, "d"));
  const std::uint64_t version = neighbours_.version();
  neighbours_.Welcome(At(8), Of(4, 14, "d"));
  neighbours_.Tick(At(15));
  EXPECT_EQ(neighbours_.version(), version);
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(4)), base::Incarnation(14));
  EXPECT_FALSE(neighbours_.Named(base::NodeId(4), base::Incarnation(14)));
  neighbours_.Tick(At(18));
  EXPECT_THAT(neighbours_.Addresses(), ElementsAre(Pair(base::NodeId(2), "b")));
  EXPECT_GT(neighbours_.version(), version);
}

TEST_F(NeighboursTest, AnotherLifeOfAMemberTakesItsPlaceUntilTheConfigurationSaysSo) {
  neighbours_.Welcome(At(0), Of(2, 22, "moved"));
  EXPECT_THAT(neighbours_.Addresses(), ElementsAre(Pair(base::NodeId(2), "moved")));
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(2)), base::Incarnation(22));
  const raft::Configuration readmitted{base::ClusterId(7), {Of(1, 11, "a"), Of(2, 22, "there")}};
  neighbours_.SetConfigurations(readmitted, readmitted);
  EXPECT_THAT(neighbours_.Addresses(), ElementsAre(Pair(base::NodeId(2), "there")));
}

TEST_F(NeighboursTest, WhoWasRemovedIsForgottenWhenAnotherLifeOfItComes) {
  const raft::Configuration one{base::ClusterId(7), {Of(1, 11, "a")}};
  neighbours_.SetConfigurations(one, one);
  neighbours_.Welcome(At(0), Of(2, 12, "b"));
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(2)), base::Incarnation(12));
  const raft::Configuration readmitted{base::ClusterId(7), {Of(1, 11, "a"), Of(2, 22, "b")}};
  neighbours_.SetConfigurations(one, readmitted);
  EXPECT_EQ(neighbours_.IncarnationOf(base::NodeId(2)), base::Incarnation(22));
}

TEST_F(NeighboursTest, GuestsWithoutAnAddressOrTooManyAreNotDialled) {
  neighbours_.Welcome(At(0), Of(3, 13, ""));
  neighbours_.Welcome(At(0), Of(1, 99, "me"));
  for (std::uint64_t id = 10; id < 100; ++id) neighbours_.Welcome(At(0), Of(id, id, "x"));
  EXPECT_EQ(neighbours_.Addresses().size(), 1 + Neighbours::Options().guests_max);
}

}  // namespace
}  // namespace drover::coord::server
