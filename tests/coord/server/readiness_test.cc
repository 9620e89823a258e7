#include "coord/server/readiness.h"

#include <gtest/gtest.h>

namespace drover::coord::server {
namespace {

NodeStatus Serving() {
  NodeStatus status;
  status.leader = base::NodeId(2);
  status.serving = true;
  return status;
}

TEST(ReadinessTest, OneThatServesIsReady) {
  EXPECT_EQ(ReadinessOf(Serving()), Readiness::kReady);
  EXPECT_TRUE(StatusOf(Readiness::kReady).ok());
}

TEST(ReadinessTest, WithoutALeaderThatIsTheReason) {
  NodeStatus status = Serving();
  status.leader = base::NodeId();
  EXPECT_EQ(ReadinessOf(status), Readiness::kNoLeader);
}

TEST(ReadinessTest, AFullDiskIsNamedBeforeTheLeaderThatIsMissed) {
  NodeStatus status = Serving();
  status.leader = base::NodeId();
  status.role = raft::RoleName::kCandidate;
  status.disk_full = true;
  EXPECT_EQ(ReadinessOf(status), Readiness::kCannotVote);
  EXPECT_EQ(StatusOf(Readiness::kCannotVote).message().find("the disk of this node is full"), 0u);
}

TEST(ReadinessTest, ALeaderWhoseEntriesNobodyWritesDownIsNotReady) {
  NodeStatus status = Serving();
  status.role = raft::RoleName::kLeader;
  status.uncommitted_for = kUnwrittenMax;
  EXPECT_EQ(ReadinessOf(status), Readiness::kReady);
  status.uncommitted_for += std::chrono::milliseconds(1);
  EXPECT_EQ(ReadinessOf(status), Readiness::kUnwritten);
  status.disk_full = true;
  EXPECT_EQ(ReadinessOf(status), Readiness::kDiskFull) << "what can be mended here comes first";
}

TEST(ReadinessTest, OneThatIsBehindSaysSo) {
  NodeStatus status = Serving();
  status.serving = false;
  EXPECT_EQ(ReadinessOf(status), Readiness::kCatchingUp);
}

TEST(ReadinessTest, AFullDiskServesReadsAlone) {
  NodeStatus status = Serving();
  status.disk_full = true;
  status.role = raft::RoleName::kLeader;
  EXPECT_EQ(ReadinessOf(status), Readiness::kDiskFull);
}

TEST(ReadinessTest, AFullDiskOfOneThatDoesNotLeadIsNoPlaceForClients) {
  NodeStatus status = Serving();
  status.disk_full = true;
  status.role = raft::RoleName::kFollower;
  EXPECT_EQ(ReadinessOf(status), Readiness::kSendsAway);
  status.serving = false;
  EXPECT_EQ(ReadinessOf(status), Readiness::kSendsAway) << "that it is behind comes of it";
}

TEST(ReadinessTest, OneThatStartsSaysHowFarItIs) {
  EXPECT_EQ(StatusOf(Readiness::kStarting, {StartPhase::kSnapshot, 43}).message(), "this node starts: it reads its snapshot, 43 %");
  EXPECT_EQ(StatusOf(Readiness::kStarting, {StartPhase::kLog, 7}).message(), "this node starts: it reads its log, 7 %");
}

TEST(ReadinessTest, EveryOtherStateIsUnavailableAndSaysWhy) {
  for (const Readiness readiness : {Readiness::kStarting, Readiness::kForming, Readiness::kNoLeader, Readiness::kCannotVote,
                                    Readiness::kCatchingUp, Readiness::kDiskFull, Readiness::kSendsAway}) {
    EXPECT_TRUE(absl::IsUnavailable(StatusOf(readiness)));
    EXPECT_FALSE(StatusOf(readiness).message().empty());
  }
}

}  // namespace
}  // namespace drover::coord::server
