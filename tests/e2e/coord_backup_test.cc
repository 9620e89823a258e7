// Backups of the core and recovery by force, as an operator does them, with masters and workers that live through it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"
#include "tests/support/stalled_disk.h"

namespace drover::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint64_t kZxidLeap = std::uint64_t{1} << 40;

json StatusOf(Cluster& cluster, int i) {
  for (const json& node : cluster.Json({"cluster", "status"})) {
    if (node.at("id") == i + 1) return node;
  }
  throw std::runtime_error("no such node");
}

// A number, or a string if it is a large one.
std::string ClusterOf(Cluster& cluster) {
  const json id = StatusOf(cluster, 0).at("cluster_id");
  return id.is_string() ? id.get<std::string>() : id.dump();
}

bool AllVote(Cluster& cluster) {
  const CommandResult result = cluster.Drover({"-o", "json", "cluster", "status"});
  if (result.exit_code != 0) return false;
  int serving = 0;
  for (const json& node : json::parse(result.out)) {
    if (!node.at("reachable").get<bool>()) return false;
    serving += node.at("serving").get<bool>() && node.at("role") != "learner" ? 1 : 0;
  }
  return serving == cluster.coords();
}

TEST(CoordBackupTest, ABackupTakenUnderLoadBecomesANewClusterInWhichTasksGoOn) {
  ClusterOptions options;
  options.coords = 3;
  options.workers = 2;
  Cluster cluster(options);
  ASSERT_EQ(cluster.Drover({"run", "--id", "before", "--", "echo", "done"}).out, "done\n");
  const std::string file = cluster.path("core.backup");
  std::size_t acknowledged = 0;
  {
    Ledger ledger(cluster.coord_addresses(), 4);
    ASSERT_TRUE(ledger.AwaitMore(100));
    ASSERT_EQ(cluster.Drover({"tree", "create", "/mark", "acknowledged"}).exit_code, 0);
    acknowledged = ledger.acknowledged();
    const CommandResult saved = cluster.Drover({"-o", "json", "cluster", "snapshot", "save", file});
    ASSERT_EQ(saved.exit_code, 0) << saved.err;
    EXPECT_TRUE(ledger.AwaitMore(50)) << "writes go on";
    ledger.Stop();
    const CommandResult inspected = cluster.Drover({"-o", "json", "cluster", "snapshot", "inspect", file});
    ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
    EXPECT_EQ(json::parse(inspected.out), json::parse(saved.out));
  }
  const json backup = json::parse(cluster.Drover({"-o", "json", "cluster", "snapshot", "inspect", file}).out);
  EXPECT_GT(backup.at("sessions"), 0);
  const std::string old_cluster = ClusterOf(cluster);
  EXPECT_EQ(cluster.Drover({"tree", "create", "/after", "the backup"}).exit_code, 0);

  // All three are lost; new nodes at their addresses.
  for (int i = 0; i < 3; ++i) {
    cluster.coord(i).Kill();
    std::filesystem::rename(cluster.coord_data(i), cluster.coord_data(i) + ".lost");
  }
  const CommandResult restored =
      cluster.Drover({"-o", "json", "cluster", "snapshot", "restore", file, "--data", cluster.coord_data(0), "--id", "1",
                      "--initial-cluster", cluster.initial_cluster()});
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(json::parse(restored.out).at("sessions_ended"), backup.at("sessions"));
  for (int i = 0; i < 3; ++i) cluster.coord(i).Start();
  cluster.AwaitCoordsServing();
  ASSERT_TRUE(Await([&] { return AllVote(cluster); }));
  EXPECT_NE(ClusterOf(cluster), old_cluster);
  EXPECT_GT(StatusOf(cluster, 2).at("last_zxid").get<std::uint64_t>(), kZxidLeap);

  // What was acknowledged before the backup is there, what came after it is not.
  EXPECT_EQ(cluster.Drover({"tree", "get", "/mark"}).out, "acknowledged");
  EXPECT_EQ(cluster.Drover({"tree", "get", "/after"}).exit_code, 6);
  const std::size_t kept = Lines(cluster.Drover({"tree", "ls", "/ledger"}).out).size();
  EXPECT_GE(kept, acknowledged);

  // Masters and workers come back as with any session that has expired; finished tasks are known, and new ones run.
  cluster.AwaitElectedMaster();
  cluster.AwaitWorkers(2);
  const json before = cluster.Json({"status", "before"});
  EXPECT_THAT(before.dump(), HasSubstr("SUCCEEDED"));
  const CommandResult run = cluster.Drover({"run", "--", "echo", "again"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "again\n");

  // It stands on a majority again, not on the one that was restored.
  cluster.coord(0).Kill();
  cluster.AwaitCoordLeader(0);
  EXPECT_EQ(cluster.Drover({"tree", "get", "/mark"}).out, "acknowledged");

  // A node of the old cluster is refused by the new one.
  std::filesystem::rename(cluster.coord_data(0), cluster.coord_data(0) + ".restored");
  std::filesystem::rename(cluster.coord_data(0) + ".lost", cluster.coord_data(0));
  cluster.coord(0).Start();
  EXPECT_EQ(cluster.coord(0).Wait(), 1);
  EXPECT_THAT(cluster.coord(0).Log(), HasSubstr("of cluster " + old_cluster));
}

TEST(CoordBackupTest, ASaveThatIsInterruptedLeavesNoFileAndSaysSo) {
  Cluster cluster(CoreAlone(1));
  const std::string file = cluster.path("core.backup");
  cluster.coord().Signal(SIGSTOP);
  Process save({Binary("drover"), "cluster", "snapshot", "save", file}, {{"DROVER_COORD", cluster.coord_address()}},
               cluster.path("save.log"));
  save.Start();
  ASSERT_TRUE(Await([&] { return std::filesystem::exists(file + ".incoming"); }));
  const CommandResult second = cluster.Drover({"cluster", "snapshot", "save", file});
  EXPECT_EQ(second.exit_code, 8);
  EXPECT_THAT(second.err, HasSubstr("another process writes " + file + ".incoming"));
  save.Signal(SIGINT);
  EXPECT_EQ(save.Wait(), 1);
  EXPECT_THAT(save.Log(), HasSubstr("nothing was saved: interrupted"));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(file + ".incoming"));
  cluster.coord().Signal(SIGCONT);
  EXPECT_EQ(cluster.Drover({"cluster", "snapshot", "save", file}).exit_code, 0);
}

// The newest snapshot of a node, in a core in which nothing is written: each save would get the same file for ever.
void DamageNewestSnapshot(const std::string& data) {
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    if (entry.path().extension() == ".snap") newest = std::max(newest, entry.path().string());
  }
  std::fstream file(newest, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-30, std::ios::end);
  const int byte = file.get();
  file.seekp(-30, std::ios::end);
  file.put(static_cast<char>(byte ^ 4));
  ASSERT_TRUE(file.good()) << newest;
}

TEST(CoordBackupTest, ANodeWhoseSnapshotIsDamagedStopsNoBackup) {
  Cluster cluster(CoreAlone(3));
  ASSERT_EQ(cluster.Drover({"tree", "create", "/kept", "data"}).exit_code, 0);
  for (const char* const id : {"1", "2", "3"}) {
    const CommandResult saved = cluster.Drover({"cluster", "snapshot", "save", cluster.path(id), "--from", id});
    ASSERT_EQ(saved.exit_code, 0) << saved.err;
  }
  for (const int i : {0, 1}) ASSERT_NO_FATAL_FAILURE(DamageNewestSnapshot(cluster.coord_data(i)));
  const CommandResult saved = cluster.Drover({"cluster", "snapshot", "save", cluster.path("any")});
  EXPECT_EQ(saved.exit_code, 0) << saved.err;

  const std::vector<std::string> from_first = {"cluster", "snapshot", "save", cluster.path("first"), "--from", "1"};
  // If another one was asked before it, its own is damaged still.
  ASSERT_TRUE(Await([&] { return cluster.Drover(from_first).exit_code == 0; }));
  std::filesystem::remove(cluster.path("first"));
  ASSERT_NO_FATAL_FAILURE(DamageNewestSnapshot(cluster.coord_data(0)));
  const CommandResult failed = cluster.Drover(from_first);
  EXPECT_EQ(failed.exit_code, 7);
  EXPECT_THAT(failed.err, HasSubstr("its snapshot is damaged, and this node takes another one: try again in a moment"));
  EXPECT_FALSE(std::filesystem::exists(cluster.path("first.incoming")));
  const CommandResult again = cluster.Drover(from_first);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(cluster.CoordPage("/metrics").second, HasSubstr("drover_coord_damaged 1"));
  EXPECT_THAT(cluster.coord(0).Log(), HasSubstr("a file is damaged: this node goes on and mends it by a new snapshot"));
}

// Whatever it has made already. The directory is there, as a mount point is.
TEST(CoordBackupTest, FromADirectoryWhoseRestoreWasKilledNoNodeFoundsAnEmptyCluster) {
  Cluster cluster(CoreAlone(1));
  const std::string file = cluster.path("core.backup");
  ASSERT_EQ(cluster.Drover({"tree", "create", "/kept", "data"}).exit_code, 0);
  ASSERT_EQ(cluster.Drover({"cluster", "snapshot", "save", file}).exit_code, 0);
  cluster.coord().Kill();
  const std::string data = cluster.coord_data(0);
  std::filesystem::rename(data, data + ".lost");
  std::filesystem::create_directory(data);
  const std::vector<std::string> restore = {Binary("drover"),
                                            "cluster",
                                            "snapshot",
                                            "restore",
                                            file,
                                            "--data",
                                            data,
                                            "--id",
                                            "1",
                                            "--initial-cluster",
                                            "1=" + cluster.coord_address()};
  StalledDisk disk(cluster.path("slow"));
  for (const char* const made : {"restoring", "founding.snap.tmp", "founding.snap", "identity"}) {
    SCOPED_TRACE(made);
    disk.Slow(std::chrono::milliseconds(500));
    Process killed(restore, disk.environment(), cluster.path("restore.log"));
    killed.Start();
    ASSERT_TRUE(Await([&] { return std::filesystem::exists(data + "/" + made); }));
    disk.Stall();
    killed.Kill();
    disk.GoOn();
    cluster.coord().Start();
    EXPECT_EQ(cluster.coord().Wait(), 1);
    EXPECT_THAT(cluster.coord().Log(), HasSubstr("a restore into data directory " + data + " was interrupted"));
    const CommandResult verified = RunCommand({Binary("drover-coord"), "log", "verify", data});
    EXPECT_EQ(verified.exit_code, 1);
    EXPECT_THAT(verified.err, HasSubstr("give drover cluster snapshot restore again"));
  }
  const CommandResult again = RunCommand(restore);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  cluster.coord().Start();
  cluster.AwaitCoordsServing();
  EXPECT_EQ(cluster.Drover({"tree", "get", "/kept"}).out, "data");
}

TEST(CoordBackupTest, WithTwoOfThreeLostForGoodTheThirdGoesOnAlone) {
  ClusterOptions options;
  options.coords = 3;
  options.workers = 1;
  Cluster cluster(options);
  ASSERT_EQ(cluster.Drover({"run", "--id", "before", "--", "true"}).exit_code, 0);
  for (int i = 0; i < 20; ++i) {
    const std::string path = "/n" + std::to_string(i);
    ASSERT_EQ(cluster.Drover({"tree", "create", path, "kept"}).exit_code, 0);
  }
  // The third has all of it, or it could not be asked for.
  const std::uint64_t last = StatusOf(cluster, cluster.AwaitCoordLeader()).at("last_zxid");
  ASSERT_TRUE(Await([&] { return StatusOf(cluster, 2).at("last_zxid").get<std::uint64_t>() >= last; }));
  for (int i = 0; i < 3; ++i) cluster.coord(i).Kill();
  for (int i = 0; i < 2; ++i) std::filesystem::remove_all(cluster.coord_data(i));
  const std::string data = cluster.coord_data(2);

  const CommandResult unforced = RunCommand({Binary("drover-coord"), "recover", "--data", data});
  EXPECT_EQ(unforced.exit_code, 2);
  EXPECT_THAT(unforced.err, HasSubstr("needs --force-single"));
  // What a link leads to is exchanged, and not the link.
  std::filesystem::create_directory_symlink(data, cluster.path("link"));
  const CommandResult forced = RunCommand({Binary("drover-coord"), "recover", "--force-single", "--data", cluster.path("link")});
  ASSERT_EQ(forced.exit_code, 0) << forced.err;
  EXPECT_THAT(forced.out,
              AllOf(HasSubstr("of node 3 alone, at " + cluster.coord_address(2)), HasSubstr("lost: "), HasSubstr("next: ")));
  int kept_aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(cluster.dir())) {
    if (entry.path().string().rfind(data + ".before-recover-", 0) != 0) continue;
    ++kept_aside;
    EXPECT_EQ(RunCommand({Binary("drover-coord"), "log", "verify", entry.path().string()}).exit_code, 0);
  }
  EXPECT_EQ(kept_aside, 1);
  EXPECT_TRUE(std::filesystem::is_symlink(cluster.path("link")));
  const CommandResult mounted = RunCommand({Binary("drover-coord"), "recover", "--force-single", "--data", "/proc"});
  EXPECT_EQ(mounted.exit_code, 1);
  EXPECT_THAT(mounted.err, HasSubstr("/proc is a mount point"));

  // Started as before, with the old list, it says that it is another cluster now.
  cluster.coord(2).Start();
  EXPECT_EQ(cluster.coord(2).Wait(), 1);
  EXPECT_THAT(cluster.coord(2).Log(), HasSubstr("was restored for a new cluster of the members 3="));
  std::vector<std::string>& argv = cluster.coord(2).argv();
  const auto list = std::find(argv.begin(), argv.end(), "--initial-cluster");
  argv.erase(list, list + 2);
  cluster.coord(2).Start();
  ASSERT_TRUE(Await([&] { return cluster.Drover({"--request-timeout", "2s", "cluster", "status"}).exit_code == 0; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(cluster.Drover({"tree", "get", "/n" + std::to_string(i)}).out, "kept");
  EXPECT_GT(StatusOf(cluster, 2).at("last_zxid").get<std::uint64_t>(), last + kZxidLeap);
  cluster.AwaitElectedMaster();
  cluster.AwaitWorkers(1);
  EXPECT_THAT(cluster.Json({"status", "before"}).dump(), HasSubstr("SUCCEEDED"));
  EXPECT_EQ(cluster.Drover({"run", "--", "true"}).exit_code, 0);
}

}  // namespace
}  // namespace drover::testing
