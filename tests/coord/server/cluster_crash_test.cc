// A node dies before the n-th step of what it performs, for every n: sessions that end leave nothing behind, and states stay equal.
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include "tests/coord/server/sim_cluster.h"
#include "tests/coord/server/sim_core.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Victim { kLeader, kAttached, kThird };
enum class Ending { kClosed, kExpired, kNotEnded };

// Three nodes of which one can be told to die before its n-th step from now.
class DyingCluster {
 public:
  explicit DyingCluster(std::uint64_t seed) : cluster(3, seed) {
    for (int id = 1; id <= 3; ++id) Start(id);
    leader = cluster.AwaitLeader();
    attached = leader % 3 + 1;
    third = 6 - leader - attached;
  }

  void Start(int id) {
    cluster.options.before_step = [this, id](PerformStep) { return id != victim_ || ++steps_ != step_ || !(died = true); };
    cluster.Start(id);
  }
  void Doom(int victim, std::uint64_t step) {
    victim_ = victim;
    step_ = step;
    steps_ = 0;
  }
  // Whoever was to die and did is crashed and starts again, not doomed any more. The world goes on for so long before it starts.
  void Revive(sim::Survival survival, base::Duration down) {
    const int victim = std::exchange(victim_, 0);
    if (!died) return;
    cluster.Crash(victim, survival);
    cluster.world.RunFor(down);
    Start(victim);
  }

  SimCluster cluster;
  int leader = 0, attached = 0, third = 0;
  bool died = false;

 private:
  int victim_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t steps_ = 0;
};

// A session with three ephemerals and a few writes around them, one of them a transaction, ends as told while the victim dies
// before its n-th step. True if it did die.
bool RunWithCrash(Victim victim, Ending ending, sim::Survival survival, std::uint64_t step) {
  DyingCluster dying(step);
  SimCluster& cluster = dying.cluster;
  EXPECT_NE(dying.leader, 0);
  SimClient client(&cluster.world, &cluster.network, "client", SimCluster::Client(dying.attached));
  client.Connect(ending == Ending::kNotEnded ? 60'000 : 1'000);
  std::uint64_t last = 0;
  for (int i = 0; i < 3; ++i) last = client.Create("/e" + std::to_string(i), "data", true);
  last = client.Create("/stays");
  client.Flush();
  EXPECT_EQ(client.AwaitWrite(last).code(), v1::OK);

  dying.Doom(victim == Victim::kLeader ? dying.leader : victim == Victim::kAttached ? dying.attached : dying.third, step);
  v1::Transaction* both = client.NewWrite()->mutable_transaction();
  both->add_then()->mutable_set()->set_path("/stays");
  both->add_then()->mutable_create()->set_path("/stays/child");
  last += 1;
  if (ending == Ending::kClosed) last = client.CloseSession();
  if (ending == Ending::kNotEnded) last = client.Create("/stays/e", "", true);
  client.Flush();
  const base::SessionId session(client.session);
  const auto over = [&] {
    if (dying.died || client.closed) return true;
    if (ending != Ending::kExpired) return client.Written(last) != nullptr;
    for (int id = 1; id <= 3; ++id) {
      if (cluster.node(id)->state().sessions().Find(session) != nullptr) return false;
    }
    return true;
  };
  EXPECT_TRUE(cluster.world.RunUntil(over, seconds(10)));
  const bool died = dying.died;
  dying.Revive(survival, milliseconds(step % 3 * 100));
  EXPECT_NE(cluster.AwaitLeader(), 0);
  // The client finds out what became of it, at the nodes that were not the victim, too.
  if (ending != Ending::kExpired && client.Written(last) == nullptr) {
    client.node = SimCluster::Client(step % 2 == 0 ? dying.attached : dying.third);
    client.Dial();
    client.Resume();
    EXPECT_TRUE(client.RunUntil([&] { return client.grant.has_value() || client.closed; }));
    if (client.grant) {
      client.Resend(last - 1);
      EXPECT_EQ(client.AwaitWrite(last).code(), v1::OK);
    } else {
      EXPECT_EQ(ending, Ending::kClosed) << client.status;
      EXPECT_EQ(client.status.code(), absl::StatusCode::kNotFound) << client.status;
    }
  }
  const bool ends = ending != Ending::kNotEnded;
  const auto gone = [&] {
    for (int id = 1; id <= 3; ++id) {
      if ((cluster.node(id)->state().sessions().Find(session) == nullptr) != ends) return false;
    }
    return true;
  };
  EXPECT_TRUE(cluster.world.RunUntil(gone, seconds(10)));
  EXPECT_TRUE(cluster.AwaitEqual()) << "states differ";
  for (int id = 1; id <= 3; ++id) {
    const tree::Tree& tree = cluster.node(id)->state().tree();
    const tree::Ephemerals* left = tree.EphemeralsOf(session);
    EXPECT_EQ(left == nullptr ? 0 : left->size(), ends ? 0U : 4U) << "node " << id;
    EXPECT_EQ(tree.Find("/e0") == nullptr, ends) << "node " << id;
    EXPECT_EQ(tree.ephemerals().size(), ends ? 0U : 1U) << "node " << id;
    EXPECT_NE(tree.Find("/stays"), nullptr) << "node " << id;
    EXPECT_TRUE(ending == Ending::kExpired || tree.Find("/stays/child") != nullptr) << "node " << id;
  }
  return died;
}

class ClusterCrashTest : public ::testing::TestWithParam<std::tuple<Victim, sim::Survival>> {
 protected:
  // The step at which nobody died any more.
  std::uint64_t CrashBeforeEachStep(Ending ending) {
    const auto [victim, survival] = GetParam();
    std::uint64_t step = 1;
    while (RunWithCrash(victim, ending, survival, step)) {
      if (HasFailure()) {
        ADD_FAILURE() << "step " << step;
        break;
      }
      ++step;
    }
    return step;
  }
};

TEST_P(ClusterCrashTest, ASessionThatIsClosedLeavesNoEphemeralOnAnyNode) {
  EXPECT_GT(CrashBeforeEachStep(Ending::kClosed), 12U);
}
TEST_P(ClusterCrashTest, ASessionThatExpiresLeavesNoEphemeralOnAnyNode) {
  EXPECT_GT(CrashBeforeEachStep(Ending::kExpired), 24U);
}
TEST_P(ClusterCrashTest, StatesStayEqualAndALivingSessionKeepsItsEphemerals) {
  EXPECT_GT(CrashBeforeEachStep(Ending::kNotEnded), 12U);
}

INSTANTIATE_TEST_SUITE_P(WhoDies, ClusterCrashTest,
                         ::testing::Combine(::testing::Values(Victim::kLeader, Victim::kAttached, Victim::kThird),
                                            ::testing::Values(sim::Survival::kNothing, sim::Survival::kEverything)));

// All machines lose power at once, at one moment after another of a pipeline of writes, and twice: the second time while they
// elect.
TEST(PowerLossTest, OfAllNodesAtAnyMomentLosesNothingAcknowledged) {
  std::size_t most = 0, fewest = 1'000;
  for (const sim::Survival survival : {sim::Survival::kNothing, sim::Survival::kRandom}) {
    for (std::uint64_t moment = 0; moment < 60; ++moment) {
      SCOPED_TRACE("moment " + std::to_string(moment) + " survival " + std::to_string(static_cast<int>(survival)));
      SimCluster cluster(3, 1 + moment);
      cluster.StartAll();
      const int leader = cluster.AwaitLeader();
      ASSERT_NE(leader, 0);
      SimClient client(&cluster.world, &cluster.network, "client", SimCluster::Client(leader));
      client.Connect(60'000);
      std::uint64_t last = 0;
      for (int i = 0; i < 12; ++i) {
        last = client.Create("/p-", "", false, true);
        client.Flush();
        cluster.world.RunFor(std::chrono::microseconds(200));
      }
      cluster.world.RunFor(std::chrono::microseconds(50) * moment);
      const auto acknowledged = client.write_answers;
      most = std::max(most, acknowledged.size());
      fewest = std::min(fewest, acknowledged.size());
      for (int id = 1; id <= 3; ++id) cluster.Crash(id, survival);
      cluster.StartAll();
      cluster.world.RunFor(milliseconds(moment * 20));
      for (int id = 1; id <= 3; ++id) cluster.Crash(id, survival);
      cluster.StartAll();
      ASSERT_NE(cluster.AwaitLeader(), 0);
      ASSERT_TRUE(cluster.AwaitEqual());
      for (const auto& [number, answer] : acknowledged) {
        EXPECT_NE(cluster.node(1)->state().tree().Find(answer.path()), nullptr) << "lost: write " << number;
      }
      client.Reconnect();
      EXPECT_GE(client.grant->last_write(), acknowledged.empty() ? 0 : acknowledged.rbegin()->first);
      client.write_answers.clear();
      client.Resend(1);
      ASSERT_EQ(client.AwaitWrite(last).code(), v1::OK);
      for (const auto& [number, answer] : acknowledged) EXPECT_EQ(client.Written(number)->path(), answer.path());
      ASSERT_TRUE(cluster.AwaitEqual());
      EXPECT_EQ(cluster.node(1)->state().tree().node_count(), 13U) << "a write was lost or done twice";
      if (::testing::Test::HasFailure()) return;
    }
  }
  EXPECT_EQ(most, 12U) << "the moments were too early";
  EXPECT_LT(fewest, 12U) << "the moments were too late";
}

}  // namespace
}  // namespace drover::coord::server
