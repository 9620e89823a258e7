#include "coord/server/member_levels.h"

#include <optional>

#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using base::FeatureLevel;

raft::Member Member(std::uint64_t id, bool voter = true, std::uint64_t incarnation = 1) {
  return {base::NodeId(id), base::Incarnation(incarnation), "host" + std::to_string(id) + ":1", voter};
}
// Two voters and a learner.
raft::Configuration Three(std::uint32_t level = 1) {
  return {base::ClusterId(7), {Member(1), Member(2), Member(3, false)}, FeatureLevel(level)};
}

class MemberLevelsTest : public ::testing::Test {
 protected:
  void Hear(std::uint64_t id, std::uint32_t known, std::uint32_t promised, std::uint64_t incarnation = 1) {
    levels_.Heard(base::NodeId(id), base::Incarnation(incarnation), FeatureLevel(known), FeatureLevel(promised));
  }
  void HearAll(std::uint32_t known, std::uint32_t promised) {
    for (std::uint64_t id = 1; id <= 3; ++id) Hear(id, known, promised);
  }
  MemberLevels levels_;
};

TEST_F(MemberLevelsTest, TheNextLevelIsWishedWhenAllKnowIt) {
  EXPECT_EQ(levels_.Wish(Three()), std::nullopt);
  Hear(1, 3, 1);
  Hear(2, 2, 1);
  EXPECT_EQ(levels_.Wish(Three()), std::nullopt) << "the learner has not spoken";
  Hear(3, 1, 1);
  EXPECT_EQ(levels_.Wish(Three()), std::nullopt);
  Hear(3, 4, 1);
  EXPECT_EQ(levels_.Wish(Three()), FeatureLevel(2)) << "one at a time";
  EXPECT_EQ(levels_.Wish(Three(2)), std::nullopt) << "node 2 does not know the third";
}

TEST_F(MemberLevelsTest, AProgramThatDoesNotSayKnowsTheFirstLevel) {
  Hear(1, 0, 0);
  EXPECT_EQ(levels_.KnownBy(Member(1)), FeatureLevel(1));
  EXPECT_EQ(levels_.KnownBy(Member(2)), std::nullopt);
}

TEST_F(MemberLevelsTest, WhatIsKnownIsOfTheLastProcessAndAPromiseIsForEver) {
  HearAll(2, 2);
  EXPECT_TRUE(levels_.AllPromised(Three(), FeatureLevel(2)));
  Hear(2, 1, 1);  // a frame of an earlier process that came late
  EXPECT_EQ(levels_.KnownBy(Member(2)), FeatureLevel(1));
  EXPECT_TRUE(levels_.AllPromised(Three(), FeatureLevel(2)));
}

TEST_F(MemberLevelsTest, AllCountLearnersToo) {
  HearAll(2, 2);
  levels_ = MemberLevels();
  Hear(1, 2, 2);
  Hear(2, 2, 2);
  EXPECT_FALSE(levels_.AllPromised(Three(), FeatureLevel(2)));
  Hear(3, 2, 1);
  EXPECT_FALSE(levels_.AllPromised(Three(), FeatureLevel(2)));
  Hear(3, 2, 2);
  EXPECT_TRUE(levels_.AllPromised(Three(), FeatureLevel(2)));
  EXPECT_FALSE(levels_.AllPromised(raft::Configuration(), FeatureLevel(2))) << "nobody has promised nothing";
}

TEST_F(MemberLevelsTest, AnotherLifeOfAMemberHasPromisedNothing) {
  HearAll(2, 2);
  raft::Configuration members = Three();
  members.members[1].incarnation = base::Incarnation(9);
  EXPECT_FALSE(levels_.AllPromised(members, FeatureLevel(2)));
  Hear(2, 2, 1, 9);
  EXPECT_FALSE(levels_.AllPromised(members, FeatureLevel(2)));
  EXPECT_EQ(levels_.Wish(members), FeatureLevel(2));
  levels_.Keep(Three());
  EXPECT_EQ(levels_.KnownBy(members.members[1]), std::nullopt) << "forgotten";
}

}  // namespace
}  // namespace drover::coord::server
