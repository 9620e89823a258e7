// Members of a running cluster come and go: what each change needs, who is told, and what a node that was away or lost its disk
// does.
#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

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

class ClusterMemberTest : public ::testing::Test {
 protected:
  ClusterMemberTest() {
    cluster_.options.log.segment_bytes = 4'096;
    cluster_.options.raft.cache_bytes = 0;
  }
  // Nodes 1 to `founders` are the cluster; 4 and more may join.
  int Begin(int founders) {
    const int leader = cluster_.Found(founders);
    EXPECT_NE(leader, 0);
    client_ = Connect(leader);
    return leader;
  }
  std::unique_ptr<SimClient> Connect(int node) {
    auto client = std::make_unique<SimClient>(&cluster_.world, &cluster_.network, "client", SimCluster::Client(node));
    client->Connect(60'000);
    client->KeepContact(seconds(1));
    return client;
  }
  void Write(int count) {
    for (; count > 0; --count)
      ASSERT_NO_FATAL_FAILURE(client_->CreateNow("/d" + std::to_string(written_++), std::string(100, 'x')));
  }
  void Add(int id) {
    if (!cluster_.running(id)) cluster_.StartJoining(id);
    const absl::Status added = cluster_.Change(Kind::kAdd, id);
    ASSERT_TRUE(added.ok()) << id << ": " << added;
  }
  void AddVoter(int id) {
    ASSERT_NO_FATAL_FAILURE(Add(id));
    const absl::Status promoted = cluster_.Change(Kind::kPromote, id);
    ASSERT_TRUE(promoted.ok()) << id << ": " << promoted;
  }
  // The first answer, whatever it is.
  absl::Status Ask(int node, MemberChange change) {
    std::optional<absl::Status> result;
    cluster_.node(node)->ChangeMember(std::move(change), [&](const absl::Status& status) { result = status; });
    EXPECT_TRUE(cluster_.world.RunUntil([&] { return result.has_value(); }, seconds(20)));
    return result.value_or(absl::UnknownError("no answer"));
  }
  // Entries of the leader's log that the other one has not acknowledged.
  std::uint64_t Lag(int leader, int other) {
    for (const raft::PeerState& peer : cluster_.node(leader)->raft().Peers()) {
      if (peer.id.value == static_cast<std::uint64_t>(other)) {
        return cluster_.node(leader)->raft().log().last().value - peer.match.value;
      }
    }
    return 1;
  }
  static MemberChange Of(Kind kind, int id, std::string address = "") {
    return {kind, base::NodeId(static_cast<std::uint64_t>(id)), std::move(address), {}};
  }
  bool AwaitRefused(int id) {
    return cluster_.world.RunUntil([&] { return !cluster_.refused(id).ok(); }, seconds(30));
  }
  std::string Words(int id) { return std::string(cluster_.refused(id).message()); }
  bool AwaitMembers(const std::string& members) {
    return cluster_.world.RunUntil([&] { return cluster_.Members() == members; }, seconds(30));
  }

  SimCluster cluster_{6};
  std::unique_ptr<SimClient> client_;
  int written_ = 0;
};

TEST_F(ClusterMemberTest, OneGrowsToThreeAndAnyOfThemMayDie) {
  Begin(1);
  Write(20);
  AddVoter(2);
  Write(5);
  AddVoter(3);
  EXPECT_EQ(cluster_.Members(), "1 2 3");
  Write(5);
  ASSERT_TRUE(cluster_.AwaitEqual());
  for (int id = 1; id <= 3; ++id) {
    cluster_.Crash(id);
    const int leader = cluster_.AwaitLeader();
    ASSERT_NE(leader, 0) << "without " << id;
    client_ = Connect(leader);
    Write(3);
    cluster_.initial.clear();  // what was learnt from the log
    cluster_.Start(id);
    ASSERT_NE(cluster_.AwaitLeader(), 0);
    ASSERT_TRUE(cluster_.AwaitEqual());
  }
}

TEST_F(ClusterMemberTest, ALearnerHasAllAndIsAskedNothing) {
  Begin(3);
  Write(10);
  Add(4);
  Write(5);
  EXPECT_EQ(cluster_.Members(), "1 2 3 4?");
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_FALSE(cluster_.node(4)->raft().Inspect().voter);
  // Two of three voters are gone: with four voters one more would be enough to stand still, with a learner it makes no difference.
  const int leader = cluster_.Leader();
  cluster_.Crash(leader);
  EXPECT_NE(cluster_.AwaitLeader(), 0);
  const int next = cluster_.Leader();
  EXPECT_NE(next, 4);
  cluster_.Crash(next);
  cluster_.world.RunFor(seconds(20));
  EXPECT_EQ(cluster_.Leader(), 0) << "a learner helps nobody to lead";
}

TEST_F(ClusterMemberTest, ANodeThatIsAddedGetsASnapshotOfWhatTheLogNoLongerHas) {
  cluster_.options.snapshots.log_bytes = 2'048;
  cluster_.options.snapshots.kept = 1;
  const int leader = Begin(3);
  Write(100);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(leader)->Status().log_first > raft::Index(10); }, seconds(20)));
  AddVoter(4);
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_TRUE(cluster_.node(4)->Founding().ok()) << "snapshots say who founded";
}

TEST_F(ClusterMemberTest, ANodeMayWaitForItsClusterAndDieWhileItIsAdded) {
  Begin(3);
  Write(30);
  cluster_.StartJoining(4);
  EXPECT_THAT(cluster_.process(4)->Waiting(), HasSubstr("drover cluster member add 4=node4:2"));
  cluster_.world.RunFor(seconds(60));
  EXPECT_EQ(cluster_.node(4), nullptr);
  EXPECT_TRUE(cluster_.refused(4).ok());
  ASSERT_EQ(cluster_.Change(Kind::kAdd, 4), absl::OkStatus());
  for (int i = 0; i < 20; ++i) {
    cluster_.world.RunFor(milliseconds(3 + 7 * i));
    cluster_.Crash(4, sim::Survival::kNothing);
    cluster_.StartJoining(4);
  }
  ASSERT_EQ(cluster_.Change(Kind::kPromote, 4), absl::OkStatus());
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, WithoutTheFlagANodeThatWasAddedStillBelongsToItsClusterThoughItHasReceivedNothing) {
  Begin(3);
  cluster_.StartJoining(4);
  ASSERT_EQ(cluster_.Change(Kind::kAdd, 4), absl::OkStatus());
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(4) != nullptr; }, seconds(5)));
  cluster_.Crash(4, sim::Survival::kNothing);
  cluster_.initial.clear();
  cluster_.Start(4);
  ASSERT_NE(cluster_.node(4), nullptr);
  EXPECT_EQ(cluster_.node(4)->Status().cluster, cluster_.node(1)->Status().cluster);
  cluster_.world.RunFor(seconds(5));
  EXPECT_FALSE(cluster_.node(4)->raft().leads()) << "it must not found a cluster of its own";
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, ARemovedFollowerIsToldAndEnds) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  ASSERT_EQ(cluster_.Change(Kind::kRemove, other), absl::OkStatus());
  ASSERT_TRUE(AwaitRefused(other));
  EXPECT_THAT(Words(other), AllOf(HasSubstr("node " + std::to_string(other) + " was removed from cluster"), HasSubstr("--join")));
  EXPECT_EQ(cluster_.Leader(), leader);
  // It would only be told again.
  cluster_.Crash(other);
  cluster_.Start(other);
  ASSERT_TRUE(AwaitRefused(other));
  cluster_.Crash(other);
  Write(5);
}

TEST_F(ClusterMemberTest, OneThatWasDownWhenItWasRemovedIsToldWhenItReturns) {
  for (const bool learner : {false, true}) {
    SCOPED_TRACE(learner);
    SimCluster cluster(4);
    cluster.initial.resize(3);
    for (int id = 1; id <= 3; ++id) cluster.Start(id);
    ASSERT_NE(cluster.AwaitLeader(), 0);
    cluster.StartJoining(4);
    ASSERT_EQ(cluster.Change(Kind::kAdd, 4), absl::OkStatus());
    if (!learner) {
      ASSERT_EQ(cluster.Change(Kind::kPromote, 4), absl::OkStatus());
    }
    ASSERT_TRUE(cluster.AwaitEqual());
    cluster.world.RunFor(seconds(1));  // until its disk has it, too
    cluster.Crash(4);
    ASSERT_EQ(cluster.Change(Kind::kRemove, 4), absl::OkStatus());
    cluster.world.RunFor(seconds(30));
    cluster.StartJoining(4);
    ASSERT_NE(cluster.node(4), nullptr);
    ASSERT_TRUE(cluster.world.RunUntil([&] { return !cluster.refused(4).ok(); }, seconds(20)));
    EXPECT_THAT(std::string(cluster.refused(4).message()), HasSubstr("node 4 was removed from cluster"));
    EXPECT_EQ(cluster.node(1)->raft().term(), cluster.node(2)->raft().term());
  }
}

// Its campaigns, one after the other, counted as many short times without a leader, so it never asked, nor sent its clients away.
TEST_F(ClusterMemberTest, OneThatCampaignsForEverIsToldToo) {
  cluster_.options.raft.pre_vote = false;
  const int leader = Begin(3);
  const int away = leader % 3 + 1;
  cluster_.Isolate(away);
  ASSERT_EQ(cluster_.Change(Kind::kRemove, away), absl::OkStatus());
  cluster_.world.RunFor(seconds(20));
  cluster_.Isolate(away, false);
  EXPECT_TRUE(AwaitRefused(away));
}

TEST_F(ClusterMemberTest, OfTwoOneIsRemovedAndTheOtherLeadsAlone) {
  Begin(1);
  AddVoter(2);
  const int leader = cluster_.Leader();
  const int other = 3 - leader;
  ASSERT_EQ(cluster_.Change(Kind::kRemove, other), absl::OkStatus());
  ASSERT_TRUE(AwaitRefused(other)) << "nobody but one is there to tell it";
  cluster_.Crash(other);
  Write(3);
}

TEST_F(ClusterMemberTest, ALeaderThatRemovesItselfIsFollowedWithoutAnElectionTimeOut) {
  const int leader = Begin(3);
  Write(5);
  std::optional<absl::Status> removed;
  cluster_.node(leader)->ChangeMember(Of(Kind::kRemove, leader), [&](const absl::Status& status) { removed = status; });
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return removed.has_value(); }, seconds(5)));
  EXPECT_TRUE(removed->ok()) << *removed;
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.Leader() != 0 && cluster_.Leader() != leader; },
                                      cluster_.options.raft.election_timeout / 4));
  ASSERT_TRUE(AwaitRefused(leader));
  EXPECT_THAT(Words(leader), HasSubstr("was removed from cluster"));
  cluster_.Crash(leader);
  client_ = Connect(cluster_.AwaitLeader());
  Write(5);
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, AWipedMemberIsReadmittedByOneCommand) {
  const int leader = Begin(3);
  Write(20);
  const int wiped = leader % 3 + 1;
  cluster_.Crash(wiped);
  cluster_.Wipe(wiped);
  cluster_.StartJoining(wiped);
  ASSERT_EQ(cluster_.Change(Kind::kReadmit, wiped), absl::OkStatus());
  EXPECT_FALSE(
      cluster_.node(cluster_.Leader())->raft().configuration().Find(base::NodeId(static_cast<std::uint64_t>(wiped)))->voter);
  ASSERT_EQ(cluster_.Change(Kind::kPromote, wiped), absl::OkStatus());
  EXPECT_EQ(cluster_.Members(), "1 2 3");
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.Crash(cluster_.Leader());
  ASSERT_NE(cluster_.AwaitLeader(), 0) << "its word counts again";
}

// The leader asked itself, and heard nothing.
TEST_F(ClusterMemberTest, WhoHasItsDirectoryIsReadmittedAlready) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  for (const int id : {leader, other}) {
    EXPECT_EQ(Ask(leader, Of(Kind::kReadmit, id)), absl::OkStatus());
    EXPECT_EQ(Ask(leader, Of(Kind::kReadmit, id, SimCluster::Peer(id))), absl::OkStatus());
  }
  const absl::Status elsewhere = Ask(leader, Of(Kind::kReadmit, leader, "elsewhere:2"));
  EXPECT_TRUE(absl::IsFailedPrecondition(elsewhere)) << elsewhere;
  EXPECT_EQ(cluster_.Members(), "1 2 3") << "nobody became a learner";
  // One that is down may have all that it needs.
  cluster_.Crash(other);
  EXPECT_THAT(std::string(Ask(leader, Of(Kind::kReadmit, other)).message()),
              HasSubstr("if its data directory is still there, start it with that"));
}

TEST_F(ClusterMemberTest, TheOnlyNodeIsReadmittedAlready) {
  Begin(1);
  EXPECT_EQ(Ask(1, Of(Kind::kReadmit, 1)), absl::OkStatus());
}

// It said of nodes that were dead that they were none behind, and had just answered.
TEST_F(ClusterMemberTest, ALeaderThatIsCutOffDoesNotSayThatItLeads) {
  const int leader = Begin(3);
  const auto ask = [this](int node) {
    auto result = std::make_shared<std::optional<absl::Status>>();
    cluster_.node(node)->ConfirmLeads([result](const absl::Status& status) { *result = status; });
    return result;
  };
  const auto fine = ask(leader);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return fine->has_value(); }, seconds(1)));
  EXPECT_EQ(**fine, absl::OkStatus());
  const auto follower = ask(leader % 3 + 1);
  EXPECT_TRUE(follower->has_value() && absl::IsUnavailable(**follower));
  cluster_.Isolate(leader);
  ASSERT_TRUE(cluster_.node(leader)->raft().leads()) << "it does not know yet";
  const auto cut_off = ask(leader);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cut_off->has_value(); }, seconds(20)));
  EXPECT_TRUE(absl::IsUnavailable(**cut_off)) << **cut_off;
}

// Added and promoted it would be a member in words alone.
TEST_F(ClusterMemberTest, AWipedMemberThatWaitsIsNotAddedAndSaysWhatHelps) {
  const int leader = Begin(3);
  const int wiped = leader % 3 + 1;
  cluster_.Crash(wiped);
  cluster_.Wipe(wiped);
  cluster_.StartJoining(wiped);
  const std::string what_helps = "drover cluster member readmit " + std::to_string(wiped);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.process(wiped)->Waiting().find(what_helps) != std::string::npos; },
                                      seconds(20)));
  cluster_.world.RunFor(seconds(1));
  for (const Kind kind : {Kind::kPromote, Kind::kAdd}) {
    const absl::Status refused = Ask(leader, Of(kind, wiped, kind == Kind::kAdd ? SimCluster::Peer(wiped) : ""));
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(what_helps));
  }
  // That one is lost, too; it was heard of a moment ago, and is not what is there now.
  cluster_.Crash(wiped);
  cluster_.Wipe(wiped);
  cluster_.StartJoining(wiped);
  ASSERT_EQ(cluster_.Change(Kind::kReadmit, wiped), absl::OkStatus());
  ASSERT_EQ(cluster_.Change(Kind::kPromote, wiped), absl::OkStatus());
  EXPECT_EQ(cluster_.Change(Kind::kAdd, wiped), absl::OkStatus()) << "what is so already is done";
  ASSERT_TRUE(cluster_.AwaitEqual());
}

// Its supervisor does not know of --join. At level 2 it has to promise that before it is let in.
TEST_F(ClusterMemberTest, AWipedMemberThatIsStartedAsEverAgainAndAgainIsReadmitted) {
  const int leader = Begin(3);
  ASSERT_TRUE(
      cluster_.world.RunUntil([&] { return cluster_.node(leader)->feature_level() == base::kNewestFeatureLevel; }, seconds(10)));
  const int wiped = leader % 3 + 1;
  cluster_.Crash(wiped);
  cluster_.Wipe(wiped);
  cluster_.Start(wiped);
  std::function<void()> supervise = [&] {
    if (!cluster_.refused(wiped).ok()) {
      cluster_.Crash(wiped);
      cluster_.Start(wiped);
    }
    cluster_.world.Schedule(nullptr, std::chrono::milliseconds(50), supervise);
  };
  supervise();
  cluster_.world.RunFor(seconds(1));
  ASSERT_EQ(cluster_.Change(Kind::kReadmit, wiped), absl::OkStatus());
  ASSERT_EQ(cluster_.Change(Kind::kPromote, wiped), absl::OkStatus());
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, AnOldCopyOfADirectoryIsRecognisedAndLosesNothing) {
  const int leader = Begin(3);
  const int copied = leader % 3 + 1;
  Write(5);
  cluster_.Crash(copied);
  const auto copy = cluster_.files(copied).Copy(1);
  cluster_.Start(copied);
  Write(20);
  // Until its disk has them, and it has said so.
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return Lag(leader, copied) == 0; }, seconds(20)));
  cluster_.Crash(copied);
  cluster_.Insert(copied, copy->Copy(2));
  cluster_.Start(copied);
  ASSERT_TRUE(AwaitRefused(copied));
  EXPECT_THAT(Words(copied), AllOf(HasSubstr("has lost what node"), HasSubstr("readmit " + std::to_string(copied))));
  // No other leader could tell; so the directory does.
  cluster_.Crash(copied);
  const absl::Status told = cluster_.refused(copied);
  EXPECT_EQ(cluster_.TryStart(copied), told);
  // It comes back as one whose disk was lost.
  cluster_.Wipe(copied);
  cluster_.StartJoining(copied);
  const absl::Status readmitted = cluster_.Change(Kind::kReadmit, copied);
  ASSERT_TRUE(readmitted.ok()) << readmitted;
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, OneThatASupervisorStartsAgainAndAgainIsReadmittedToo) {
  const int leader = Begin(3);
  Write(20);
  const int wiped = leader % 3 + 1;
  cluster_.Crash(wiped);
  cluster_.Wipe(wiped);
  std::optional<absl::Status> readmitted;
  cluster_.node(leader)->ChangeMember(Of(Kind::kReadmit, wiped), [&](const absl::Status& status) { readmitted = status; });
  for (int i = 0; i < 20 && cluster_.node(wiped) == nullptr; ++i) {
    cluster_.Start(wiped);  // with --initial-cluster, as ever
    static_cast<void>(
        cluster_.world.RunUntil([&] { return !cluster_.refused(wiped).ok() || cluster_.node(wiped) != nullptr; }, seconds(3)));
    if (cluster_.node(wiped) == nullptr) cluster_.Crash(wiped);
    cluster_.world.RunFor(seconds(1));
  }
  ASSERT_TRUE(readmitted.has_value());
  ASSERT_TRUE(readmitted->ok()) << *readmitted;
  ASSERT_NE(cluster_.node(wiped), nullptr);
  ASSERT_EQ(cluster_.Change(Kind::kPromote, wiped), absl::OkStatus());
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, AnEarlierDirectoryOfAReadmittedMemberIsRefused) {
  const int leader = Begin(3);
  Write(5);
  const int wiped = leader % 3 + 1;
  cluster_.Crash(wiped);
  std::unique_ptr<sim::SimFileSystem> earlier = cluster_.files(wiped).Copy(1);
  cluster_.Wipe(wiped);
  cluster_.StartJoining(wiped);
  ASSERT_EQ(cluster_.Change(Kind::kReadmit, wiped), absl::OkStatus());
  ASSERT_EQ(cluster_.Change(Kind::kPromote, wiped), absl::OkStatus());
  Write(5);
  cluster_.Crash(wiped);
  cluster_.Insert(wiped, std::move(earlier));
  cluster_.Start(wiped);
  ASSERT_TRUE(AwaitRefused(wiped));
  EXPECT_THAT(Words(wiped), HasSubstr("another data directory"));
  cluster_.Crash(wiped);
  EXPECT_NE(cluster_.AwaitLeader(), 0);
}

// Their leader is nobody that it knows, and nobody whom it knows is there any more.
TEST_F(ClusterMemberTest, AMemberThatWasAwayWhileAllOthersWereReplacedComesBack) {
  Begin(3);
  cluster_.Crash(3);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  client_ = Connect(cluster_.Leader());
  Write(5);
  for (const int id : {4, 5}) AddVoter(id);
  for (const int id : {1, 2}) {
    ASSERT_EQ(cluster_.Change(Kind::kRemove, id), absl::OkStatus()) << id;
    ASSERT_TRUE(AwaitRefused(id));
    cluster_.Crash(id);
  }
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  EXPECT_EQ(cluster_.Members(), "3 4 5");
  cluster_.Start(3);
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_TRUE(cluster_.refused(3).ok()) << cluster_.refused(3);
  // And is needed.
  cluster_.Crash(cluster_.Leader());
  ASSERT_NE(cluster_.AwaitLeader(), 0);
}

TEST_F(ClusterMemberTest, AMemberThatWasAwayFollowsAnotherLifeOfOneItKnew) {
  Begin(3);
  Write(3);
  const int leader = cluster_.Leader();
  const int away = leader % 3 + 1;
  const int wiped = 6 - leader - away;
  AddVoter(4);
  cluster_.Crash(away);
  cluster_.Crash(wiped);
  cluster_.Wipe(wiped);
  cluster_.StartJoining(wiped);
  // Two of three, once the wiped one does not count any more.
  ASSERT_EQ(cluster_.Change(Kind::kReadmit, wiped), absl::OkStatus());
  ASSERT_EQ(cluster_.Change(Kind::kPromote, wiped), absl::OkStatus());
  std::optional<absl::Status> handed;
  cluster_.node(cluster_.Leader())->TransferLeadership(base::NodeId(static_cast<std::uint64_t>(wiped)), [&](const absl::Status& s) {
    handed = s;
  });
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return handed.has_value(); }, seconds(20)));
  ASSERT_TRUE(handed->ok()) << *handed;
  cluster_.Start(away);
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_EQ(cluster_.Leader(), wiped);
}

// What the one that was away knows of the other is an earlier life, and no third node has enough to lead.
TEST_F(ClusterMemberTest, AMemberThatWasAwayVotesForAnotherLifeOfOneItKnew) {
  const int leader = Begin(4);
  const int away = leader % 4 + 1, lost = away % 4 + 1, behind = lost % 4 + 1;
  Write(5);
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.Crash(away);
  cluster_.Crash(lost);
  cluster_.Wipe(lost);
  cluster_.StartJoining(lost);
  for (const Kind kind : {Kind::kReadmit, Kind::kPromote}) {
    const absl::Status done = cluster_.Change(kind, lost);
    ASSERT_TRUE(done.ok()) << done;
  }
  ASSERT_EQ(cluster_.Leader(), leader);
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.Cut(leader, behind);
  client_->Set("/d0", "of the leader's last moment");
  client_->Flush();
  const auto last = [this](int id) { return cluster_.node(id)->raft().log().last(); };
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return last(lost) > last(behind); }, seconds(5)));
  cluster_.Crash(leader);
  cluster_.Start(away);
  EXPECT_EQ(cluster_.AwaitLeader(), lost);
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, WhatIsRefusedSaysWhy) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  const int third = 6 - leader - other;
  const auto refused = [&](const MemberChange& change, absl::StatusCode code, const std::string& words) {
    const absl::Status status = Ask(leader, change);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  };
  refused(Of(Kind::kRemove, 9), absl::StatusCode::kNotFound, "node 9 is no member");
  refused(Of(Kind::kPromote, 9), absl::StatusCode::kNotFound, "node 9 is no member");
  refused(Of(Kind::kReadmit, 9), absl::StatusCode::kNotFound, "give its address");
  refused(Of(Kind::kAdd, 9), absl::StatusCode::kInvalidArgument, "address");
  refused(Of(Kind::kAdd, 9, "0.0.0.0:7"), absl::StatusCode::kInvalidArgument, "no address that other nodes could dial");
  refused(Of(Kind::kAdd, 9, SimCluster::Peer(9)), absl::StatusCode::kUnavailable,
          "node 9 does not answer at node9:2: start it there");
  refused(Of(Kind::kAdd, 9, SimCluster::Peer(leader)), absl::StatusCode::kFailedPrecondition,
          SimCluster::Peer(leader) + " is the address of node " + std::to_string(leader));
  cluster_.StartJoining(4);
  refused(Of(Kind::kAdd, 9, SimCluster::Peer(4)), absl::StatusCode::kFailedPrecondition, "node 4 is at node4:2, not node 9");
  EXPECT_TRUE(Ask(leader, Of(Kind::kAdd, other, SimCluster::Peer(other))).ok()) << "it is so already";
  EXPECT_TRUE(Ask(leader, Of(Kind::kPromote, other)).ok());
  EXPECT_TRUE(Ask(leader, Of(Kind::kReadmit, other)).ok());
  const absl::Status elsewhere = Ask(other, Of(Kind::kRemove, third));
  EXPECT_TRUE(absl::IsUnavailable(elsewhere));
  EXPECT_THAT(std::string(elsewhere.message()),
              HasSubstr("node " + std::to_string(leader) + " at " + SimCluster::Peer(leader) + " leads"));
  cluster_.Crash(third);
  cluster_.world.RunFor(cluster_.options.raft.election_timeout * 2);
  refused(Of(Kind::kRemove, other), absl::StatusCode::kFailedPrecondition,
          "the cluster would lose its quorum: of 2 voters 2 are needed, and " + std::to_string(third) + " does not answer");
  EXPECT_EQ(cluster_.Members(), "1 2 3");
}

TEST_F(ClusterMemberTest, OneChangeAtATime) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  const int third = 6 - leader - other;
  cluster_.Isolate(leader);
  std::optional<absl::Status> first;
  cluster_.node(leader)->ChangeMember(Of(Kind::kRemove, third), [&](const absl::Status& s) { first = s; });
  cluster_.world.RunFor(milliseconds(10));
  const absl::Status second = Ask(leader, Of(Kind::kRemove, other));
  EXPECT_TRUE(absl::IsAborted(second)) << second;
  EXPECT_THAT(std::string(second.message()), HasSubstr("in progress"));
  EXPECT_FALSE(first.has_value());
  cluster_.Isolate(leader, false);
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return first.has_value(); }, seconds(5)));
  EXPECT_TRUE(first->ok()) << *first;
}

TEST_F(ClusterMemberTest, OneThatWaitsForANodeGivesWayToTheNext) {
  const int leader = Begin(3);
  std::optional<absl::Status> typo;
  cluster_.node(leader)->ChangeMember(Of(Kind::kAdd, 4, "nobody:2"), [&](const absl::Status& s) { typo = s; });
  cluster_.world.RunFor(milliseconds(100));
  EXPECT_FALSE(typo.has_value());
  Add(4);
  ASSERT_TRUE(typo.has_value());
  EXPECT_TRUE(absl::IsAborted(*typo)) << *typo;
}

TEST_F(ClusterMemberTest, ALearnerThatIsFarBehindIsNotPromoted) {
  cluster_.options.promotion_lag_max = 10;
  const int leader = Begin(3);
  Add(4);
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.disk(4).Stall(seconds(8));
  Write(30);
  const absl::Status behind = Ask(leader, Of(Kind::kPromote, 4));
  EXPECT_TRUE(absl::IsAborted(behind)) << behind;
  EXPECT_THAT(std::string(behind.message()), testing::ContainsRegex("node 4 is [0-9]+ entries behind, and may be 10"));
  ASSERT_EQ(cluster_.Change(Kind::kPromote, 4), absl::OkStatus()) << "once it has caught up";
}

// Another life of it, of the time before, was taken for it for as long as it had spoken, and so it heard nothing.
TEST_F(ClusterMemberTest, ANodeThatWasRemovedAndComesAnewFollowsAtOnce) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  ASSERT_EQ(cluster_.Change(Kind::kRemove, other), absl::OkStatus());
  ASSERT_TRUE(AwaitRefused(other));
  cluster_.Crash(other);
  cluster_.Start(other);
  ASSERT_TRUE(AwaitRefused(other));
  cluster_.Crash(other);
  cluster_.Wipe(other);
  Add(other);
  EXPECT_TRUE(cluster_.AwaitEqual(seconds(2)));
}

// Its removal, long past, was committed once more by the new leader, which then took the former life for the present one.
// Of what it missed it hears one entry after the other, and first of all that it was added and removed.
TEST_F(ClusterMemberTest, OneThatNeverHeardThatItWasAddedDoesNotEndOfItsEarlierRemoval) {
  cluster_.options.raft.append_bytes = 1;
  cluster_.options.raft.window.appends = 1;
  const int leader = Begin(3);
  cluster_.StartJoining(4);
  std::optional<absl::Status> added;
  cluster_.node(leader)->ChangeMember(Of(Kind::kAdd, 4, SimCluster::Peer(4)), [&](const absl::Status& status) {
    added = status;
    for (int id = 1; id <= 3; ++id) cluster_.Cut(id, 4);
  });
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return added.has_value(); }, seconds(5)));
  ASSERT_TRUE(added->ok()) << *added;
  const absl::Status removed = cluster_.Change(Kind::kRemove, 4);
  ASSERT_TRUE(removed.ok()) << removed;
  Write(3);
  ASSERT_EQ(cluster_.node(4), nullptr);
  for (int id = 1; id <= 3; ++id) cluster_.Cut(id, 4, false);
  ASSERT_NO_FATAL_FAILURE(Add(4));
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.world.RunFor(seconds(2));
  EXPECT_TRUE(cluster_.refused(4).ok()) << cluster_.refused(4);
  EXPECT_EQ(cluster_.Members(), "1 2 3 4?");
}

// Nobody tells it, and it does not campaign; so it has to find out by itself that nobody leads it.
TEST_F(ClusterMemberTest, ALearnerThatMissedItsRemovalIsToldWhenItAsks) {
  const int leader = Begin(3);
  Add(4);
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.Isolate(4);
  const absl::Status removed = cluster_.Change(Kind::kRemove, 4);
  ASSERT_TRUE(removed.ok()) << removed;
  for (int id = 1; id <= 3; ++id) cluster_.network.Reset(SimCluster::Host(id), SimCluster::Host(4));
  cluster_.world.RunFor(seconds(30));
  cluster_.Isolate(4, false);
  EXPECT_TRUE(AwaitRefused(4));
  EXPECT_THAT(Words(4), HasSubstr("node 4 was removed from cluster"));
  EXPECT_EQ(cluster_.Leader(), leader);
}

TEST_F(ClusterMemberTest, AfterARestartOfAllAMemberThatWasReplacedIsHeard) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  ASSERT_EQ(cluster_.Change(Kind::kRemove, other), absl::OkStatus());
  ASSERT_TRUE(AwaitRefused(other));
  cluster_.Crash(other);
  cluster_.Wipe(other);
  AddVoter(other);
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.world.RunFor(seconds(1));
  client_.reset();
  for (int id = 1; id <= 3; ++id) cluster_.Crash(id);
  cluster_.initial.clear();
  for (int id = 1; id <= 3; ++id) cluster_.Start(id);
  ASSERT_NE(cluster_.AwaitLeader(seconds(8)), 0);
  ASSERT_TRUE(cluster_.AwaitEqual(seconds(2)));
}

// Else a command that meets a change of the leader is refused for good, though a moment later it would be done.
TEST_F(ClusterMemberTest, ALeaderThatHasOnlyBegunIsToBeAskedAgain) {
  const int first = Begin(3);
  cluster_.Crash(first);
  const auto only_begun = [&] {
    const int leader = cluster_.Leader();
    if (leader == 0) return false;
    const raft::Raft& raft = cluster_.node(leader)->raft();
    return raft.commit() < raft.Inspect().first_of_term;
  };
  ASSERT_TRUE(cluster_.world.RunUntil(only_begun, seconds(20)));
  const absl::Status early = Ask(cluster_.Leader(), Of(Kind::kRemove, first));
  EXPECT_TRUE(absl::IsUnavailable(early)) << early;
  EXPECT_EQ(cluster_.Change(Kind::kRemove, first), absl::OkStatus());
}

// The new leader counted the dead one, whose silence had only begun, as one that answers: the removal was taken, could not be
// committed, and nobody could lead until the dead one came back.
TEST_F(ClusterMemberTest, RightAfterALeaderDiedNobodyIsRemovedWhomTheQuorumNeeds) {
  const int first = Begin(3);
  Write(3);
  cluster_.Crash(first);
  const auto begun = [&] {
    const int leader = cluster_.Leader();
    if (leader == 0) return false;
    const raft::Raft& raft = cluster_.node(leader)->raft();
    return raft.commit() >= raft.Inspect().first_of_term;
  };
  ASSERT_TRUE(cluster_.world.RunUntil(begun, seconds(20)));
  const int leader = cluster_.Leader();
  for (const int other : {6 - first - leader, leader}) {
    const absl::Status early = Ask(leader, Of(Kind::kRemove, other));
    EXPECT_TRUE(absl::IsUnavailable(early)) << early;
  }
  const absl::Status refused = cluster_.Change(Kind::kRemove, 6 - first - leader);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the cluster would lose its quorum"));
  EXPECT_EQ(cluster_.Members(), "1 2 3");
  client_ = Connect(cluster_.Leader());
  Write(3);
}

// It counted as one that answers and is little behind, and nothing could be committed without it ever after.
TEST_F(ClusterMemberTest, ALearnerThatHasNotBegunIsNotPromoted) {
  const int leader = Begin(1);
  cluster_.StartJoining(2);
  std::optional<absl::Status> added;
  cluster_.node(leader)->ChangeMember(Of(Kind::kAdd, 2, SimCluster::Peer(2)), [&](const absl::Status& s) {
    added = s;
    cluster_.Cut(1, 2);
  });
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return added.has_value(); }, seconds(5)));
  ASSERT_TRUE(added->ok()) << *added;
  const absl::Status early = Ask(leader, Of(Kind::kPromote, 2));
  EXPECT_TRUE(absl::IsAborted(early)) << early;
  EXPECT_EQ(cluster_.Members(), "1 2?");
  Write(3);
  cluster_.Cut(1, 2, false);
  EXPECT_EQ(cluster_.Change(Kind::kPromote, 2), absl::OkStatus());
}

TEST_F(ClusterMemberTest, AMemberMovesToAnotherAddress) {
  const int leader = Begin(3);
  const int other = leader % 3 + 1;
  cluster_.Crash(other);
  cluster_.moved[other] = SimCluster::Host(other) + ":9";
  cluster_.initial.clear();
  cluster_.Start(other);
  Write(5);
  const base::NodeId id(static_cast<std::uint64_t>(other));
  EXPECT_LT(cluster_.node(other)->Status().applied, cluster_.node(leader)->Status().applied) << "nobody finds it";
  ASSERT_TRUE(Ask(leader, Of(Kind::kAdd, other, cluster_.moved[other])).ok());
  EXPECT_EQ(cluster_.node(leader)->raft().configuration().Find(id)->address, cluster_.moved[other]);
  EXPECT_EQ(cluster_.Members(), "1 2 3");
  ASSERT_TRUE(cluster_.AwaitEqual());
}

// Whatever it still says from where it was says nothing of who is at the new address.
TEST_F(ClusterMemberTest, NobodyMovesToAnAddressThatDoesNotAnswer) {
  const int leader = Begin(3);
  cluster_.StartJoining(4);
  // Before it knows that it was added.
  ASSERT_TRUE(Ask(leader, Of(Kind::kAdd, 4, SimCluster::Peer(4))).ok());
  for (const int id : {4, leader % 3 + 1}) {
    const absl::Status moved = Ask(leader, Of(Kind::kAdd, id, "nobody:2"));
    EXPECT_TRUE(absl::IsUnavailable(moved)) << moved;
    EXPECT_THAT(std::string(moved.message()), AllOf(HasSubstr("does not answer at nobody:2"),
                                                    HasSubstr("its own data directory, as it was at " + SimCluster::Peer(id))));
    EXPECT_EQ(cluster_.node(leader)->raft().configuration().Find(base::NodeId(static_cast<std::uint64_t>(id)))->address,
              SimCluster::Peer(id));
  }
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterMemberTest, WhoHasLittleTimeHearsTheReasonAllTheSame) {
  const int leader = Begin(3);
  std::optional<absl::Status> result;
  const base::Instant asked = cluster_.world.Now();
  cluster_.node(leader)->ChangeMember(
      Of(Kind::kAdd, 4, "nobody:2"), [&](const absl::Status& status) { result = status; }, milliseconds(800));
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return result.has_value(); }, seconds(20)));
  EXPECT_LT(cluster_.world.Now() - asked, seconds(1));
  EXPECT_THAT(std::string(result->message()), HasSubstr("node 4 does not answer at nobody:2"));
}

TEST_F(ClusterMemberTest, LeadershipIsHandedToWhomIsAskedFor) {
  const int leader = Begin(3);
  Write(3);
  Add(4);
  const auto hand = [&](int from, int to) {
    std::optional<absl::Status> result;
    cluster_.node(from)->TransferLeadership(base::NodeId(static_cast<std::uint64_t>(to)),
                                            [&](const absl::Status& s) { result = s; });
    EXPECT_TRUE(cluster_.world.RunUntil([&] { return result.has_value(); }, seconds(20)));
    return result.value_or(absl::UnknownError("no answer"));
  };
  EXPECT_TRUE(hand(leader, leader).ok());
  const absl::Status learner = hand(leader, 4);
  EXPECT_TRUE(absl::IsFailedPrecondition(learner)) << learner;
  EXPECT_TRUE(absl::IsNotFound(hand(leader, 9)));
  const int other = leader % 3 + 1;
  EXPECT_TRUE(hand(leader, other).ok());
  EXPECT_EQ(cluster_.AwaitLeader(), other);
  EXPECT_TRUE(absl::IsUnavailable(hand(leader, leader)));
  EXPECT_TRUE(hand(other, 0).ok()) << "to any";
  EXPECT_NE(cluster_.AwaitLeader(), other);
  const int now = cluster_.Leader();
  const int down = now % 3 + 1;
  cluster_.Crash(down);
  cluster_.world.RunFor(cluster_.options.raft.election_timeout * 2);
  const absl::Status silent = hand(now, down);
  EXPECT_TRUE(absl::IsFailedPrecondition(silent)) << silent;
  EXPECT_EQ(cluster_.Leader(), now);
}

}  // namespace
}  // namespace drover::coord::server
