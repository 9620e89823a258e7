// Processes that stand still and clocks that jump: a leader that wakes up in another's reign answers nothing stale.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ClusterPauseTest : public ClusterFixture {
 protected:
  // The leader stands still (SIGSTOP), another one is elected, /x goes from "old" to "new", and `reader`, whose node is the one
  // that stood still, asks for /x: once before that node goes on, and then every now and then. `deaf`: it does not hear the others
  // when it goes on, so that it believes to lead for as long as it can.
  void PauseAndRead(base::Duration before_pause, bool deaf) {
    const int leader = cluster_.AwaitLeader();
    ASSERT_NE(leader, 0);
    auto reader = Connect("reader", leader, 60'000);
    const std::uint64_t create = reader->Set("/x", "old");
    reader->Flush();
    ASSERT_EQ(reader->AwaitWrite(create).code(), v1::OK);
    reader->Get("/x");  // this one may show either: the pause falls anywhere into its round
    reader->Flush();
    cluster_.world.RunFor(before_pause);
    cluster_.loop(leader).Pause();
    if (deaf) cluster_.Isolate(leader);

    const int next = AwaitLeaderBut(leader);
    ASSERT_NE(next, 0);
    auto writer = Connect("writer", next);
    const std::uint64_t set = writer->Set("/x", "new");
    writer->Flush();
    ASSERT_EQ(writer->AwaitWrite(set).code(), v1::OK);

    std::vector<std::uint64_t> gets = {reader->Get("/x")};
    reader->Flush();
    cluster_.loop(leader).Resume();
    EXPECT_TRUE(cluster_.node(leader)->raft().leads()) << "it knows already: the test shows nothing";
    for (int i = 0; i < 40 && !reader->closed; ++i) {
      cluster_.world.RunFor(microseconds(500 << (i / 4)));
      gets.push_back(reader->Get("/x"));
      reader->Flush();
    }
    for (const std::uint64_t get : gets) {
      const v1::Answer* answer = reader->Read(get);
      if (answer == nullptr) continue;
      EXPECT_EQ(answer->data(), "new") << "read " << get;
    }
    cluster_.Isolate(leader, false);
    ASSERT_NE(cluster_.AwaitLeader(), 0);
    ASSERT_TRUE(cluster_.AwaitEqual());
    EXPECT_FALSE(cluster_.node(leader)->raft().leads() && cluster_.Leader() != leader);
  }
};

TEST_F(ClusterPauseTest, ALeaderThatWakesUpInAnothersReignAnswersNoStaleRead) {
  Begin();
  auto first = Connect("first", 1);
  const std::uint64_t create = first->Create("/x");
  first->Flush();
  ASSERT_EQ(first->AwaitWrite(create).code(), v1::OK);
  for (const bool deaf : {false, true}) {
    for (int step = 0; step < 12; ++step) {
      SCOPED_TRACE((deaf ? "deaf, " : "") + std::to_string(step));
      PauseAndRead(microseconds(100) * step, deaf);
      if (HasFailure()) return;
    }
  }
}

TEST_F(ClusterPauseTest, AClockThatJumpsByAnHourChangesNothing) {
  const int leader = Begin();
  const raft::Term term = cluster_.node(leader)->raft().term();
  auto keeper = Connect("keeper", Other(leader), 2'000);
  keeper->KeepContact(milliseconds(500));
  const std::uint64_t create = keeper->Create("/x", "0");
  keeper->Flush();
  ASSERT_EQ(keeper->AwaitWrite(create).code(), v1::OK);
  int value = 0;
  for (const base::Duration jump : {base::Duration(hours(1)), base::Duration(-hours(1))}) {
    for (const int node : {leader, Other(leader), Third(leader, Other(leader))}) {
      SCOPED_TRACE("node " + std::to_string(node) + (jump > base::Duration::zero() ? " forward" : " back"));
      auto silent = Connect("silent", leader, 2'000);
      const base::Instant heard = cluster_.world.Now();
      const base::SessionId session(silent->session);
      cluster_.loop(node).JumpWall(jump);
      // No session ends early, and none lives on.
      const auto ended = [&] { return cluster_.node(leader)->state().sessions().Find(session) == nullptr; };
      ASSERT_TRUE(cluster_.world.RunUntil(ended, seconds(10)));
      EXPECT_GE(cluster_.world.Now() - heard, milliseconds(1'900));
      EXPECT_LT(cluster_.world.Now() - heard, milliseconds(2'700));
      const std::uint64_t set = keeper->Set("/x", std::to_string(++value));
      const std::uint64_t get = keeper->Get("/x");
      keeper->Flush();
      EXPECT_EQ(keeper->AwaitWrite(set).code(), v1::OK);
      EXPECT_EQ(keeper->AwaitRead(get).data(), std::to_string(value));
    }
  }
  // And nobody took another's place. (That its time does not go back the client itself checks.)
  EXPECT_EQ(cluster_.Leader(), leader);
  EXPECT_EQ(cluster_.node(leader)->raft().term(), term);
  EXPECT_FALSE(keeper->closed);
  EXPECT_GT(keeper->acked_nonce, 20U);
  EXPECT_TRUE(cluster_.AwaitEqual());
}

}  // namespace
}  // namespace drover::coord::server
