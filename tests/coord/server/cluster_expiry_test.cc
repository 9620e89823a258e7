// When sessions end, and when they must not: leaders that are paused, cut off or changed many times within one time-out.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ClusterExpiryTest : public ClusterFixture {
 protected:
  [[nodiscard]] bool Lives(int node, std::uint64_t session) {
    return cluster_.node(node)->state().sessions().Find(base::SessionId(session)) != nullptr;
  }
  // A client that goes where there is a leader, as a real one would.
  void Follow(SimClient* client, int leader) {
    if (!client->closed) return;
    client->node = SimCluster::Client(leader);
    client->Reconnect();
  }
  // Kills the leader and starts it again once another leads; that one's id.
  int ChangeLeader() {
    const int leader = cluster_.Leader();
    cluster_.Crash(leader);
    const int next = AwaitLeaderBut(leader);
    EXPECT_NE(next, 0);
    cluster_.Start(leader);
    return next;
  }
};

TEST_F(ClusterExpiryTest, ALeaderPausedForLongerThanTheTimeoutExpiresNobodyWhenItWakes) {
  int leader = Begin();
  auto client = Connect("client", Other(leader), 1'000);
  client->KeepContact(milliseconds(250));
  for (const int pause_ms : {1'100, 2'500, 10'000}) {
    for (const bool deaf : {false, true}) {
      SCOPED_TRACE(std::to_string(pause_ms) + (deaf ? " ms, deaf" : " ms"));
      leader = cluster_.AwaitLeader();
      ASSERT_NE(leader, 0);
      cluster_.loop(leader).Pause();
      if (deaf) cluster_.Isolate(leader);
      const int next = AwaitLeaderBut(leader);
      ASSERT_NE(next, 0);
      const base::Instant elected = cluster_.world.Now();
      if (client->node == SimCluster::Client(leader)) {
        client->node = SimCluster::Client(next);
        client->Reconnect();
      }
      Follow(client.get(), next);
      cluster_.world.RunFor(milliseconds(pause_ms));
      EXPECT_GT(cluster_.world.Now() - elected, seconds(1));
      cluster_.loop(leader).Resume();
      cluster_.world.RunFor(seconds(3));
      cluster_.Isolate(leader, false);
      ASSERT_NE(cluster_.AwaitLeader(), 0);
      ASSERT_TRUE(cluster_.AwaitEqual());
      for (int id = 1; id <= 3; ++id) EXPECT_TRUE(Lives(id, client->session)) << "a living session was expired";
    }
  }
}

// Too short for an election, long enough for a time-out: what the clients said meanwhile is in the inbox when it wakes.
TEST_F(ClusterExpiryTest, ALeaderPausedForLessThanAnElectionGoesOnAndExpiresNobody) {
  const int leader = Begin();
  auto here = NewClient("here", leader);
  auto there = NewClient("there", Other(leader));
  for (SimClient* client : {here.get(), there.get()}) {
    client->Connect(500);
    client->KeepContact(milliseconds(150));
  }
  for (int round = 0; round < 10; ++round) {
    cluster_.loop(leader).Pause();
    cluster_.world.RunFor(milliseconds(800));
    cluster_.loop(leader).Resume();
    cluster_.world.RunFor(milliseconds(400));
    ASSERT_EQ(cluster_.Leader(), leader);
    for (const SimClient* client : {here.get(), there.get()}) {
      for (int id = 1; id <= 3; ++id) ASSERT_TRUE(Lives(id, client->session)) << "round " << round;
    }
  }
}

// The expiry is in the old leader's log, and on its disk, of its own term: it gives way to the next leader's entries.
TEST_F(ClusterExpiryTest, WhatALeaderThatIsCutOffProposesEndsNoSession) {
  struct Expiries : NodeObserver {
    void OnExpiryProposed(std::size_t sessions) override { proposed += sessions; }
    std::size_t proposed = 0;
  };
  Expiries expiries;
  cluster_.observer = &expiries;
  const int leader = Begin();
  auto client = Connect("client", Other(leader), 500);
  client->KeepContact(milliseconds(100));
  cluster_.world.RunFor(seconds(1));
  cluster_.Isolate(leader);
  // Its sessions' time-out is shorter than the time in which it finds out that it leads nobody.
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return expiries.proposed > 0; }, seconds(2)));
  ASSERT_TRUE(cluster_.node(leader)->raft().leads());
  const raft::Index proposed = cluster_.node(leader)->raft().log().last();
  const raft::Term term = cluster_.node(leader)->raft().term();
  const int next = AwaitLeaderBut(leader);
  ASSERT_NE(next, 0);
  Follow(client.get(), next);
  cluster_.world.RunFor(seconds(2));
  EXPECT_EQ(cluster_.node(leader)->raft().log().TermAt(proposed), term) << "it is still there";
  cluster_.Isolate(leader, false);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  ASSERT_TRUE(cluster_.AwaitEqual());
  EXPECT_NE(cluster_.node(leader)->raft().log().TermAt(proposed), term);
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(Lives(id, client->session)) << "a living session was expired";
  EXPECT_EQ(expiries.proposed, 1U);
}

TEST_F(ClusterExpiryTest, ManyLeadersWithinOneTimeoutExpireNobodyEarlyAndTheSilentInTheEnd) {
  int leader = Begin();
  auto keeper = Connect("keeper", leader, 6'000);
  keeper->KeepContact(milliseconds(500));
  auto silent = Connect("silent", leader, 6'000);
  silent->Contact();
  ASSERT_TRUE(silent->RunUntil([&] { return silent->acked_nonce == 1; }));
  const base::Instant heard = cluster_.world.Now();
  base::Instant elected = heard;
  for (int change = 0; change < 6; ++change) {
    cluster_.world.RunFor(milliseconds(300));
    leader = ChangeLeader();
    ASSERT_NE(leader, 0);
    elected = cluster_.world.Now();
    Follow(keeper.get(), leader);
    EXPECT_TRUE(Lives(leader, silent->session));
  }
  ASSERT_LT(elected - heard, seconds(6)) << "the leaders did not change within one time-out";
  const auto ended = [&] { return !Lives(leader, silent->session); };
  ASSERT_TRUE(cluster_.world.RunUntil(ended, seconds(20))) << "an immortal session";
  // The last leader gave it all of its time again, and not more.
  EXPECT_GE(cluster_.world.Now() - heard, seconds(6));
  EXPECT_GE(cluster_.world.Now() - elected, milliseconds(5'800));
  EXPECT_LE(cluster_.world.Now() - elected, milliseconds(6'500));
  ASSERT_TRUE(cluster_.AwaitEqual());
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(Lives(id, keeper->session)) << "a living session was expired";
  EXPECT_FALSE(keeper->closed);
}

}  // namespace
}  // namespace drover::coord::server
