// A worker dies, or loses the core: what it ran, what runs elsewhere, and what never starts twice.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

// The program notes its own pid and that of a grandchild in a session of its own, then goes on for ever.
std::string LeavePids(const std::string& file) {
  return "setsid sh -c 'echo $$ >> " + file + "; exec sleep 1000' & echo $$ >> " + file + "; exec sleep 1000";
}

int WorkerOf(Cluster& cluster, const std::string& task) {
  const std::string name = cluster.Json({"status", task}).at("worker");
  for (int i = 0; i < cluster.workers(); ++i) {
    if (name == Cluster::worker_name(i)) return i;
  }
  throw std::runtime_error("unknown worker " + name);
}

TEST(WorkerLossTest, NothingThatItsTasksStartedSurvivesAKilledWorkerAndTheTaskRunsElsewhere) {
  Cluster cluster;
  const std::string id = Trimmed(cluster.Drover({"submit", "--", "sh", "-c", LeavePids(cluster.path("pids"))}).out);
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(cluster.path("pids"))).size() == 2; }));
  const std::vector<std::string> first = Lines(ReadFile(cluster.path("pids")));
  const int worker = WorkerOf(cluster, id);
  cluster.worker(worker).Kill();
  for (const std::string& pid : first) EXPECT_TRUE(Await([&] { return !Alive(std::stoi(pid)); })) << pid;
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(cluster.path("pids"))).size() == 4; })) << "it runs elsewhere";
  ASSERT_TRUE(Await([&] { return cluster.Json({"status", id}).at("attempt") == 2; }));
  EXPECT_NE(WorkerOf(cluster, id), worker);
  EXPECT_EQ(cluster.Drover({"cancel", id}).exit_code, 0);
  EXPECT_EQ(cluster.Drover({"wait", id}).exit_code, 4);
  for (const std::string& pid : Lines(ReadFile(cluster.path("pids"))))
    EXPECT_TRUE(Await([&] { return !Alive(std::stoi(pid)); })) << pid;
  ExpectPoolIsWell(cluster);
}

// Its supervisor is a process of the worker: no worker died, and none is said to have.
TEST(WorkerLossTest, ATaskThatKillsItsSupervisorIsGivenUpAndLeavesNothing) {
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  const std::string id = Trimmed(cluster.Drover({"submit", "--", "sh", "-c", "kill -9 $PPID; sleep 1000"}).out);
  EXPECT_EQ(cluster.Drover({"wait", id}).exit_code, 3);
  const nlohmann::json task = cluster.Json({"status", id});
  EXPECT_EQ(task.at("reason"), "WORKER_LOST_LIMIT");
  EXPECT_EQ(task.at("sentence"), "given up: 5 attempts were lost with the process that ran them");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cluster.path("work"))) {
    EXPECT_NE(entry.path().filename(), "tmp") << entry.path();
  }
  ExpectPoolIsWell(cluster);
}

TEST(WorkerLossTest, AWorkerThatIsBackAtOnceUnderTheSameNameStartsNoAtMostOnceTaskAgain) {
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  const std::string id = Trimmed(
      cluster
          .Drover({"submit", "--at-most-once", "--", "sh", "-c", "echo started >> " + cluster.path("starts") + "; exec sleep 1000"})
          .out);
  ASSERT_TRUE(Await([&] { return ReadFile(cluster.path("starts")) == "started\n"; }));
  cluster.worker(0).Kill();
  cluster.worker(0).Start();
  EXPECT_EQ(cluster.Drover({"wait", id}).exit_code, 3);
  const nlohmann::json task = cluster.Json({"status", id});
  EXPECT_EQ(task.at("state"), "LOST");
  EXPECT_EQ(task.at("reason"), "WORKER_LOST");
  // The new process of that name works: what is submitted now runs.
  EXPECT_EQ(cluster.Drover({"run", "--", "echo", "alive"}).out, "alive\n");
  EXPECT_EQ(ReadFile(cluster.path("starts")), "started\n");
  ExpectPoolIsWell(cluster);
}

TEST(WorkerLossTest, AWorkerWhoseNameIsTakenSaysSoAtOnceAndThenEnds) {
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  Process late({Binary("drover-worker"), "--coord", cluster.coord_address(), "--name", Cluster::worker_name(0), "--listen",
                "127.0.0.1:0", "--session-timeout", "2s", "--work-dir", cluster.path("work")},
               {}, cluster.path("late.log"));
  late.Start();
  EXPECT_TRUE(Await([&] { return late.Log().find("its name is taken") != std::string::npos; })) << late.Log();
  EXPECT_TRUE(late.running());
  EXPECT_EQ(late.Wait(), 1);
  EXPECT_NE(late.Log().find("the name w0 is held by process"), std::string::npos) << late.Log();
  ExpectPoolIsWell(cluster);
}

TEST(WorkerLossTest, AReaperThatDiesTakesItsTasksAlongAndTheWorkerGoesOn) {
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  const std::string id = Trimmed(cluster.Drover({"submit", "--", "sh", "-c", LeavePids(cluster.path("pids"))}).out);
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(cluster.path("pids"))).size() == 2; }));
  const std::string children = ReadFile("/proc/" + std::to_string(cluster.worker(0).pid()) + "/task/" +
                                        std::to_string(cluster.worker(0).pid()) + "/children");
  const pid_t reaper = std::stoi(children);
  kill(reaper, SIGKILL);
  for (const std::string& pid : Lines(ReadFile(cluster.path("pids"))))
    EXPECT_TRUE(Await([&] { return !Alive(std::stoi(pid)); })) << pid;
  ASSERT_TRUE(Await([&] { return Lines(ReadFile(cluster.path("pids"))).size() == 4; })) << "it runs again, under a new reaper";
  EXPECT_EQ(cluster.Drover({"cancel", id}).exit_code, 0);
  EXPECT_EQ(cluster.Drover({"wait", id}).exit_code, 4);
  ExpectPoolIsWell(cluster);
}

TEST(WorkerLossTest, AWorkerToldToStopFinishesWhatItRunsAndTakesNoMore) {
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  const std::string go = cluster.path("go");
  const std::string id = Trimmed(
      cluster
          .Drover({"submit", "--", "sh", "-c",
                   "echo started >> " + cluster.path("started") + "; until [ -e " + go + " ]; do sleep 0.05; done; echo finished"})
          .out);
  ASSERT_TRUE(Await([&] { return ReadFile(cluster.path("started")) == "started\n"; }));
  cluster.worker(0).Signal(SIGTERM);
  ASSERT_TRUE(Await([&] {
    const nlohmann::json workers = cluster.Json({"worker", "list"});
    return workers.size() == 1 && workers[0].at("state") == "DRAINING";
  }));
  const std::string later = Trimmed(cluster.Drover({"submit", "--", "true"}).out);
  WriteFile(go, "");
  EXPECT_EQ(cluster.worker(0).Wait(), 0);
  EXPECT_EQ(cluster.Drover({"wait", id}).exit_code, 0);
  EXPECT_EQ(cluster.Json({"status", later}).at("state"), "READY");
  ExpectPoolIsWell(cluster);
}

}  // namespace
}  // namespace drover::testing
