// A cluster that begins with a restored state: one has it, hands it to the others, and no two of them without it decide anything.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "coord/backup/restore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coord/backup/backup_fixture.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Observer final : NodeObserver {
  void OnStranger(base::NodeId, const std::string&, absl::string_view why) override { strangers.emplace_back(why); }
  void OnDismissed(base::NodeId, absl::string_view why) override { dismissed.emplace_back(why); }

  std::vector<std::string> strangers;
  std::vector<std::string> dismissed;
};

class ClusterRestoreTest : public ClusterFixture {
 protected:
  void RestoreInto(SimCluster* cluster, base::FeatureLevel level = base::kFirstFeatureLevel) {
    base::SeededRandom random(11);
    const auto state = backup::MakeState();
    state->SetFeatureLevel(level);  // of the cluster that the backup is of
    const auto restored = backup::Restore(&cluster->files(1), &random, state.get(), backup::kTaken, base::WallTime(), "/data",
                                          base::NodeId(1), cluster->initial);
    ASSERT_TRUE(restored.ok()) << restored.status();
    restored_ = *restored;
  }
  static bool AwaitVoters(SimCluster* cluster, std::size_t count) {
    return cluster->world.RunUntil(
        [&] {
          for (int id = 1; id <= cluster->size(); ++id) {
            if (cluster->node(id) == nullptr || cluster->node(id)->raft().Inspect().voters != count) return false;
          }
          return true;
        },
        seconds(30));
  }
  // All nodes have the restored state, and only that.
  void ExpectRestored(SimCluster* cluster) {
    ASSERT_NE(cluster->AwaitLeader(), 0);
    ASSERT_TRUE(AwaitVoters(cluster, static_cast<std::size_t>(cluster->size())));
    ASSERT_TRUE(cluster->AwaitEqual());
    for (int id = 1; id <= cluster->size(); ++id) {
      const Node& node = *cluster->node(id);
      EXPECT_EQ(node.Status().cluster, restored_.cluster);
      ASSERT_NE(node.state().tree().Find("/kept"), nullptr) << id;
      EXPECT_EQ(node.state().tree().Find("/kept")->data(), "data");
      EXPECT_EQ(node.state().tree().Find("/kept/gone"), nullptr);
      EXPECT_EQ(node.state().sessions().size(), 0u);
      EXPECT_GE(node.state().last_zxid(), restored_.zxid);
    }
    EXPECT_FALSE(cluster->files(1).Exists("/data/founding.snap"));
  }

  backup::Restored restored_;
};

// The state may hold what only that level's programs understand.
TEST_F(ClusterRestoreTest, TheNewClusterBeginsAtTheLevelOfTheOldOne) {
  RestoreInto(&cluster_, base::FeatureLevel(2));
  cluster_.levels[1] = 1;
  const absl::Status founder = cluster_.TryStart(1);
  EXPECT_EQ(founder.code(), absl::StatusCode::kUnimplemented) << founder;
  cluster_.levels[1] = 2;
  cluster_.levels[3] = 1;
  cluster_.StartAll();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return !cluster_.refused(3).ok(); }, seconds(30)));
  EXPECT_THAT(std::string(cluster_.refused(3).message()), HasSubstr("the cluster is at feature level 2"));
  ASSERT_NE(cluster_.node(1), nullptr);
  EXPECT_EQ(cluster_.node(1)->raft().configuration().feature_level, base::FeatureLevel(2));
  EXPECT_EQ(cluster_.node(1)->feature_level(), base::FeatureLevel(2));
  cluster_.Crash(3);
  cluster_.levels[3] = 2;
  cluster_.Start(3);
  ExpectRestored(&cluster_);
}

TEST_F(ClusterRestoreTest, AllMembersGetTheStateAndAreVoters) {
  RestoreInto(&cluster_);
  cluster_.StartAll();
  ExpectRestored(&cluster_);
  auto client = Connect("client", 2);
  const std::uint64_t create = client->Create("/new");
  client->Flush();
  EXPECT_EQ(client->AwaitWrite(create).code(), v1::OK);
  EXPECT_GT(client->AwaitWrite(create).zxid(), restored_.zxid.value);
}

TEST_F(ClusterRestoreTest, ItGoesOnWhenTheFounderIsGone) {
  RestoreInto(&cluster_);
  cluster_.StartAll();
  ExpectRestored(&cluster_);
  cluster_.Crash(1);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  EXPECT_NE(cluster_.node(2)->state().tree().Find("/kept"), nullptr);
  cluster_.Start(1);
  ExpectRestored(&cluster_);
}

TEST_F(ClusterRestoreTest, WithoutTheFounderThoseWithoutTheStateDecideNothing) {
  RestoreInto(&cluster_);
  cluster_.StartAll();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(2) != nullptr && cluster_.node(3) != nullptr; }, seconds(20)));
  ASSERT_EQ(cluster_.node(1)->raft().Inspect().voters, 1u);
  cluster_.Crash(1);
  cluster_.world.RunFor(seconds(60));
  EXPECT_EQ(cluster_.Leader(), 0);
  cluster_.Start(1);
  ExpectRestored(&cluster_);
}

TEST_F(ClusterRestoreTest, WhereverTheFounderDiesWhileItFoundsItBeginsWithTheState) {
  for (std::uint64_t call = 1; call <= 60; ++call) {
    SimCluster cluster(3, call);
    RestoreInto(&cluster);
    cluster.files(1).StopAtCall(call);
    const absl::Status started = cluster.TryStart(1);
    cluster.Start(2);
    cluster.Start(3);
    if (started.ok()) {
      ASSERT_TRUE(cluster.world.RunUntil([&] { return cluster.files(1).fault_reached(); }, seconds(30))) << call;
    }
    cluster.world.RunFor(std::chrono::milliseconds(50));
    cluster.Crash(1, call % 2 == 0 ? sim::Survival::kNothing : sim::Survival::kRandom);
    cluster.Start(1);
    ExpectRestored(&cluster);
    if (HasFatalFailure()) FAIL() << "call " << call;
  }
}

TEST_F(ClusterRestoreTest, AnotherListIsRefusedAndNoneIsTheOneItWasRestoredFor) {
  RestoreInto(&cluster_);
  const InitialMembers right = cluster_.initial;
  cluster_.initial[1].second = "elsewhere:2";
  EXPECT_THAT(std::string(cluster_.TryStart(1).message()),
              AllOf(HasSubstr("was restored for a new cluster of the members " + TextOf(right)),
                    HasSubstr("--initial-cluster is " + TextOf(cluster_.initial))));
  cluster_.initial = {};
  cluster_.Start(1);
  cluster_.initial = right;
  cluster_.StartAll();
  ExpectRestored(&cluster_);
}

TEST_F(ClusterRestoreTest, AnInterruptedRestoreIsRefused) {
  ASSERT_TRUE(cluster_.files(1).MakeDirectory("/data").ok());
  for (const char* const left : {"/data/restoring", "/data/founding.snap.tmp"}) {
    cluster_.files(1).Write(left, "");
    EXPECT_THAT(std::string(cluster_.TryStart(1).message()),
                HasSubstr("a restore into data directory /data was interrupted, and no node starts there: give drover cluster "
                          "snapshot restore again"));
    EXPECT_FALSE(cluster_.files(1).Exists("/data/identity"));
    cluster_.files(1).Delete(left);
  }
}

TEST_F(ClusterRestoreTest, ASessionOfTheOldClusterIsExpired) {
  RestoreInto(&cluster_);
  cluster_.StartAll();
  ExpectRestored(&cluster_);
  auto client = NewClient("old client", 2);
  client->session = 2;
  client->secret = std::string(16, 's');
  client->Dial();
  client->Resume();
  ASSERT_TRUE(client->RunUntil([&] { return client->closed; }));
  EXPECT_EQ(client->status.code(), absl::StatusCode::kNotFound) << client->status;
}

TEST_F(ClusterRestoreTest, AWatchOfTheOldClusterIsCompactedOnEveryNode) {
  RestoreInto(&cluster_);
  cluster_.StartAll();
  ExpectRestored(&cluster_);
  for (int id = 1; id <= 3; ++id) {
    auto client = Connect("watcher" + std::to_string(id), id);
    v1::Position position;
    position.set_zxid(restored_.left.zxid.value);
    const std::uint64_t watch = client->Watch("/", position);
    client->Flush();
    EXPECT_EQ(client->AwaitRead(watch).code(), v1::COMPACTED) << id;
  }
}

TEST_F(ClusterRestoreTest, AMemberOfTheOldClusterIsRefused) {
  Begin();
  cluster_.Crash(3);
  SimCluster restored(3, 9);
  RestoreInto(&restored);
  restored.StartAll();
  ExpectRestored(&restored);
  restored.Crash(3);
  restored.Insert(3, cluster_.files(3).Copy(1));
  restored.Start(3);
  ASSERT_TRUE(restored.world.RunUntil([&] { return !restored.refused(3).ok(); }, seconds(30)));
  EXPECT_THAT(std::string(restored.refused(3).message()), HasSubstr("of its 3 members refuse"));
}

// It ended with the advice to have itself readmitted to the cluster that is the past. And so did those with empty directories.
TEST_F(ClusterRestoreTest, BesideAnEarlierDirectoryOfAMemberItWaitsAndBothSayWhatHelps) {
  Begin();
  SimCluster restored(3, 7);
  RestoreInto(&restored);
  restored.Insert(2, cluster_.files(2).Copy(1));
  Observer observer;
  restored.observer = &observer;
  restored.StartAll();
  const std::string earlier = std::to_string(cluster_.node(2)->Status().cluster.value);
  const auto said = [&](const std::vector<std::string>& words, const std::string& what) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& w) { return w.find(what) != std::string::npos; });
  };
  restored.world.RunFor(seconds(30));
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(restored.refused(id).ok()) << restored.refused(id);
  ASSERT_EQ(restored.node(1), nullptr) << "not without node 2";
  EXPECT_THAT(restored.process(1)->Waiting(),
              AllOf(HasSubstr("waiting for node 2"), HasSubstr("node 2 is of another cluster, " + earlier)));
  EXPECT_TRUE(said(observer.dismissed, "the data directory of node 2 is of cluster " + earlier)) << "node 2 is told";
  for (const auto* words : {&observer.dismissed, &observer.strangers}) EXPECT_FALSE(said(*words, "readmit"));
  restored.Crash(2);
  restored.Wipe(2);
  restored.Start(2);
  ExpectRestored(&restored);
}

TEST_F(ClusterRestoreTest, OfOneNodeItServesAtOnce) {
  SimCluster one(1, 5);
  RestoreInto(&one);
  one.Start(1);
  ExpectRestored(&one);
  one.Crash(1, sim::Survival::kNothing);
  one.Start(1);
  ExpectRestored(&one);
}

}  // namespace
}  // namespace drover::coord::server
