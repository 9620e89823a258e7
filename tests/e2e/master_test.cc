// Masters that die, are paused, or are deposed while they hold a decision.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

TEST(MasterTest, TheStandbyAssignsAfterTheElectedMasterIsKilled) {
  Cluster cluster;
  const int elected = cluster.AwaitElectedMaster();
  cluster.master(elected).Kill();
  EXPECT_EQ(cluster.Drover({"run", "--", "echo", "still here"}).out, "still here\n");
  EXPECT_NE(cluster.AwaitElectedMaster(elected), elected);
  ExpectPoolIsWell(cluster);
}

// Each pool has an election, tasks, queues and a store of its own.
TEST(MasterTest, OneProcessStandsForSeveralPools) {
  ClusterOptions options;
  options.pools = {"default", "night"};
  options.workers = 2;
  Cluster cluster(options);
  const std::string big(100'000, 'x');  // to the pool's store, and from there
  for (const std::string& pool : options.pools) {
    const CommandResult run = cluster.Drover(
        {"--pool", pool, "run", "--id", "same", "--", "sh", "-c", "printf %s \"$1\" | wc -c; echo " + pool, "sh", big});
    EXPECT_EQ(run.out, "100000\n" + pool + "\n") << run.err;
    EXPECT_EQ(cluster.Json({"--pool", pool, "worker", "list"}).size(), 1U);
  }
  // Asked at a given address, it still knows of which pool a call is; one that it does not stand for it says so.
  const std::string address = cluster.master_address(0);
  EXPECT_EQ(cluster.Json({"--master", address, "--pool", "night", "list"}).size(), 1U);
  const CommandResult other = cluster.Drover({"--master", address, "--pool", "other", "list"});
  EXPECT_EQ(other.exit_code, 6);
  EXPECT_NE(other.err.find("does not stand for pool other"), std::string::npos) << other.err;

  const int elected = cluster.AwaitElectedMaster();
  cluster.master(elected).Kill();
  for (const std::string& pool : options.pools) {
    EXPECT_EQ(cluster.Drover({"--pool", pool, "run", "--", "echo", "on"}).out, "on\n");
    EXPECT_TRUE(Await([&] { return cluster.Drover({"--pool", pool, "check"}).exit_code == 0; })) << pool;
  }
}

// Holds the elected master's planned transitions by the fault point of the dev build.
class HeldCommitTest : public ::testing::Test {
 protected:
  HeldCommitTest() : hold_(dir_ / "hold"), cluster_(Options()) {}
  ClusterOptions Options() {
    ClusterOptions options;
    options.workers = 1;
    options.master_env = {{"DROVER_FAULT_HOLD_COMMITS", hold_}};
    return options;
  }
  // The candidate node of the elected master.
  std::string Candidate() {
    std::vector<std::string> names = Lines(cluster_.Drover({"tree", "ls", "/drover/default/masters"}).out);
    std::sort(names.begin(), names.end());
    return "/drover/default/masters/" + names.at(0);
  }
  TemporaryDirectory dir_;
  const std::string hold_;
  Cluster cluster_;
};

TEST_F(HeldCommitTest, ADeposedMastersTransitionIsRefusedByItsGuard) {
  const int deposed = cluster_.AwaitElectedMaster();
  const std::string id = Trimmed(cluster_.Drover({"submit", "--label", "nowhere=yes", "--", "true"}).out);
  WriteFile(hold_, "");
  // Cancelling is a planned transition of the elected master: it is decided there and held.
  Process cancel({Binary("drover"), "--master", cluster_.master_address(deposed), "--request-timeout", "60s", "cancel", id},
                 {{"DROVER_COORD", cluster_.coord_address()}}, cluster_.path("cancel.log"));
  cancel.Start();
  ASSERT_TRUE(Await([&] { return cluster_.MasterMetric(deposed, "drover_master_commits_held") >= 1; }));
  EXPECT_EQ(cluster_.Drover({"tree", "delete", Candidate()}).exit_code, 0);
  const int successor = cluster_.AwaitElectedMaster(deposed);
  EXPECT_NE(successor, deposed);
  std::filesystem::remove(hold_);
  EXPECT_TRUE(Await([&] { return cluster_.MasterMetric(deposed, "drover_master_transitions_refused_total") >= 1; }));
  cancel.Wait();
  EXPECT_TRUE(cluster_.master(deposed).running()) << "its session lived: it is a candidate again";
}

TEST_F(HeldCommitTest, AnExpiredMastersTransitionIsRefusedAsSuch) {
  const int expired = cluster_.AwaitElectedMaster();
  const std::string id = Trimmed(cluster_.Drover({"submit", "--label", "nowhere=yes", "--", "true"}).out);
  WriteFile(hold_, "");
  Process cancel({Binary("drover"), "--master", cluster_.master_address(expired), "--request-timeout", "60s", "cancel", id},
                 {{"DROVER_COORD", cluster_.coord_address()}}, cluster_.path("cancel.log"));
  cancel.Start();
  ASSERT_TRUE(Await([&] { return cluster_.MasterMetric(expired, "drover_master_commits_held") >= 1; }));
  // It sleeps past its session; the transition it had decided on is still held when it wakes.
  cluster_.master(expired).Signal(SIGSTOP);
  EXPECT_NE(cluster_.AwaitElectedMaster(expired), expired);
  cluster_.master(expired).Signal(SIGCONT);
  // Released before it has noticed, the transition would go out on the dead session and its outcome be unknown, honestly.
  ASSERT_TRUE(Await([&] { return cluster_.Json({"master", "list"}).size() == 2; })) << "it stands again, in a new session";
  std::filesystem::remove(hold_);
  EXPECT_TRUE(
      Await([&] { return cluster_.MasterMetric(expired, "drover_master_transitions_refused_total", "session_expired") >= 1; }));
  cancel.Wait();
}

TEST(MasterTest, APausedMasterIsReplacedAndComesBackAsACandidate) {
  Cluster cluster;
  const int paused = cluster.AwaitElectedMaster();
  cluster.master(paused).Signal(SIGSTOP);
  const int successor = cluster.AwaitElectedMaster(paused);
  EXPECT_NE(successor, paused);
  EXPECT_EQ(cluster.Drover({"run", "--", "echo", "one"}).out, "one\n");
  Last(std::chrono::seconds(20));
  cluster.master(paused).Signal(SIGCONT);
  ASSERT_TRUE(Await([&] {
    const nlohmann::json masters = cluster.Json({"master", "list"});
    return masters.size() == 2;
  }));
  EXPECT_EQ(cluster.AwaitElectedMaster(), successor);
  EXPECT_EQ(cluster.Drover({"run", "--", "echo", "two"}).out, "two\n");
  EXPECT_EQ(CountStates(cluster.AwaitAllTerminal(2)), (std::map<std::string, int>{{"SUCCEEDED", 2}}));
  ExpectPoolIsWell(cluster);
}

}  // namespace
}  // namespace drover::testing
