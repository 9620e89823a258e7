// Workers in simulation: real agents, sessions and core; programs, store, network and time are simulated. The test is the master.
#ifndef DROVER_TESTS_WORKER_AGENT_AGENT_FIXTURE_H_
#define DROVER_TESTS_WORKER_AGENT_AGENT_FIXTURE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/store/memory_store.h"
#include "gtest/gtest.h"
#include "master/records/codec.h"
#include "master/records/paths.h"
#include "tests/client/store/hanging_store.h"
#include "tests/coord/client/sim_process.h"
#include "tests/coord/server/sim_core.h"
#include "tests/worker/agent/sim_runner.h"
#include "worker/agent/agent.h"

namespace drover::worker::agent {

using Stores = std::map<std::string, store::MemoryObjects>;  // by URL: what every process of the test sees

// One worker process.
class SimWorker final : public AgentObserver {
 public:
  SimWorker(coord::server::SimCore* core, Stores* stores, store::Hang* hang, std::string host, AgentOptions options,
            std::string store_url);
  ~SimWorker();
  // kill -9, without a reaper.
  void Kill();
  void OnStopped(const absl::Status& status) override { stopped = status; }

  coord::server::SimCore* const core;
  const std::string host;
  base::SeededRandom random{1};
  std::unique_ptr<sim::SimLoop> loop;
  std::unique_ptr<base::Dialer> dialer;
  std::unique_ptr<SimRunner> runner;
  std::unique_ptr<Agent> agent;
  coord::Session* session = nullptr;  // the agent's newest
  std::optional<absl::Status> stopped;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest();

  // "w1", process id "p1", store "file:/s" unless the options say otherwise.
  std::unique_ptr<SimWorker> StartWorker(std::string host = "host1", AgentOptions options = Options());
  static AgentOptions Options();
  void AwaitReady(const SimWorker& worker);
  void Await(const std::function<bool()>& condition, const char* what, base::Duration limit = std::chrono::seconds(60));

  // A record as a master creates it, with the assignment in the same transaction. Returns the fence.
  base::Zxid Submit(const std::string& task, task::v1::Policy policy = {}, std::string process_id = "p1");
  base::Zxid Submit(const std::string& task, const task::v1::Policy& policy, const task::v1::Program& program,
                    std::string process_id = "p1");
  // Assigns a READY task again. Returns the fence.
  base::Zxid AssignAgain(const std::string& task, const std::string& process_id = "p1");
  // The master takes the attempt back: READY, without the assignment.
  void TakeBack(const std::string& task);
  void Cancel(const std::string& task, const std::string& reason);

  v1::TaskRecord Record(const std::string& task);
  bool HasAssignment(const std::string& task);
  // Waits until the worker runs `count` programs in all, and gives the newest.
  std::shared_ptr<SimRunner::Program> AwaitProgram(SimWorker& worker, std::size_t count);
  v1::TaskRecord AwaitEnd(const std::string& task);
  // Waits until the task has no assignment.
  v1::TaskRecord AwaitBack(const std::string& task);

  coord::server::SimCore core_;
  Stores stores_;
  store::Hang hang_;
  records::PoolPaths paths_{"default"};
  std::unique_ptr<coord::SimProcess> master_;
};

task::v1::Policy AtMostOnce();

}  // namespace drover::worker::agent

#endif  // DROVER_TESTS_WORKER_AGENT_AGENT_FIXTURE_H_
