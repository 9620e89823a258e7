// Clusters whose members are programs of different versions: when the feature level rises and when not, who may come, and what
// becomes of a program that is too old.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "coord/base/wire.h"
#include "coord/log/data_directory.h"
#include "coord/server/peer_links.h"
#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"
#include "tests/coord/server/sim_cluster.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = MemberChange::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;

class ClusterLevelTest : public ::testing::Test {
 protected:
  // Nodes 1 to `founders` are the cluster; 4 and 5 may join. All of them know levels up to `level`.
  void Begin(int founders, std::uint32_t level) {
    for (int id = 1; id <= cluster_.size(); ++id) cluster_.levels[id] = level;
    ASSERT_NE(cluster_.Found(founders), 0);
  }
  void Restart(int id, std::uint32_t level) {
    if (cluster_.running(id)) cluster_.Crash(id);
    cluster_.levels[id] = level;
    cluster_.Start(id);
  }
  // What the running nodes have applied: the level, or 0 if they do not agree.
  std::uint32_t Level() {
    std::uint32_t level = 0;
    for (int id = 1; id <= cluster_.size(); ++id) {
      if (!cluster_.running(id)) continue;
      const Node* const node = cluster_.node(id);
      if (node == nullptr || (level != 0 && node->feature_level().value != level)) return 0;
      level = node->feature_level().value;
    }
    return level;
  }
  bool AwaitLevel(std::uint32_t level) {
    return cluster_.world.RunUntil([&] { return Level() == level; }, seconds(30));
  }
  // Long enough for whatever is going to happen.
  void Settle() { cluster_.world.RunFor(seconds(10)); }
  std::uint32_t Promised(int id) { return log::DecodeIdentity(cluster_.files(id).Read("/data/identity"))->promised.value; }
  std::string Disk(int id) {
    std::string all;
    for (const std::string& path : cluster_.files(id).Paths()) all += path + "\n" + cluster_.files(id).Read(path);
    return all;
  }
  void Write(int count) {
    auto client = std::make_unique<SimClient>(&cluster_.world, &cluster_.network, "client", SimCluster::Client(cluster_.Leader()));
    client->Connect(60'000);
    for (; count > 0; --count) ASSERT_NO_FATAL_FAILURE(client->CreateNow("/d" + std::to_string(written_++), std::string(100, 'x')));
  }

  SimCluster cluster_{5};
  int written_ = 0;
};

TEST_F(ClusterLevelTest, ANewClusterIsRaisedToWhatAllOfItsMembersKnow) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  ASSERT_TRUE(AwaitLevel(2));
  for (int id = 1; id <= 3; ++id) EXPECT_EQ(Promised(id), 2U);
  EXPECT_EQ(cluster_.node(1)->Status().feature_level, base::FeatureLevel(2));
  EXPECT_EQ(cluster_.node(1)->Status().feature_level_max, base::FeatureLevel(2));
}

TEST_F(ClusterLevelTest, ANodeThatIsAloneAsksNobody) {
  ASSERT_NO_FATAL_FAILURE(Begin(1, 1));
  Settle();
  EXPECT_EQ(Level(), 1U);
  Restart(1, 2);
  ASSERT_TRUE(AwaitLevel(2));
  EXPECT_EQ(Promised(1), 2U);
}

TEST_F(ClusterLevelTest, WhoFoundsAClusterHasPromisedItsLevelBefore) {
  cluster_.initial.resize(3);
  for (int id = 1; id <= 3; ++id) {
    cluster_.levels[id] = 2;
    cluster_.Start(id);
  }
  const auto all_are_nodes = [&] {
    int founded = 0;
    for (int id = 1; id <= 3; ++id) {
      if (cluster_.node(id) == nullptr) continue;
      ++founded;
      EXPECT_EQ(Promised(id), 2U) << id;
    }
    return founded == 3 || HasFailure();
  };
  ASSERT_TRUE(cluster_.world.RunUntil(all_are_nodes, seconds(20)));
}

TEST_F(ClusterLevelTest, AsLongAsOneMemberIsOlderNothingIsPromisedAndAllMayGoBack) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 1));
  Restart(1, 2);
  Restart(2, 2);
  Settle();
  EXPECT_EQ(Level(), 1U);
  for (int id = 1; id <= 3; ++id) EXPECT_EQ(Promised(id), 1U) << id;
  Restart(1, 1);
  Write(5);
  ASSERT_TRUE(cluster_.AwaitEqual());
  for (int id = 1; id <= 3; ++id) Restart(id, 2);
  EXPECT_TRUE(AwaitLevel(2));
}

TEST_F(ClusterLevelTest, ALearnerCounts) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 1));
  cluster_.StartJoining(4);
  ASSERT_TRUE(cluster_.Change(Kind::kAdd, 4).ok());
  for (int id = 1; id <= 3; ++id) Restart(id, 2);
  Settle();
  EXPECT_EQ(Level(), 1U);
  EXPECT_EQ(cluster_.Members(), "1 2 3 4?");
  Restart(4, 2);
  EXPECT_TRUE(AwaitLevel(2));
}

TEST_F(ClusterLevelTest, ADeadMemberCounts) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 1));
  cluster_.Crash(3);
  Restart(1, 2);
  Restart(2, 2);
  Settle();
  EXPECT_EQ(Level(), 1U);
  Restart(3, 1);
  Settle();
  EXPECT_EQ(Level(), 1U) << "it comes back as it went";
  Restart(3, 2);
  EXPECT_TRUE(AwaitLevel(2));
}

TEST_F(ClusterLevelTest, AMemberThatHasPromisedMayBeAwayWhileTheLevelRises) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  ASSERT_TRUE(AwaitLevel(2));
  cluster_.Crash(1);
  cluster_.levels[1] = 1;
  const std::string before = Disk(1);
  const absl::Status refused = cluster_.TryStart(1);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("data directory /data is at feature level 2"), HasSubstr("knows levels up to 1"),
                    HasSubstr("start a newer drover-coord; nothing was changed")));
  EXPECT_EQ(Disk(1), before);
  Restart(1, 2);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
}

// The promise says so first; should it be lost, log and snapshots do.
TEST_F(ClusterLevelTest, LogAndSnapshotsOfAHigherLevelAreRefusedToo) {
  cluster_.options.snapshots.kept = 1;
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  ASSERT_TRUE(AwaitLevel(2));
  Write(3);
  const auto refused = [this] {
    log::Identity identity = *log::DecodeIdentity(cluster_.files(3).Read("/data/identity"));
    identity.promised = base::kFirstFeatureLevel;
    cluster_.files(3).Write("/data/identity", log::EncodeIdentity(identity));
    cluster_.levels[3] = 1;
    const std::string before = Disk(3);
    absl::Status status = cluster_.TryStart(3);
    EXPECT_EQ(Disk(3), before);
    return status;
  };
  cluster_.Crash(3);
  absl::Status log = refused();
  EXPECT_EQ(log.code(), absl::StatusCode::kUnimplemented) << log;
  Restart(3, 2);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.node(3)->WantSnapshot();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(3)->Status().snapshot.value > 0; }, seconds(20)));
  cluster_.Crash(3);
  absl::Status snapshot = refused();
  EXPECT_EQ(snapshot.code(), absl::StatusCode::kUnimplemented) << snapshot;
  EXPECT_THAT(std::string(snapshot.message()), HasSubstr("start a newer drover-coord"));
}

// What was begun can be taken back: whoever has promised stays, whoever has not may go back, and nothing was raised.
TEST_F(ClusterLevelTest, AMemberThatHasNotPromisedYetMayGoBack) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 1));
  Restart(1, 2);
  Restart(2, 2);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  cluster_.Crash(3);
  cluster_.levels[3] = 2;
  cluster_.Start(3);
  cluster_.files(3).SetCapacity(cluster_.files(3).bytes());
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return Promised(1) == 2 && Promised(2) == 2; }, seconds(20)));
  EXPECT_EQ(Promised(3), 1U);
  Settle();
  EXPECT_EQ(Level(), 1U);
  cluster_.files(3).SetCapacity(UINT64_MAX);
  Restart(3, 1);
  Settle();
  EXPECT_EQ(Level(), 1U);
  cluster_.Crash(1);
  cluster_.levels[1] = 1;
  EXPECT_EQ(cluster_.TryStart(1).code(), absl::StatusCode::kUnimplemented);
  Restart(1, 2);
  Write(3);
  Restart(3, 2);
  EXPECT_TRUE(AwaitLevel(2));
}

// So many milliseconds after it began to lead: before, between and after the wish, the promises and the raise.
class LeaderDiesTest : public ClusterLevelTest, public ::testing::WithParamInterface<int> {};

TEST_P(LeaderDiesTest, TheNextOneRaisesTheLevel) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  cluster_.world.RunFor(milliseconds(GetParam()));
  const int leader = cluster_.Leader();
  ASSERT_NE(leader, 0);
  cluster_.Crash(leader, sim::Survival::kNothing);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  cluster_.Start(leader);
  EXPECT_TRUE(AwaitLevel(2));
}

INSTANTIATE_TEST_SUITE_P(All, LeaderDiesTest, ::testing::Range(0, 400, 10));

TEST_F(ClusterLevelTest, AFullDiskPutsThePromiseOff) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 1));
  Restart(1, 2);
  Restart(2, 2);
  cluster_.Crash(3);
  cluster_.levels[3] = 2;
  cluster_.Start(3);
  cluster_.files(3).SetCapacity(cluster_.files(3).bytes());
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return Promised(1) == 2 && Promised(2) == 2; }, seconds(20)));
  Settle();
  EXPECT_EQ(Level(), 1U);
  EXPECT_EQ(Promised(3), 1U);
  EXPECT_TRUE(cluster_.refused(3).ok()) << cluster_.refused(3);
  cluster_.files(3).SetCapacity(UINT64_MAX);
  EXPECT_TRUE(AwaitLevel(2));
}

TEST_F(ClusterLevelTest, AnOlderNodeIsNotAddedNorReadmitted) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  ASSERT_TRUE(AwaitLevel(2));
  cluster_.levels[4] = 1;
  cluster_.StartJoining(4);
  const absl::Status refused = cluster_.Change(Kind::kAdd, 4);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            "node 4 at node4:2 runs a program that knows feature levels up to 1, and the cluster is at 2: start a newer "
            "drover-coord there; nothing was done");
  EXPECT_EQ(cluster_.Members(), "1 2 3");
  EXPECT_EQ(Promised(4), 1U);

  cluster_.Crash(3);
  cluster_.Wipe(3);
  cluster_.levels[3] = 1;
  cluster_.StartJoining(3);
  EXPECT_EQ(cluster_.Change(Kind::kReadmit, 3).code(), absl::StatusCode::kFailedPrecondition);

  cluster_.Crash(3);
  cluster_.levels[3] = 2;
  cluster_.StartJoining(3);
  EXPECT_TRUE(cluster_.Change(Kind::kReadmit, 3).ok());
  cluster_.Crash(4);
  cluster_.levels[4] = 2;
  cluster_.StartJoining(4);
  ASSERT_TRUE(cluster_.Change(Kind::kAdd, 4).ok());
  EXPECT_EQ(Promised(4), 2U) << "before it was added";
  ASSERT_TRUE(cluster_.Change(Kind::kPromote, 4).ok());
  EXPECT_TRUE(AwaitLevel(2));
}

// Else it could be started again with an older program before it knows that it belongs.
TEST_F(ClusterLevelTest, WhoIsAddedHasPromisedBefore) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  ASSERT_TRUE(AwaitLevel(2));
  cluster_.StartJoining(4);
  cluster_.files(4).SetCapacity(cluster_.files(4).bytes());
  const absl::Status full = cluster_.Change(Kind::kAdd, 4, seconds(5));
  EXPECT_FALSE(full.ok());
  EXPECT_EQ(cluster_.Members(), "1 2 3");
  cluster_.files(4).SetCapacity(UINT64_MAX);
  EXPECT_TRUE(cluster_.Change(Kind::kAdd, 4).ok());
  EXPECT_EQ(cluster_.Members(), "1 2 3 4?");
  cluster_.Crash(4);
  cluster_.levels[4] = 1;
  EXPECT_EQ(cluster_.TryStart(4, true).code(), absl::StatusCode::kUnimplemented);
}

TEST_F(ClusterLevelTest, MembersAreChangedWhileTheLevelRises) {
  ASSERT_NO_FATAL_FAILURE(Begin(3, 1));
  for (int id = 1; id <= 3; ++id) Restart(id, 2);
  cluster_.levels[4] = cluster_.levels[5] = 2;
  cluster_.StartJoining(4);
  cluster_.StartJoining(5);
  EXPECT_TRUE(cluster_.Change(Kind::kAdd, 4).ok());
  EXPECT_TRUE(cluster_.Change(Kind::kAdd, 5).ok());
  EXPECT_TRUE(cluster_.Change(Kind::kPromote, 4).ok());
  EXPECT_TRUE(AwaitLevel(2));
  EXPECT_EQ(cluster_.Members(), "1 2 3 4 5?");
}

TEST_F(ClusterLevelTest, TheLevelIsInSnapshotsAndSurvivesThatAllAreDown) {
  cluster_.options.snapshots.log_bytes = 2'048;
  cluster_.options.snapshots.kept = 1;
  cluster_.options.log.segment_bytes = 4'096;
  cluster_.options.raft.cache_bytes = 0;
  ASSERT_NO_FATAL_FAILURE(Begin(3, 2));
  ASSERT_TRUE(AwaitLevel(2));
  Write(100);
  const int leader = cluster_.Leader();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(leader)->Status().log_first > raft::Index(20); }, seconds(20)));
  cluster_.StartJoining(4);
  ASSERT_TRUE(cluster_.Change(Kind::kAdd, 4).ok());
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_EQ(cluster_.node(4)->feature_level(), base::FeatureLevel(2)) << "by a snapshot";
  for (int id = 1; id <= 4; ++id) cluster_.Crash(id);
  for (int id = 1; id <= 4; ++id) {
    cluster_.Start(id);
    EXPECT_EQ(cluster_.node(id)->feature_level(), base::FeatureLevel(2)) << "from the start";
  }
}

// ---- what a program that is too old meets, should all else have failed ----

class NewerLeaderTest : public ClusterLevelTest, private PeerLinks::Events {
 protected:
  // The leader of a cluster of three has died, and whoever takes its id and term speaks to node `to` alone.
  void Begin() {
    ASSERT_NO_FATAL_FAILURE(ClusterLevelTest::Begin(3, 1));
    Write(3);
    ASSERT_TRUE(cluster_.AwaitEqual());
    const int leader = cluster_.Leader();
    to_ = leader % 3 + 1;
    const raft::Raft& real = cluster_.node(leader)->raft();
    header_.cluster = real.options().cluster;
    header_.from = real.options().id;
    header_.from_incarnation = real.options().incarnation;
    header_.from_boot = base::BootNonce(77);
    header_.address = SimCluster::Peer(leader);
    term_ = real.term();
    last_ = real.log().last();
    last_term_ = *real.log().TermAt(last_);
    configuration_ = real.configuration();
    cluster_.Crash(leader);
    cluster_.Crash(6 - leader - to_);
  }
  // One entry behind all others, committed already.
  void Append(raft::EntryKind kind, base::Bytes payload) {
    sim::SimLoop loop(&cluster_.world);
    const auto dialer = cluster_.network.NewDialer(&loop, "newer");
    PeerLinks links(&loop, dialer.get(), this, PeerLinks::Options());
    const base::NodeId to(static_cast<std::uint64_t>(to_));
    links.SetPeers({{to, SimCluster::Peer(to_)}});
    const raft::Append append{last_, last_term_, {{term_, last_.Next(), kind, std::move(payload)}}, last_.Next(), 1'000};
    const base::Incarnation incarnation = cluster_.node(to_)->raft().options().incarnation;
    header_.to_incarnation = incarnation;
    for (int i = 0; i < 100 && cluster_.refused(to_).ok(); ++i) {
      links.Send(to, RaftItem{term_, append});
      links.Flush(header_, [incarnation](base::NodeId) { return incarnation; });
      cluster_.world.RunFor(milliseconds(10));
    }
  }
  std::string Words() { return std::string(cluster_.refused(to_).message()); }

  int to_ = 0;
  PeerHeader header_;
  raft::Term term_, last_term_;
  raft::Index last_;
  raft::Configuration configuration_;

 private:
  void OnPeerFrame(PeerFrame) override {}
  void OnLinkUp(base::NodeId) override {}
  void OnLinkReset(base::NodeId, base::Incarnation) override {}
  void OnDismissed(base::NodeId, const absl::Status&) override {}
  void OnBadFrame(const absl::Status&) override {}
};

TEST_F(NewerLeaderTest, AConfigurationOfAHigherLevelEndsTheNodeAndIsNotTaken) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  configuration_.feature_level = base::FeatureLevel(2);
  Append(raft::EntryKind::kConfig, raft::EncodeConfiguration(configuration_));
  EXPECT_THAT(Words(), AllOf(HasSubstr("ends: the cluster is at feature level 2"), HasSubstr("start a newer drover-coord")));
  EXPECT_EQ(cluster_.node(to_)->raft().log().last(), last_);
  cluster_.Crash(to_);
  EXPECT_TRUE(cluster_.TryStart(to_).ok()) << "nothing of it is on the disk";
}

TEST_F(NewerLeaderTest, AnEntryOfAnUnknownKindEndsTheNodeAndIsNotTaken) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  Append(static_cast<raft::EntryKind>(9), base::Bytes::Copy("what is this?"));
  EXPECT_THAT(Words(), AllOf(HasSubstr("is of kind 9, which this program does not know"), HasSubstr("start a newer drover-coord")));
  EXPECT_EQ(cluster_.node(to_)->raft().log().last(), last_);
}

TEST_F(NewerLeaderTest, AnUnknownCommandEndsTheNodeBeforeItIsApplied) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  std::string command;
  base::WireWriter(&command).BytesAlways(19, "what is this?");
  std::string batch;
  base::WireWriter(&batch).BytesAlways(2, command);
  Append(raft::EntryKind::kData, base::Bytes::Copy(batch));
  EXPECT_THAT(Words(), HasSubstr("a command that this program does not know: start a newer drover-coord"));
  EXPECT_EQ(cluster_.node(to_)->Status().applied, last_);
  // It says so at each start, as soon as it knows that the entry is committed; alone it does not.
  cluster_.Crash(to_);
  EXPECT_TRUE(cluster_.TryStart(to_).ok());
}

}  // namespace
}  // namespace drover::coord::server
