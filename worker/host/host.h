// A worker's process around its agent: loop, connections, store, metrics, signals. What drover-worker and a program with handlers
// of its own have in common.
#ifndef DROVER_WORKER_HOST_HOST_H_
#define DROVER_WORKER_HOST_HOST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/loop.h"
#include "coord/base/time.h"
#include "coord/process/options.h"
#include "worker/agent/options.h"
#include "worker/exec/local_runner.h"

namespace drover::worker::host {

struct HostOptions {
  std::vector<std::string> coord = {"127.0.0.1:7400"};
  std::string pool = "default";
  std::string store;
  std::string name;  // empty: made of the host's name and the port
  std::uint32_t slots = 1;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> resources;  // beside cpu and memory of this host
  std::string work_dir;
  base::Duration session_timeout = std::chrono::seconds(6);
  base::Duration drain_timeout = agent::AgentOptions().drain_timeout;
  base::Duration grace = agent::AgentOptions().grace;
  base::Duration death_report_patience = agent::AgentOptions().death_report_patience;
  process::ServerFlags server;
  // SIGTERM and SIGINT drain it; a second one ends the process.
  bool signals = true;
  // Called with why it cannot work; then the process ends, with exit code 1. Null: Run returns that.
  std::function<void(const absl::Status&)> on_failure;
};

// Processors of this host, at least 1.
[[nodiscard]] std::uint32_t Processors();
// A variable of the environment, or another value where that is empty.
[[nodiscard]] std::string EnvironmentOr(const char* name, const char* otherwise);

// What no single option shows; INVALID_ARGUMENT names the option as drover-worker spells it. `handlers`: labels that are not
// counted as its user's.
[[nodiscard]] absl::Status Check(const HostOptions& options);

// In the reaper's process (exec/reaper.h): tells the core of the worker's death.
void ReportDeath(absl::string_view will);

// Drains the host that runs, from any thread, before or while it does.
class Stop {
 public:
  void Request();
  // Of the host: what a request does, from now on; at once if there was one.
  void OnRequest(std::function<void()> act);

 private:
  std::mutex mu_;  // guards what follows
  bool requested_ = false;
  std::function<void()> act_;
};

// The runner of tasks, around the one of programs.
using WrapRunner = std::function<std::unique_ptr<exec::ProcessRunner>(base::Loop*, std::unique_ptr<exec::LocalRunner>)>;

// Runs until it has drained (OK), or cannot work: why. `extra_labels` come beside the options'. Where something still runs at the
// end the process is over at once, as after a second signal: its reaper does the rest. `wrap` and `stop` may be null.
[[nodiscard]] absl::Status Run(const HostOptions& options, const std::map<std::string, std::string>& extra_labels,
                               const WrapRunner& wrap, Stop* stop);

}  // namespace drover::worker::host

#endif  // DROVER_WORKER_HOST_HOST_H_
