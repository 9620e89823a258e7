// A member whose directory was lost comes back with an empty one: what it is told, by whom, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/coord/server/sim_cluster.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = MemberChange::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Another member's word that it was let in came before the leader's that its earlier life was removed: it took itself for removed.
TEST(ClusterReadmissionTest, TheWordOfTheEarlierLifesRemovalMayComeLate) {
  // From the moment on at which the other one has spoken to it, and so is asked by it.
  for (milliseconds moment{0}; moment < seconds(1); moment += milliseconds(20)) {
    SCOPED_TRACE(moment.count());
    SimCluster cluster(5);
    const int leader = cluster.Found(5);
    ASSERT_NE(leader, 0);
    const int wiped = leader % 5 + 1;
    const int speaks = wiped % 5 + 1;
    cluster.Crash(wiped);
    cluster.Wipe(wiped);
    cluster.StartJoining(wiped);
    // One that hears no leader asks everybody, over and over again.
    for (int id = 1; id <= 5; ++id) {
      if (id != wiped) cluster.network.Cut(SimCluster::Host(id), SimCluster::Host(speaks));
    }
    cluster.world.RunFor(seconds(5) + moment);
    cluster.network.HealAll();
    cluster.network.SetLatency(SimCluster::Host(leader), SimCluster::Host(wiped), milliseconds(60), milliseconds(60));
    ASSERT_EQ(cluster.Change(Kind::kReadmit, wiped), absl::OkStatus());
    ASSERT_EQ(cluster.Change(Kind::kPromote, wiped), absl::OkStatus());
    ASSERT_TRUE(cluster.AwaitEqual());
    ASSERT_TRUE(cluster.refused(wiped).ok()) << cluster.refused(wiped);
  }
}

// Started as ever it would have founded a second cluster, at an address where clients look for the first one.
TEST(ClusterReadmissionTest, TheFirstNodeOfAClusterThatGrewLosesItsDirectoryAndFoundsNoSecondOne) {
  SimCluster cluster(3);
  cluster.options.found_after = seconds(2);
  ASSERT_EQ(cluster.Found(1), 1);
  for (const int id : {2, 3}) {
    cluster.StartJoining(id);
    ASSERT_EQ(cluster.Change(Kind::kAdd, id), absl::OkStatus());
    ASSERT_EQ(cluster.Change(Kind::kPromote, id), absl::OkStatus());
  }
  for (const bool named : {true, false}) {
    SCOPED_TRACE(named);
    if (!named) cluster.initial.clear();
    cluster.Crash(1);
    cluster.Wipe(1);
    cluster.Start(1);
    cluster.world.RunFor(seconds(30));
    ASSERT_EQ(cluster.node(1), nullptr);
    EXPECT_THAT(cluster.process(1)->Waiting(),
                AllOf(HasSubstr("node 1 is a member of cluster"), HasSubstr("drover cluster member readmit 1")));
    ASSERT_EQ(cluster.Change(Kind::kReadmit, 1), absl::OkStatus());
    ASSERT_EQ(cluster.Change(Kind::kPromote, 1), absl::OkStatus());
    ASSERT_TRUE(cluster.AwaitEqual());
  }
}

TEST(ClusterReadmissionTest, WhomNobodyHasAsAMemberFoundsAClusterAfterAMoment) {
  SimCluster cluster(1);
  cluster.options.found_after = seconds(2);
  cluster.Start(1);
  EXPECT_EQ(cluster.node(1), nullptr);
  EXPECT_THAT(cluster.process(1)->Waiting(), HasSubstr("listening whether a cluster has this node as a member"));
  const base::Instant begin = cluster.world.Now();
  ASSERT_EQ(cluster.AwaitLeader(), 1);
  EXPECT_GE(cluster.world.Now() - begin, seconds(2));
  cluster.Crash(1);
  cluster.Start(1);
  EXPECT_NE(cluster.node(1), nullptr) << "it has a log";
}

// Between its log's first file and the first entry of that, a directory looked like one that is to found the log's cluster.
TEST(ClusterReadmissionTest, WhereverANodeDiesThatIsAddedItFoundsNoClusterWithoutTheFlag) {
  for (std::uint64_t call = 1; call <= 40; ++call) {
    SCOPED_TRACE(call);
    SimCluster cluster(4, call);
    cluster.options.found_after = seconds(2);
    ASSERT_NE(cluster.Found(3), 0);
    cluster.files(4).StopAtCall(call);
    if (!cluster.TryStart(4, /*join=*/true).ok()) continue;  // before it listens
    const absl::Status added = cluster.Change(Kind::kAdd, 4);
    cluster.world.RunFor(seconds(1));
    cluster.Crash(4, call % 2 == 0 ? sim::Survival::kNothing : sim::Survival::kRandom);
    cluster.initial.clear();
    cluster.Start(4);
    if (!added.ok()) continue;  // it has never answered
    cluster.world.RunFor(seconds(10));
    if (cluster.node(4) == nullptr) {  // even what it had said of itself was lost
      ASSERT_EQ(cluster.Change(Kind::kReadmit, 4), absl::OkStatus());
    }
    ASSERT_TRUE(cluster.AwaitEqual());
    EXPECT_EQ(cluster.node(4)->Status().cluster, cluster.node(1)->Status().cluster);
    EXPECT_FALSE(cluster.node(4)->raft().leads());
  }
}

}  // namespace
}  // namespace drover::coord::server
