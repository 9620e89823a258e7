#include "coord/server/dismissals.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::coord::server {
namespace {

using std::chrono::seconds;

class DismissalsTest : public ::testing::Test {
 protected:
  DismissalsTest() {
    for (std::uint64_t id = 1; id <= 5; ++id) {
      members_.members.push_back(raft::Member{base::NodeId(id), base::Incarnation(id), "a", id <= 3});
    }
  }
  void Dismissed(std::uint64_t by, const std::string& why = "why") { dismissals_.OnDismissed(now_, base::NodeId(by), why); }
  [[nodiscard]] absl::Status Verdict() const { return dismissals_.Verdict(now_, members_); }

  raft::Configuration members_;  // 1 to 3 vote
  base::Instant now_ = base::Instant() + seconds(100);
  Dismissals dismissals_{Dismissals::Options{.window = seconds(10)}};
};

TEST_F(DismissalsTest, AMajorityOfTheVotersIsBelievedAndNamed) {
  Dismissed(3, "third");
  EXPECT_TRUE(Verdict().ok()) << "one";
  Dismissed(2, "second");
  const absl::Status verdict = Verdict();
  EXPECT_TRUE(absl::IsFailedPrecondition(verdict));
  EXPECT_EQ(verdict.message(), "nodes 2, 3 of its 3 members refuse this one: second");
}

TEST_F(DismissalsTest, OneThatDismissesAgainAndAgainIsOne) {
  for (int i = 0; i < 100; ++i) Dismissed(3);
  EXPECT_TRUE(Verdict().ok());
}

TEST_F(DismissalsTest, WhoDoesNotVoteDoesNotCount) {
  for (const std::uint64_t id : {3, 4, 5, 9}) Dismissed(id);
  EXPECT_TRUE(Verdict().ok());
}

TEST_F(DismissalsTest, OfTwoMembersNeitherIsAMajority) {
  members_.members.resize(2);
  Dismissed(2);
  EXPECT_TRUE(Verdict().ok());
}

TEST_F(DismissalsTest, OldOnesAreForgotten) {
  Dismissed(2);
  now_ += seconds(11);
  Dismissed(3);
  EXPECT_TRUE(Verdict().ok());
  Dismissed(2);
  EXPECT_FALSE(Verdict().ok());
  dismissals_.Clear();
  EXPECT_TRUE(Verdict().ok());
}

}  // namespace
}  // namespace drover::coord::server
