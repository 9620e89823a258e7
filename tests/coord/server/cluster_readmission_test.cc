// A member whose directory was lost comes back with an empty one: what it is told, by whom, and when.
#include <gtest/gtest.h>

#include "tests/coord/server/sim_cluster.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = MemberChange::Kind;

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

}  // namespace
}  // namespace drover::coord::server
