// Three nodes that are one: formation, failover, forwarding, sessions across leaders.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"
#include "tests/coord/server/sim_cluster.h"
#include "tests/coord/server/sim_core.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ClusterTest : public ClusterFixture {};

TEST_F(ClusterTest, FormsOnceAllMembersAreThereAndOneLeads) {
  cluster_.Start(1);
  cluster_.Start(3);
  cluster_.world.RunFor(seconds(20));
  EXPECT_EQ(cluster_.node(1), nullptr) << "founded without node 2";
  cluster_.Start(2);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  for (int id = 1; id <= 3; ++id) {
    EXPECT_EQ(cluster_.node(id)->raft().configuration(), cluster_.node(1)->raft().configuration());
    EXPECT_EQ(cluster_.node(id)->raft().configuration().members.size(), 3U);
  }
}

TEST_F(ClusterTest, AFounderThatCrashesWhileItFoundsNeverMakesASecondCluster) {
  // Each step of forming in turn.
  for (int crash_ms = 0; crash_ms < 600; crash_ms += 20) {
    SimCluster cluster(3, 100 + static_cast<std::uint64_t>(crash_ms));
    cluster.StartAll();
    cluster.world.RunFor(milliseconds(crash_ms));
    cluster.Crash(1, sim::Survival::kNothing);
    cluster.world.RunFor(milliseconds(50));
    cluster.Start(1);
    ASSERT_NE(cluster.AwaitLeader(), 0) << crash_ms;
    std::set<std::uint64_t> clusters;
    for (int id = 1; id <= 3; ++id) clusters.insert(cluster.node(id)->Status().cluster.value);
    EXPECT_EQ(clusters.size(), 1U) << crash_ms;
  }
}

TEST_F(ClusterTest, AClientOfAnyNodeWritesAndReads) {
  Begin();
  for (int node = 1; node <= 3; ++node) {
    auto client = Connect("client" + std::to_string(node), node);
    const std::string path = "/n" + std::to_string(node);
    const std::uint64_t create = client->Create(path, "a");
    const std::uint64_t set = client->Set(path, "b");
    const std::uint64_t get = client->Get(path);
    client->Flush();
    EXPECT_EQ(client->AwaitWrite(create).code(), v1::OK);
    EXPECT_EQ(client->AwaitWrite(set).code(), v1::OK);
    EXPECT_EQ(client->AwaitRead(get).data(), "b");
  }
  EXPECT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterTest, ALinearizableReadAtAFollowerShowsWhatWasWrittenElsewhere) {
  const int leader = Begin();
  auto writer = NewClient("writer", leader);
  auto reader = NewClient("reader", Other(leader));
  writer->Connect();
  reader->Connect();
  const std::uint64_t create = writer->Create("/x", "0");
  writer->Flush();
  writer->AwaitWrite(create);
  for (int i = 1; i <= 50; ++i) {
    const std::uint64_t set = writer->Set("/x", std::to_string(i));
    writer->Flush();
    writer->AwaitWrite(set);
    const std::uint64_t get = reader->Get("/x");
    reader->Flush();
    ASSERT_EQ(reader->AwaitRead(get).data(), std::to_string(i));
  }
}

TEST_F(ClusterTest, AWriteByAFollowerIsAnsweredAsSoonAsItIsCommitted) {
  const int leader = Begin();
  auto client = Connect("client", Other(leader));
  for (int i = 0; i < 50; ++i) {
    cluster_.world.RunFor(milliseconds(7));
    const base::Instant sent = cluster_.world.Now();
    const std::uint64_t create = client->Create("/w" + std::to_string(i));
    client->Flush();
    ASSERT_EQ(client->AwaitWrite(create).code(), v1::OK);
    EXPECT_LT(cluster_.world.Now() - sent, milliseconds(10)) << "it waited for a heartbeat";
  }
}

TEST_F(ClusterTest, AKilledLeaderIsReplacedAtOnceAndNothingAcknowledgedIsLost) {
  cluster_.StartAll();
  auto client = NewClient("client", 1);
  std::uint64_t written = 0;
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  for (int round = 0; round < 10; ++round) {
    const int leader = cluster_.AwaitLeader();
    ASSERT_NE(leader, 0) << "round " << round;
    client->node = SimCluster::Client(Other(leader));
    if (round == 0) {
      client->Connect();
    } else {
      client->Reconnect();
    }
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t create = client->Create("/k" + std::to_string(++written));
      client->Flush();
      ASSERT_EQ(client->AwaitWrite(create).code(), v1::OK);
    }
    const base::Instant killed = cluster_.world.Now();
    cluster_.Crash(leader);
    ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.Leader() != 0; }, seconds(5)));
    EXPECT_LT(cluster_.world.Now() - killed, milliseconds(600)) << "round " << round;
    cluster_.Start(leader);
  }
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  ASSERT_TRUE(cluster_.AwaitEqual());
  client->Reconnect();
  for (std::uint64_t i = 1; i <= written; ++i) {
    const std::uint64_t get = client->Get("/k" + std::to_string(i));
    client->Flush();
    EXPECT_EQ(client->AwaitRead(get).code(), v1::OK) << i;
  }
}

TEST_F(ClusterTest, AllLosePowerAtOnceAndNothingAcknowledgedIsLost) {
  Begin();
  auto client = Connect("client", 2);
  std::vector<std::uint64_t> creates;
  for (int i = 0; i < 16; ++i) creates.push_back(client->Create("/p" + std::to_string(i)));
  client->Flush();
  ASSERT_TRUE(client->RunUntil([&] { return client->Written(creates[10]) != nullptr; }));
  for (int id = 1; id <= 3; ++id) cluster_.Crash(id, sim::Survival::kNothing);
  Begin();
  auto reader = Connect("reader", 1);
  for (int i = 0; i < 16; ++i) {
    if (client->Written(creates[static_cast<std::size_t>(i)]) == nullptr) continue;
    const std::uint64_t get = reader->Get("/p" + std::to_string(i));
    reader->Flush();
    EXPECT_EQ(reader->AwaitRead(get).code(), v1::OK) << i;
  }
}

TEST_F(ClusterTest, ANodeThatIsCutOffSaysSoAndAnIsolatedLeaderAnswersNoRead) {
  const int leader = Begin();
  auto client = Connect("client", leader, 60'000);
  const std::uint64_t create = client->Create("/x", "old");
  client->Flush();
  client->AwaitWrite(create);
  cluster_.Isolate(leader);
  const std::uint64_t get = client->Get("/x");
  client->Flush();
  ASSERT_TRUE(client->RunUntil([&] { return client->closed; }, seconds(20))) << "it keeps its clients waiting";
  EXPECT_EQ(client->Read(get), nullptr) << "a read without a quorum";
  EXPECT_EQ(client->status.code(), absl::StatusCode::kUnavailable) << client->status;
  cluster_.Isolate(leader, false);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  client->Reconnect();
  const std::uint64_t again = client->Get("/x");
  client->Flush();
  EXPECT_EQ(client->AwaitRead(again).data(), "old");
}

TEST_F(ClusterTest, ASessionOutlivesItsLeaderAndEndsWhenItsClientIsSilent) {
  int leader = Begin();
  auto client = Connect("client", Other(leader), 2'000);
  client->KeepContact(milliseconds(500));
  const std::uint64_t create = client->Create("/e", "", true);
  client->Flush();
  client->AwaitWrite(create);
  for (int round = 0; round < 5; ++round) {
    cluster_.Crash(leader);
    cluster_.world.RunFor(milliseconds(700));
    cluster_.Start(leader);
    leader = cluster_.AwaitLeader();
    ASSERT_NE(leader, 0);
    if (client->closed) {
      client->node = SimCluster::Client(leader);
      client->Reconnect();
    }
    cluster_.world.RunFor(milliseconds(1'500));
  }
  EXPECT_EQ(cluster_.node(leader)->state().sessions().size(), 1U) << "a living session was expired";
  EXPECT_GT(client->acked_nonce, 5U);
  client->StopContact();
  const base::Instant silent = cluster_.world.Now();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(leader)->state().sessions().size() == 0; }, seconds(10)));
  EXPECT_GE(cluster_.world.Now() - silent, milliseconds(1'000));
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterTest, TheGraceOfABrokenLinkCountsAtAFollowerToo) {
  const int leader = Begin();
  auto client = Connect("client", Other(leader), 10'000, 250);
  client->Contact();
  ASSERT_TRUE(client->RunUntil([&] { return client->acked_nonce == 1; }));
  cluster_.network.Kill("client");
  const base::Instant broken = cluster_.world.Now();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(leader)->state().sessions().size() == 0; }, seconds(10)));
  EXPECT_LT(cluster_.world.Now() - broken, seconds(1));
}

TEST_F(ClusterTest, AClientThatMovesKeepsItsSessionThoughItsOldLinkBreaks) {
  const int leader = Begin();
  const int first = Other(leader);
  auto client = Connect("client", first, 10'000, 250);
  client->Contact();
  ASSERT_TRUE(client->RunUntil([&] { return client->acked_nonce == 1; }));
  client->connection.reset();  // cut, not closed
  client->node = SimCluster::Client(Other(first));
  client->Reconnect();
  client->KeepContact(milliseconds(100));
  cluster_.world.RunFor(seconds(3));
  EXPECT_FALSE(client->closed);
  EXPECT_EQ(cluster_.node(leader)->state().sessions().size(), 1U);
}

TEST_F(ClusterTest, ALeaderThatStopsHandsOverFirst) {
  cluster_.StartAll();
  int leader = cluster_.AwaitLeader();
  for (int round = 0; round < 5; ++round) {
    ASSERT_NE(leader, 0);
    const raft::Term term = cluster_.node(leader)->raft().term();
    const base::Instant stopped = cluster_.world.Now();
    cluster_.node(leader)->Stop();
    ASSERT_TRUE(
        cluster_.world.RunUntil([&] { return !cluster_.node(leader)->raft().leads() && cluster_.Leader() != 0; }, seconds(5)));
    EXPECT_LT(cluster_.world.Now() - stopped, milliseconds(300)) << "waited for a time-out";
    EXPECT_EQ(cluster_.node(cluster_.Leader())->raft().term().value, term.value + 1);
    cluster_.Crash(leader);
    cluster_.Start(leader);
    leader = cluster_.AwaitLeader();
  }
}

TEST_F(ClusterTest, AFollowersDiskMayStandStillAndALeadersMakesItHandOver) {
  const int leader = Begin();
  const raft::Term term = cluster_.node(leader)->raft().term();
  auto client = Connect("client", Third(leader, Other(leader)), 2'000);
  client->KeepContact(milliseconds(500));
  cluster_.disk(Other(leader)).Stall(seconds(3));
  std::uint64_t create = 0;
  for (int i = 0; i < 8; ++i) {
    create = client->Create("/f" + std::to_string(i));
    client->Flush();
    client->AwaitWrite(create);
    cluster_.world.RunFor(milliseconds(500));
  }
  EXPECT_EQ(cluster_.Leader(), leader);
  EXPECT_EQ(cluster_.node(leader)->raft().term(), term) << "a spurious election";
  EXPECT_FALSE(client->closed);

  cluster_.disk(leader).Stall(seconds(10));
  create = client->Create("/l");
  client->Flush();
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.Leader() != leader && cluster_.Leader() != 0; }, seconds(4)));
  EXPECT_EQ(cluster_.node(cluster_.Leader())->state().sessions().size(), 1U) << "a living session was expired";
}

TEST_F(ClusterTest, AFarFastClockDoesNotMoveTheClustersTime) {
  const int leader = Begin();
  auto client = Connect("client", leader);
  client->KeepContact(milliseconds(500));
  const std::int64_t before = cluster_.node(leader)->state().time().value;
  cluster_.loop(leader).JumpWall(std::chrono::hours(24));
  cluster_.world.RunFor(seconds(5));
  const std::int64_t moved = cluster_.node(leader)->state().time().value - before;
  EXPECT_GT(moved, 1'000);
  EXPECT_LT(moved, 20'000) << "a day";
}

TEST_F(ClusterTest, AFollowerThatWasAwayReadsWhatItMissedFromTheLeadersDisk) {
  cluster_.options.raft.cache_bytes = 1'000;
  const int leader = Begin();
  cluster_.Crash(Other(leader));
  auto client = Connect("client", leader);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t create = client->Create("/m" + std::to_string(i), std::string(500, 'd'));
    client->Flush();
    client->AwaitWrite(create);
  }
  cluster_.Start(Other(leader));
  ASSERT_TRUE(cluster_.AwaitEqual());
}

// A start with the list of members opened the log to see whether the cluster was founded, closed it, and opened it again.
TEST_F(ClusterTest, AStartWithTheListOfMembersOpensTheLogOnce) {
  Begin();
  const auto calls_of_start = [this](const InitialMembers& initial) {
    cluster_.Crash(1);
    cluster_.initial = initial;
    const std::uint64_t before = cluster_.files(1).calls();
    cluster_.Start(1);
    return cluster_.files(1).calls() - before;
  };
  const InitialMembers members = cluster_.initial;
  const std::uint64_t with = calls_of_start(members);
  // Later, so that its log is no shorter.
  const std::uint64_t without = calls_of_start({});
  EXPECT_LE(with, without);
}

}  // namespace
}  // namespace drover::coord::server
