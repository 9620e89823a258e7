// What a lock alone does not stop: a master that is slow or cut off and believes that it still leads, a worker whose reports do not
// get through. Whatever they do, one epoch commits at a time, and nothing that runs at most once runs twice.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using std::chrono::milliseconds;

constexpr int kNodes = 3;

class SplitBrainTest : public ::testing::Test {
 protected:
  SplitBrainTest() : cluster_(Options()) {}
  static ClusterOptions Options() {
    ClusterOptions options;
    options.coords = kNodes;
    options.masters = 3;
    options.workers = 4;
    options.proxied = true;
    options.core_proxied = true;
    return options;
  }

  // So many that each leave a line, every other one at most once.
  void SubmitSome(int count) {
    for (const bool at_most_once : {false, true}) {
      std::vector<std::string> args = {"--request-timeout", "2m", "submit", "--each-line", "-"};
      if (at_most_once) args.emplace_back("--at-most-once");
      const std::string file = cluster_.path(at_most_once ? "once" : "often");
      for (const std::string& word :
           {std::string("--"), std::string("sh"), std::string("-c"), "echo $DROVER_TASK_ID >> " + file + "; sleep 0.1"}) {
        args.push_back(word);
      }
      CommandOptions options;
      for (int i = 0; i < count / 2; ++i) options.input += std::to_string(i) + "\n";
      const CommandResult submitted = cluster_.Drover(args, options);
      EXPECT_EQ(submitted.exit_code, 0) << submitted.err;
    }
    submitted_ += static_cast<std::size_t>(count / 2 * 2);
  }
  // All end as they should, and left the lines that they should.
  void ExpectEachOnce() {
    std::map<std::string, int> often, once;
    const nlohmann::json tasks = cluster_.AwaitAllTerminal(submitted_);
    for (const std::string& line : Lines(ReadFile(cluster_.path("often")))) ++often[line];
    for (const std::string& line : Lines(ReadFile(cluster_.path("once")))) EXPECT_EQ(++once[line], 1) << line;
    for (const nlohmann::json& task : tasks) {
      const std::string state = task.at("state");
      const std::string id = task.at("id");
      if (state == "SUCCEEDED") {
        EXPECT_EQ(often.count(id) + once.count(id), 1U) << task;
      } else {
        // Only what was under way on a worker that was cut off may be lost, and only if it must not run again.
        EXPECT_EQ(state, "LOST") << task;
        EXPECT_EQ(often.count(id), 0U) << task;
      }
    }
    ExpectPoolIsWell(cluster_);
  }
  double Committed(int master) { return cluster_.MasterMetric(master, "drover_master_transitions_total"); }
  // Both ways, or what it says alone.
  static void CutOff(Proxy& proxy, bool both_ways) {
    if (both_ways) {
      proxy.Cut();
    } else {
      proxy.CutToServer();
    }
  }

  void CutInHalves(bool both_ways);

  Cluster cluster_;
  std::size_t submitted_ = 0;
};

// Fifty times a second it gets a twentieth of a CPU's time.
TEST_F(SplitBrainTest, AMasterThatHardlyRunsIsSlowOrReplacedAndDecidesNothingTwice) {
  const int slow = cluster_.AwaitElectedMaster();
  std::atomic<bool> stop = false;
  std::thread throttle([&] {
    while (!stop) {
      cluster_.master(slow).Signal(SIGCONT);
      std::this_thread::sleep_for(milliseconds(2));
      cluster_.master(slow).Signal(SIGSTOP);
      std::this_thread::sleep_for(milliseconds(48));
    }
    cluster_.master(slow).Signal(SIGCONT);
  });
  SubmitSome(100);
  cluster_.AwaitAllTerminal(submitted_);
  stop = true;
  throttle.join();
  SubmitSome(20);
  ExpectEachOnce();
}

// A heartbeat takes half of the session's time-out.
TEST_F(SplitBrainTest, AMasterWhoseWordsTakeSecondsIsSlowOrReplacedAndDecidesNothingTwice) {
  const int slow = cluster_.AwaitElectedMaster();
  for (int node = 0; node < kNodes; ++node) cluster_.master_proxy(slow, node).Delay(milliseconds(3'000));
  SubmitSome(60);
  cluster_.AwaitAllTerminal(submitted_);
  for (int node = 0; node < kNodes; ++node) cluster_.master_proxy(slow, node).Delay(milliseconds(0));
  SubmitSome(20);
  ExpectEachOnce();
}

// On one side the elected master, half of the workers and one node; on the other the standbys, the rest of the workers, two nodes.
void SplitBrainTest::CutInHalves(bool both_ways) {
  const int elected = cluster_.AwaitElectedMaster();
  // Not the core's leader: with that one it would be the core that is without its head, and not the master.
  const int leader = cluster_.AwaitCoordLeader();
  const int alone = (leader + 1) % kNodes;
  SubmitSome(40);
  for (int node = 0; node < kNodes; ++node) {
    if (node == alone) continue;
    if (both_ways) {
      cluster_.core_network().Cut(alone, node);
    } else {
      cluster_.core_network().Silence(alone, node);
    }
  }
  for (int node = 0; node < kNodes; ++node) {
    for (int master = 0; master < cluster_.masters(); ++master) {
      if ((master == elected) != (node == alone)) CutOff(cluster_.master_proxy(master, node), both_ways);
    }
    for (int worker = 0; worker < cluster_.workers(); ++worker) {
      if ((worker % 2 == 0) != (node == alone)) CutOff(cluster_.worker_proxy(worker, node), both_ways);
    }
  }
  const int successor = cluster_.AwaitElectedMaster(elected);
  // What the deposed one committed it had committed by then, whatever it believes now.
  const double committed = Committed(elected);
  SubmitSome(40);
  EXPECT_TRUE(Await([&] { return Lines(ReadFile(cluster_.path("often"))).size() >= 40U; })) << "work goes on";
  EXPECT_EQ(Committed(elected), committed) << "two masters commit";
  EXPECT_GT(Committed(successor), 0);
  cluster_.core_network().Heal();
  for (int node = 0; node < kNodes; ++node) {
    for (int master = 0; master < cluster_.masters(); ++master) cluster_.master_proxy(master, node).Heal();
    for (int worker = 0; worker < cluster_.workers(); ++worker) cluster_.worker_proxy(worker, node).Heal();
  }
  ASSERT_TRUE(Await([&] { return cluster_.Json({"master", "list"}).size() == 3; })) << "it stands again";
  cluster_.AwaitWorkers(4);
  SubmitSome(20);
  ExpectEachOnce();
}

TEST_F(SplitBrainTest, OfTwoHalvesOneMasterCommits) {
  CutInHalves(true);
}

TEST_F(SplitBrainTest, OfTwoHalvesThatHearButAreNotHeardOneMasterCommits) {
  CutInHalves(false);
}

TEST_F(SplitBrainTest, AWorkerWhoseReportsDoNotGetThroughCommitsNothingThatStandsElsewhere) {
  const std::string go_on = cluster_.path("go-on");
  const std::string id = Trimmed(cluster_
                                     .Drover({"submit", "--", "sh", "-c",
                                              "echo $DROVER_WORKER $DROVER_FENCE >> " + cluster_.path("ran") + "; until [ -e " +
                                                  go_on + " ]; do sleep 0.05; done; echo $DROVER_FENCE"})
                                     .out);
  const auto ran = [&] { return Lines(ReadFile(cluster_.path("ran"))); };
  ASSERT_TRUE(Await([&] { return ran().size() == 1; }));
  const int mute = ran()[0][1] - '0';
  for (int node = 0; node < kNodes; ++node) cluster_.worker_proxy(mute, node).CutToServer();
  // It hears all and is not heard: once its session is over the task runs elsewhere, beside the first copy.
  ASSERT_TRUE(Await([&] { return ran().size() == 2; }));
  EXPECT_NE(ran()[1][1] - '0', mute);
  WriteFile(go_on, "");
  EXPECT_EQ(cluster_.Drover({"wait", id}).exit_code, 0);
  const nlohmann::json ended = cluster_.Json({"status", id});
  for (int node = 0; node < kNodes; ++node) cluster_.worker_proxy(mute, node).Heal();
  cluster_.AwaitWorkers(4);
  const auto idle = [&] {
    return cluster_.WorkerPage("/metrics", mute).second.find("\ndrover_worker_attempts 0") != std::string::npos;
  };
  EXPECT_TRUE(Await(idle)) << "it has let go of its copy";
  EXPECT_EQ(cluster_.Json({"status", id}), ended) << "the first end stands";
  EXPECT_EQ(cluster_.Drover({"logs", id}).out, std::to_string(ended.at("fence").get<std::uint64_t>()) + "\n");
  submitted_ = 1;
  cluster_.AwaitAllTerminal(1);
  ExpectPoolIsWell(cluster_);
}

}  // namespace
}  // namespace drover::testing
