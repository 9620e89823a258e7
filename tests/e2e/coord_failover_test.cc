// Three coordination nodes, and the one that leads goes: killed or paused. The others go on, and so does everybody who uses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"

namespace drover::testing {
namespace {

using ::testing::IsEmpty;

TEST(CoordFailoverTest, NothingAcknowledgedIsLostThoughTheLeaderIsKilledAgainAndAgain) {
  Cluster cluster(CoreAlone());
  Ledger ledger(cluster.coord_addresses(), 4);
  for (int kill = 0; kill < 8; ++kill) {
    ASSERT_TRUE(ledger.AwaitMore(50));
    const int leader = cluster.AwaitCoordLeader();
    cluster.coord(leader).Kill();
    ASSERT_TRUE(ledger.AwaitMore(50)) << "two of three go on";
    const CommandResult made = cluster.Drover({"tree", "create", "/kill-" + std::to_string(kill)});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    cluster.coord(leader).Start();
    cluster.AwaitCoordsServing();
  }
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(ledger.unknown(), 0u) << "no session ends by a failover";
  EXPECT_EQ(cluster.Json({"tree", "ls", "/"}).size(), 9u);
}

TEST(CoordFailoverTest, APausedLeaderIsReplacedAndFollowsWhenItWakesUp) {
  Cluster cluster(CoreAlone());
  Ledger ledger(cluster.coord_addresses(), 4);
  ASSERT_TRUE(ledger.AwaitMore(50));
  const int leader = cluster.AwaitCoordLeader();
  cluster.coord(leader).Signal(SIGSTOP);
  const int next = cluster.AwaitCoordLeader(leader);
  ASSERT_TRUE(ledger.AwaitMore(50));
  const std::string value = "written while it was paused";
  ASSERT_EQ(cluster.Drover({"tree", "create", "/value", value}).exit_code, 0);
  cluster.coord(leader).Signal(SIGCONT);
  // Asked alone it never shows what was before, and it is a part of the core again.
  const CommandResult got = cluster.Drover({"--coord", cluster.coord_address(leader), "tree", "get", "/value"});
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_EQ(got.out, value);
  cluster.AwaitCoordsServing();
  EXPECT_EQ(cluster.AwaitCoordLeader(), next) << "who wakes up disturbs nobody";
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(ledger.unknown(), 0u);
}

TEST(CoordFailoverTest, TasksGoOnThoughLeadersOfTheCoreAreKilled) {
  constexpr std::size_t kTasks = 200;
  ClusterOptions options;
  options.coords = 3;
  Cluster cluster(options);
  CommandOptions input;
  for (std::size_t i = 0; i < kTasks; ++i) input.input += std::to_string(i) + "\n";
  const CommandResult submitted = cluster.Drover(
      {"submit", "--each-line", "-", "--", "sh", "-c", "sleep 0.1; echo $DROVER_TASK_ID >> " + cluster.path("file")}, input);
  ASSERT_EQ(submitted.exit_code, 0) << submitted.err;
  auto done = [&] { return Lines(ReadFile(cluster.path("file"))).size(); };
  for (const std::size_t at : {20u, 80u, 140u}) {
    ASSERT_TRUE(Await([&] { return done() >= at; }));
    const int leader = cluster.AwaitCoordLeader();
    cluster.coord(leader).Kill();
    ASSERT_TRUE(Await([&] { return done() >= at + 20; })) << "two of three go on";
    cluster.coord(leader).Start();
    cluster.AwaitCoordsServing();
  }
  const nlohmann::json tasks = cluster.AwaitAllTerminal(kTasks);
  EXPECT_EQ(CountStates(tasks), (std::map<std::string, int>{{"SUCCEEDED", kTasks}}));
  std::map<std::string, int> lines;
  for (const std::string& line : Lines(ReadFile(cluster.path("file")))) EXPECT_EQ(++lines[line], 1) << "no worker was lost";
  EXPECT_EQ(lines.size(), kTasks);
}

}  // namespace
}  // namespace drover::testing
