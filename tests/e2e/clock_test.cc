// Hosts whose clocks are set a day ahead while they run: nothing that has its time comes early.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <ctime>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"
#include "tests/support/shifted_clock.h"

namespace drover::testing {
namespace {

using ::testing::IsEmpty;

constexpr std::chrono::hours kDay{24};
constexpr std::chrono::hours kTolerated{1};  // what no test run takes

// "2026-01-31T12:00:00.000Z" is no further from now.
bool IsAboutNow(const std::string& time) {
  std::tm tm = {};
  if (strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &tm) == nullptr) return false;
  const auto at = std::chrono::system_clock::from_time_t(timegm(&tm));
  const auto now = std::chrono::system_clock::now();
  return at > now - kTolerated && at < now + kTolerated;
}

TEST(ClockTest, ALeaderOfTheCoreWhoseClockJumpsByADayMovesNobodysTime) {
  const TemporaryDirectory dir;
  std::vector<ShiftedClock> clocks;
  for (int i = 0; i < 3; ++i) clocks.emplace_back(dir / std::to_string(i));
  ClusterOptions options = CoreAlone();
  options.coord_env = [&clocks](int i) { return clocks.at(static_cast<std::size_t>(i)).environment(); };
  Cluster cluster(options);
  Ledger ledger(cluster.coord_addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(20));
  const int leader = cluster.AwaitCoordLeader();
  for (const std::chrono::hours ahead : {kDay, -kDay, std::chrono::hours(0)}) {
    clocks.at(static_cast<std::size_t>(leader)).Set(ahead);
    ASSERT_TRUE(ledger.AwaitMore(100));
    const std::string path = "/at" + std::to_string(ahead.count());
    ASSERT_EQ(cluster.Drover({"tree", "create", path}).exit_code, 0);
    const std::string made = cluster.Json({"tree", "stat", path}).at("ctime");
    EXPECT_TRUE(IsAboutNow(made)) << made << " with a clock " << ahead.count() << " h ahead";
  }
  EXPECT_EQ(cluster.AwaitCoordLeader(), leader) << "no timer runs by that clock";
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(ledger.unknown(), 0u) << "no session ends by a jump";
}

TEST(ClockTest, AMasterWhoseClockJumpsByADayDeclaresNoTaskLost) {
  const TemporaryDirectory dir;
  ShiftedClock clock(dir / "clock");
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  options.master_env = clock.environment();
  options.master_flags = {"--lost-after", "1h"};
  options.worker_flags = {"--session-timeout", "1s"};
  Cluster cluster(options);
  const std::string go = cluster.path("go");
  const CommandResult submitted =
      cluster.Drover({"submit", "--at-most-once", "--", "sh", "-c",
                      "until [ -e " + go + " ]; do sleep 0.05; done; echo once >> " + cluster.path("ran")});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.err;
  const std::string id = Trimmed(submitted.out);
  ASSERT_TRUE(Await([&] { return cluster.Json({"status", id}).at("state") == "RUNNING"; }));

  // Its worker is away: the core takes it for dead, and the master begins to count.
  cluster.worker(0).Signal(SIGSTOP);
  ASSERT_TRUE(Await([&] { return cluster.Json({"worker", "list"}).empty(); }));
  clock.Set(kDay);
  // Whatever comes early would come with the next decisions: the master goes on making some.
  for (int i = 0; i < 3; ++i) {
    const CommandResult cancelled = cluster.Drover({"submit", "--", "true"});
    ASSERT_EQ(cancelled.exit_code, 0);
    ASSERT_EQ(cluster.Drover({"cancel", Trimmed(cancelled.out)}).exit_code, 0);
    EXPECT_EQ(cluster.Json({"status", id}).at("state"), "RUNNING");
  }
  WriteFile(go, "");
  cluster.worker(0).Signal(SIGCONT);
  const CommandResult waited = cluster.Drover({"wait", id, "--timeout", "100s"});
  EXPECT_EQ(waited.exit_code, 0) << waited.err;
  EXPECT_EQ(ReadFile(cluster.path("ran")), "once\n");
}

}  // namespace
}  // namespace drover::testing
