#include "coord/server/member_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drover::coord::server {
namespace {

using Kind = MemberChange::Kind;
using ::testing::HasSubstr;

raft::Member Voter(std::uint64_t id, std::uint64_t incarnation = 1) {
  return {base::NodeId(id), base::Incarnation(incarnation), "host" + std::to_string(id) + ":1", true};
}
raft::Member Learner(std::uint64_t id, std::uint64_t incarnation = 1) {
  raft::Member member = Voter(id, incarnation);
  member.voter = false;
  return member;
}
raft::Configuration Of(std::vector<raft::Member> members) {
  return {base::ClusterId(7), std::move(members)};
}
MemberChange Change(Kind kind, std::uint64_t id, std::uint64_t incarnation = 0) {
  const bool place = kind == Kind::kAdd || kind == Kind::kReadmit;
  return {kind, base::NodeId(id), place ? Voter(id).address : "", base::Incarnation(incarnation)};
}

// What it becomes step by step, until nothing is left to do.
std::vector<raft::Configuration> Way(raft::Configuration now, const MemberChange& change) {
  std::vector<raft::Configuration> way;
  while (way.size() < 5) {
    const auto next = NextConfiguration(now, change);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !*next) return way;
    way.push_back(now = **next);
  }
  return way;
}

TEST(MemberChangeTest, ANewMemberComesAsALearnerInTheOrderOfIds) {
  EXPECT_THAT(Way(Of({Voter(1), Voter(3)}), Change(Kind::kAdd, 2, 9)),
              testing::ElementsAre(Of({Voter(1), Learner(2, 9), Voter(3)})));
}

TEST(MemberChangeTest, WhatIsSoAlreadyNeedsNoChange) {
  EXPECT_TRUE(Way(Of({Voter(1), Learner(2, 9)}), Change(Kind::kAdd, 2, 9)).empty());
  EXPECT_TRUE(Way(Of({Voter(1), Voter(2, 9)}), Change(Kind::kReadmit, 2, 9)).empty());
  EXPECT_TRUE(Way(Of({Voter(1), Voter(2)}), Change(Kind::kPromote, 2)).empty());
}

TEST(MemberChangeTest, AMemberMayMove) {
  MemberChange moves = Change(Kind::kAdd, 2, 1);
  moves.address = "elsewhere:1";
  raft::Member moved = Voter(2);
  moved.address = "elsewhere:1";
  EXPECT_THAT(Way(Of({Voter(1), Voter(2)}), moves), testing::ElementsAre(Of({Voter(1), moved})));
}

TEST(MemberChangeTest, AWipedVoterIsRemovedBeforeItComesAsALearner) {
  EXPECT_THAT(Way(Of({Voter(1), Voter(2), Voter(3)}), Change(Kind::kReadmit, 2, 9)),
              testing::ElementsAre(Of({Voter(1), Voter(3)}), Of({Voter(1), Learner(2, 9), Voter(3)})));
  const auto taken = NextConfiguration(Of({Voter(1), Voter(2)}), Change(Kind::kAdd, 2, 9));
  EXPECT_TRUE(absl::IsFailedPrecondition(taken.status()));
  EXPECT_THAT(std::string(taken.status().message()), HasSubstr("drover cluster member readmit 2"));
}

TEST(MemberChangeTest, WhoIsNotThereIsNotFound) {
  const raft::Configuration now = Of({Voter(1), Voter(2)});
  EXPECT_TRUE(absl::IsNotFound(NextConfiguration(now, Change(Kind::kPromote, 3)).status()));
  EXPECT_TRUE(absl::IsNotFound(NextConfiguration(now, Change(Kind::kRemove, 3)).status()));
  MemberChange nowhere = Change(Kind::kReadmit, 3, 1);
  nowhere.address.clear();
  EXPECT_TRUE(absl::IsNotFound(NextConfiguration(now, nowhere).status()));
}

TEST(MemberChangeTest, TheLastVoterStays) {
  const auto only = NextConfiguration(Of({Voter(1)}), Change(Kind::kRemove, 1));
  EXPECT_THAT(std::string(only.status().message()), HasSubstr("the only member"));
  const auto voter = NextConfiguration(Of({Voter(1), Learner(2)}), Change(Kind::kRemove, 1));
  EXPECT_THAT(std::string(voter.status().message()), HasSubstr("the only voter"));
  const auto learner = NextConfiguration(Of({Voter(1), Learner(2)}), Change(Kind::kRemove, 2));
  ASSERT_TRUE(learner.ok() && *learner);
  EXPECT_EQ(**learner, Of({Voter(1)}));
}

TEST(MemberChangeTest, AnAddressBelongsToOneMember) {
  MemberChange same = Change(Kind::kAdd, 3, 9);
  same.address = Voter(2).address;
  EXPECT_THAT(std::string(NextConfiguration(Of({Voter(1), Voter(2)}), same).status().message()),
              HasSubstr("host2:1 is the address of node 2"));
}

TEST(MemberChangeTest, AQuorumOfWhatComesMustAnswer) {
  const auto ids = [](std::vector<std::uint64_t> all) {
    std::set<base::NodeId> out;
    for (const std::uint64_t id : all) out.insert(base::NodeId(id));
    return out;
  };
  const raft::Configuration three = Of({Voter(1), Voter(2), Voter(3), Learner(4)});
  EXPECT_TRUE(CheckQuorum(three, ids({1, 2})).ok());
  const absl::Status lost = CheckQuorum(three, ids({1, 4}));
  EXPECT_TRUE(absl::IsFailedPrecondition(lost));
  EXPECT_THAT(std::string(lost.message()), HasSubstr("of 3 voters 2 are needed, and 2, 3 do not answer"));
}

}  // namespace
}  // namespace drover::coord::server
