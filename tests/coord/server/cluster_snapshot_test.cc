// Snapshots in a cluster: what a node starts from, how one that fell behind comes back, and what becomes of damaged ones.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "coord/log/inspect.h"
#include "coord/log/snapshots.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Counts what becomes of snapshots.
class SnapshotObserver final : public NodeObserver {
 public:
  void OnSnapshotInstalled(raft::Index index, std::uint64_t, base::Duration) override { installed.push_back(index); }
  void OnSnapshotFailed(const absl::Status& status) override { failed.push_back(status); }

  void OnScrubbed(const absl::Status& damage, base::Duration) override { scrubbed.push_back(damage); }

  std::vector<absl::Status> scrubbed;
  std::vector<raft::Index> installed;
  std::vector<absl::Status> failed;
};

class ClusterSnapshotTest : public ClusterFixture {
 protected:
  void SetUp() override {
    cluster_.options.log.segment_bytes = 4'096;
    cluster_.options.raft.cache_bytes = 0;
    cluster_.options.snapshots.log_bytes = 8'192;
    cluster_.options.snapshots.retry = milliseconds(100);
    cluster_.options.snapshots.send.chunk_bytes = 1'000;
    cluster_.options.snapshots.send.window_bytes = 3'000;
    cluster_.observer = &observer_;
    cluster_.StartAll();
    leader_ = cluster_.AwaitLeader();
    ASSERT_NE(leader_, 0);
    client_ = NewClient("client", leader_);
    client_->Connect(60'000);
    client_->KeepContact(seconds(1));
  }

  // Does not compress well.
  std::string Noise() {
    std::string noise(200, ' ');
    for (char& c : noise) c = static_cast<char>('!' + random_.Below(90));
    return noise;
  }
  // Acknowledged.
  void Write(int count) {
    for (; count > 0; --count) ASSERT_NO_FATAL_FAILURE(client_->CreateNow("/d" + std::to_string(written_++), Noise()));
  }
  // And so long that its leader no longer counts on it.
  void CrashForLong(int node) {
    cluster_.Crash(node, sim::Survival::kNothing);
    cluster_.world.RunFor(seconds(3));
  }
  void WriteUntilCompacted(int node, std::uint64_t behind) {
    ASSERT_TRUE(RunWriting([&] { return First(node) > behind; })) << "the log of node " << node << " begins with " << First(node);
  }
  template <typename Condition>
  bool RunWriting(const Condition& condition) {
    for (int i = 0; i < 2'000 && !condition() && !HasFailure(); ++i) Write(1);
    return condition();
  }
  std::uint64_t First(int node) { return cluster_.node(node)->Status().log_first.value; }
  std::vector<raft::Index> Snapshots(int node) { return *log::ListSnapshots(&cluster_.files(node), "/data"); }
  static std::string PathOf(raft::Index index) { return "/data/" + log::SnapshotName(index); }
  void ExpectAll(int node) {
    for (int i = 0; i < written_; ++i) {
      ASSERT_NE(cluster_.node(node)->state().tree().Find("/d" + std::to_string(i)), nullptr) << "node " << node << " lost " << i;
    }
  }

  SnapshotObserver observer_;
  base::SeededRandom random_{1};
  int leader_ = 0;
  int written_ = 0;
  std::unique_ptr<SimClient> client_;
};

TEST_F(ClusterSnapshotTest, TheLogStaysSmallAndARestartBeginsWithTheSnapshot) {
  WriteUntilCompacted(leader_, 100);
  EXPECT_LT(cluster_.node(leader_)->Status().log_bytes, 200'000u);
  EXPECT_LE(Snapshots(leader_).size(), 2u);
  ASSERT_TRUE(cluster_.AwaitEqual());
  const std::uint64_t digest = cluster_.node(leader_)->state().Digest();
  for (int id = 1; id <= 3; ++id) cluster_.Crash(id, sim::Survival::kNothing);
  cluster_.StartAll();
  leader_ = cluster_.AwaitLeader();
  ASSERT_NE(leader_, 0);
  ExpectAll(leader_);
  EXPECT_EQ(cluster_.node(leader_)->state().Digest(), digest);
  // The session is there, too, and goes on.
  client_->node = SimCluster::Client(leader_);
  client_->Reconnect();
  Write(3);
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterSnapshotTest, OneIsTakenWhenItIsAskedForHoweverLittleTheLogHasGrown) {
  Write(3);
  ASSERT_TRUE(Snapshots(leader_).empty());
  cluster_.node(leader_)->WantSnapshot();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return !Snapshots(leader_).empty(); }, seconds(5)));
  // Asked for once, it is taken once.
  Write(3);
  cluster_.world.RunFor(seconds(5));
  EXPECT_EQ(Snapshots(leader_).size(), 1u);
}

TEST_F(ClusterSnapshotTest, ANodeThatMissedWhatIsCompactedCatchesUpUnderLoad) {
  const int down = Other(leader_);
  CrashForLong(down);
  WriteUntilCompacted(leader_, 100);
  cluster_.Start(down);
  ASSERT_TRUE(
      RunWriting([&] { return cluster_.node(down)->Status().applied.value + 5 > cluster_.node(leader_)->Status().applied.value; }));
  ASSERT_TRUE(cluster_.AwaitEqual());
  ExpectAll(down);
  EXPECT_GT(cluster_.node(leader_)->Status().snapshot_sent_bytes, 0u);
  // And has all of it by itself, whoever else is gone.
  cluster_.Crash(down, sim::Survival::kNothing);
  cluster_.Start(down);
  ASSERT_TRUE(cluster_.AwaitEqual());
  ExpectAll(down);
}

TEST_F(ClusterSnapshotTest, ALinkThatBreaksCostsNoMoreThanWhatWasUnderWay) {
  const int down = Other(leader_);
  CrashForLong(down);
  WriteUntilCompacted(leader_, 100);
  Write(20);
  cluster_.Start(down);
  const auto sent = [&] { return cluster_.node(leader_)->Status().snapshot_sent_bytes; };
  const std::uint64_t size = cluster_.files(leader_).Read(PathOf(Snapshots(leader_).back())).size();
  ASSERT_GT(size, 10'000u);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return sent() > size / 2; }, seconds(20)));
  cluster_.network.Reset(SimCluster::Host(leader_), SimCluster::Host(down));
  ASSERT_TRUE(cluster_.AwaitEqual());
  ExpectAll(down);
  EXPECT_LT(sent(), size + 2 * cluster_.options.snapshots.send.window_bytes);
}

TEST_F(ClusterSnapshotTest, AStreamOfANodeThatInstalledOneComesBackAndMissesNothing) {
  const int behind = Other(leader_);
  auto watcher = NewClient("watcher", behind);
  watcher->Connect(60'000);
  watcher->KeepContact(seconds(1));
  watcher->Watch("/");
  watcher->Flush();
  Write(3);
  ASSERT_TRUE(watcher->RunUntil([&] { return watcher->events.size() == 3; }));
  cluster_.Isolate(behind);
  WriteUntilCompacted(leader_, 100);
  cluster_.Isolate(behind, false);
  ASSERT_TRUE(watcher->RunUntil([&] { return watcher->closed; }, seconds(30)));
  ASSERT_TRUE(cluster_.AwaitEqual());
  // What it missed is not in this node's history any more: it is told so, and no later event comes in its place.
  const std::size_t heard = watcher->events.size();
  watcher->Reconnect();
  watcher->Watch("/", [&] {
    v1::Position after;
    after.set_zxid(watcher->events.back().zxid());
    after.set_ordinal(watcher->events.back().ordinal());
    return after;
  }());
  watcher->Flush();
  Write(1);
  cluster_.world.RunFor(seconds(2));
  EXPECT_EQ(watcher->events.size(), heard);
}

TEST_F(ClusterSnapshotTest, IfTheNewestIsDamagedTheOneBeforeServes) {
  ASSERT_TRUE(RunWriting([&] { return Snapshots(leader_).size() == 2 && First(leader_) > 50; }));
  ASSERT_TRUE(cluster_.AwaitEqual());
  const std::vector<raft::Index> before = Snapshots(leader_);
  for (int id = 1; id <= 3; ++id) cluster_.Crash(id);
  cluster_.files(leader_).FlipBit(PathOf(before.back()), 300, 3);
  cluster_.StartAll();
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  ASSERT_TRUE(cluster_.AwaitEqual());
  ExpectAll(leader_);
}

TEST_F(ClusterSnapshotTest, IfAllAreDamagedTheNodeRefusesToStartAndNothingIsOverwritten) {
  ASSERT_TRUE(RunWriting([&] { return Snapshots(leader_).size() == 2 && First(leader_) > 50; }));
  cluster_.Crash(leader_);
  for (const raft::Index index : Snapshots(leader_)) cluster_.files(leader_).FlipBit(PathOf(index), 300, 3);
  std::map<std::string, std::string> before;
  for (const std::string& path : cluster_.files(leader_).Paths()) before[path] = cluster_.files(leader_).Read(path);
  const absl::Status refused = cluster_.TryStart(leader_);
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr(".snap"));
  for (const auto& [path, contents] : before) EXPECT_EQ(cluster_.files(leader_).Read(path), contents) << path;
}

TEST_F(ClusterSnapshotTest, ADamagedOneThatIsSentIsNotTakenAndAnotherIs) {
  const int down = Other(leader_);
  CrashForLong(down);
  WriteUntilCompacted(leader_, 100);
  const raft::Index bad = Snapshots(leader_).back();
  cluster_.files(leader_).FlipBit(PathOf(bad), 300, 3);
  Write(1);
  observer_.failed.clear();
  cluster_.Start(down);
  ASSERT_TRUE(cluster_.AwaitEqual(seconds(60)));
  ExpectAll(down);
  EXPECT_GT(Snapshots(leader_).back(), bad);
  ASSERT_EQ(observer_.failed.size(), 2u);  // its receiver says so, then its sender
  EXPECT_TRUE(absl::IsDataLoss(observer_.failed[0])) << observer_.failed[0];
  ASSERT_EQ(observer_.installed.size(), 1u);
  EXPECT_GT(observer_.installed[0], bad);
}

// A node is down, and the newest snapshot of the leader, which it needs, is damaged and of the newest entry.
class DamagedSnapshotTest : public ClusterSnapshotTest {
 protected:
  void Begin() {
    const std::uint64_t close = client_->CloseSession();
    client_->Flush();
    ASSERT_EQ(client_->AwaitWrite(close).code(), v1::OK);
    down_ = Other(leader_);
    CrashForLong(down_);
    // Outside of any session, and so without entries that carry the time; one in two is enough for a snapshot.
    Node& node = *cluster_.node(leader_);
    const auto newest_is_last = [&] { return First(leader_) > 3 && Snapshots(leader_).back() == node.Status().applied; };
    for (int i = 0; i < 20 && !newest_is_last(); ++i) {
      std::string data;
      while (data.size() < 9'000) data += Noise();
      const std::string write = i == 0 ? tree::EncodeCreate({}, {"/d0", data}) : tree::EncodeSet({}, {"/d0", data});
      node.Execute(base::Bytes::Copy(write), [](const auto&) {});
      cluster_.world.RunFor(milliseconds(500));
    }
    written_ = 1;
    ASSERT_TRUE(newest_is_last());
    bad_ = Snapshots(leader_).back();
    cluster_.files(leader_).FlipBit(PathOf(bad_), 300, 3);
  }

  int down_ = 0;
  raft::Index bad_;
};

TEST_F(DamagedSnapshotTest, IsReplacedThoughNothingIsWrittenAnyMore) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  cluster_.Start(down_);
  ASSERT_TRUE(cluster_.AwaitEqual(seconds(60)));
  ExpectAll(down_);
  ASSERT_EQ(observer_.installed.size(), 1u);
  EXPECT_EQ(observer_.installed[0], bad_) << "at the same place";
  EXPECT_EQ(cluster_.node(leader_)->Status().applied, bad_) << "no entry was needed";
}

// Before the one that needs it has it, nothing can be committed.
TEST_F(DamagedSnapshotTest, IsReplacedThoughNothingCanBeWrittenWithoutIt) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  for (int id = 1; id <= 3; ++id) {
    if (id != leader_ && id != down_) cluster_.Crash(id);
  }
  cluster_.Start(down_);
  cluster_.node(leader_)->Execute(base::Bytes::Copy(tree::EncodeSet({}, {"/d0", Noise()})), [](const auto&) {});
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(down_)->Status().applied > bad_; }, seconds(60)));
}

TEST_F(ClusterSnapshotTest, AFullDiskCostsTheSnapshotAndNothingElse) {
  const int full = Other(leader_);
  ASSERT_TRUE(RunWriting([&] { return Snapshots(full).size() == 2; }));
  sim::SimFileSystem& files = cluster_.files(full);
  observer_.failed.clear();
  files.SetCapacity(files.bytes());
  ASSERT_TRUE(RunWriting([&] { return !observer_.failed.empty(); }));
  EXPECT_TRUE(absl::IsResourceExhausted(observer_.failed[0])) << observer_.failed[0];
  const raft::Index before = Snapshots(full).back();
  files.SetCapacity(UINT64_MAX);
  ASSERT_TRUE(RunWriting([&] { return Snapshots(full).back() > before; }));
  ASSERT_TRUE(cluster_.AwaitEqual());
  for (int id = 1; id <= 3; ++id) ExpectAll(id);
  for (const std::string& path : files.Paths()) EXPECT_THAT(path, testing::Not(HasSubstr(".tmp")));
}

TEST_F(ClusterSnapshotTest, AFoundingMemberThatNeverHeardOfItsClusterJoinsLate) {
  // It had said who it is, and was gone when the cluster was founded.
  SimCluster cluster(3, 7);
  cluster.options = cluster_.options;
  cluster.StartAll();
  const int leader = cluster.AwaitLeader();
  ASSERT_NE(leader, 0);
  const int late = Other(leader);
  cluster.Crash(late);
  // Its log is as it was before it was founded.
  for (const std::string& path : cluster.files(late).Paths()) {
    if (path.find("segment") != std::string::npos) cluster.files(late).Delete(path);
  }
  std::string identity = cluster.files(late).Read("/data/identity");
  cluster.files(late).Write("/data/identity", log::EncodeIdentity([&] {
                              log::Identity i = *log::DecodeIdentity(identity);
                              i.cluster = base::ClusterId();
                              return i;
                            }()));
  SimClient client(&cluster.world, &cluster.network, "client", SimCluster::Client(leader));
  client.Connect(60'000);
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t create = client.Create("/d" + std::to_string(i), std::string(200, 'd'));
    client.Flush();
    ASSERT_EQ(client.AwaitWrite(create).code(), v1::OK);
  }
  ASSERT_GT(cluster.node(leader)->Status().log_first.value, 1u);
  // The leader itself has restarted from a snapshot meanwhile, and knows the founders by it.
  cluster.Crash(leader);
  cluster.Start(leader);
  ASSERT_NE(cluster.AwaitLeader(), 0);
  cluster.Start(late);
  ASSERT_TRUE(cluster.AwaitEqual(seconds(60)));
  EXPECT_NE(cluster.node(late)->state().tree().Find("/d299"), nullptr);
}

// Nobody reads a segment that was written long ago; and the day on which it is needed is the day on which it must be whole.
class ClusterScrubTest : public ClusterSnapshotTest {
 protected:
  void SetUp() override {
    cluster_.options.snapshots.scrub.every = seconds(20);
    cluster_.options.snapshots.scrub.again = seconds(1);
    ClusterSnapshotTest::SetUp();
  }
  std::vector<std::string> Files(int node, absl::string_view prefix) {
    std::vector<std::string> files = *cluster_.files(node).List("/data");
    std::erase_if(files, [prefix](const std::string& name) { return !absl::StartsWith(name, prefix); });
    return files;
  }
  void Flip(int node, const std::string& name) {
    const std::string path = "/data/" + name;
    cluster_.files(node).FlipBit(path, cluster_.files(node).Read(path).size() / 2, 3);
  }
  // The scrubs of all nodes from here on.
  bool AwaitDamageAndItsMending() {
    observer_.scrubbed.clear();
    const auto damaged = [this] {
      return std::count_if(observer_.scrubbed.begin(), observer_.scrubbed.end(), [](const auto& s) { return !s.ok(); });
    };
    // Without a write: what is written would be reason enough for a snapshot.
    if (!cluster_.world.RunUntil([&] { return damaged() > 0; }, seconds(60))) return false;
    const auto found = observer_.scrubbed.size();
    return cluster_.world.RunUntil([&] { return observer_.scrubbed.size() > found + 3 && observer_.scrubbed.back().ok(); },
                                   seconds(120));
  }
  void ExpectWhole(int node) {
    log::InspectVisitor nobody;
    const auto inspection = log::Inspect(&cluster_.files(node), "/data", &nobody);
    ASSERT_TRUE(inspection.ok()) << inspection.status();
    EXPECT_TRUE(inspection->damaged_snapshots.empty());
    cluster_.Crash(node, sim::Survival::kNothing);
    cluster_.Start(node);
    ASSERT_TRUE(cluster_.AwaitEqual());
    ExpectAll(node);
  }
};

TEST_F(ClusterScrubTest, ASegmentThatTheDiskHasLostIsFoundAndDropped) {
  const int node = Other(leader_);
  WriteUntilCompacted(node, 50);
  Write(40);
  const std::vector<std::string> segments = Files(node, "segment-");
  ASSERT_GE(segments.size(), 3u);
  Flip(node, segments.front());
  ASSERT_TRUE(AwaitDamageAndItsMending());
  ExpectWhole(node);
}

TEST_F(ClusterScrubTest, ASnapshotThatTheDiskHasLostIsFoundAndReplaced) {
  WriteUntilCompacted(leader_, 50);
  Flip(leader_, Files(leader_, "snapshot-").back());
  ASSERT_TRUE(AwaitDamageAndItsMending());
  ExpectWhole(leader_);
}

TEST_F(ClusterScrubTest, WhatIsWholeStaysAsItIs) {
  Write(20);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return observer_.scrubbed.size() >= 6; }, seconds(60)));
  for (const absl::Status& status : observer_.scrubbed) EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(observer_.failed.empty());
}

// Somebody tidies up in the directory of a node that runs.
TEST_F(ClusterScrubTest, AFileThatIsGoneIsMendedToo) {
  for (const absl::string_view prefix : {"segment-", "identity", "snapshot-"}) {
    SCOPED_TRACE(prefix);
    const std::vector<std::string> files = Files(2, prefix);
    ASSERT_FALSE(files.empty());
    cluster_.files(2).Delete("/data/" + files.front());
    ASSERT_TRUE(
        cluster_.world.RunUntil([&] { return !observer_.scrubbed.empty() && observer_.scrubbed.back().ok(); }, seconds(120)));
    cluster_.world.RunFor(seconds(120));
    ASSERT_TRUE(cluster_.refused(2).ok()) << cluster_.refused(2);
    ExpectWhole(2);
  }
}

}  // namespace
}  // namespace drover::coord::server
