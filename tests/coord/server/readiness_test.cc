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
  status.disk_full = true;
  EXPECT_EQ(ReadinessOf(status), Readiness::kNoLeader);
}

TEST(ReadinessTest, OneThatIsBehindSaysSo) {
  NodeStatus status = Serving();
  status.serving = false;
  EXPECT_EQ(ReadinessOf(status), Readiness::kCatchingUp);
}

TEST(ReadinessTest, AFullDiskServesReadsAlone) {
  NodeStatus status = Serving();
  status.disk_full = true;
  EXPECT_EQ(ReadinessOf(status), Readiness::kDiskFull);
}

TEST(ReadinessTest, OneThatStartsSaysHowFarItIs) {
  EXPECT_EQ(StatusOf(Readiness::kStarting, {StartPhase::kSnapshot, 43}).message(), "this node starts: it reads its snapshot, 43 %");
  EXPECT_EQ(StatusOf(Readiness::kStarting, {StartPhase::kLog, 7}).message(), "this node starts: it reads its log, 7 %");
}

TEST(ReadinessTest, EveryOtherStateIsUnavailableAndSaysWhy) {
  for (const Readiness readiness :
       {Readiness::kStarting, Readiness::kForming, Readiness::kNoLeader, Readiness::kCatchingUp, Readiness::kDiskFull}) {
    EXPECT_TRUE(absl::IsUnavailable(StatusOf(readiness)));
    EXPECT_FALSE(StatusOf(readiness).message().empty());
  }
}

}  // namespace
}  // namespace drover::coord::server
