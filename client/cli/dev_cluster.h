// The processes of `drover dev` while they run: started in order, watched, stopped in the reverse order.
//
// One thread, the main one. It blocks SIGINT, SIGTERM and SIGCHLD and takes them when it waits; so it is constructed before any
// other thread is started.
#ifndef DROVER_CLIENT_CLI_DEV_CLUSTER_H_
#define DROVER_CLIENT_CLI_DEV_CLUSTER_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/app.h"
#include "client/cli/child.h"
#include "client/cli/dev_plan.h"

namespace drover::cli {

class DevCluster {
 public:
  // `output` gets the processes' lines; what dies is told as a note.
  DevCluster(DevPlan plan, std::string pool, bool restart, Output* output);
  // Kills what still runs.
  ~DevCluster();
  DevCluster(const DevCluster&) = delete;
  DevCluster& operator=(const DevCluster&) = delete;

  // Starts everything and waits until a master is elected and all masters and workers are registered. CANCELLED after Ctrl-C or
  // SIGTERM; UNAVAILABLE, with the end of its log, if one died or is not ready within `timeout`.
  absl::Status Start(std::chrono::seconds timeout);

  // Takes part in the cluster's life until Ctrl-C or SIGTERM, or until nothing runs any more. With a command: until it has ended;
  // signals are the command's then (a terminal sends it Ctrl-C itself, SIGTERM is handed on). Returns the exit code.
  int Run(Child* command);

  // Workers first, the core last; each kind gets SIGTERM, and SIGKILL if it has not gone after `grace` or a further signal comes.
  void Stop(std::chrono::seconds grace);

 private:
  struct Server {
    DevServer::Kind kind;
    std::string address;
    Child child;
    std::chrono::steady_clock::time_point restart_at;
  };
  // Waits for a signal, at most `timeout`; 0: none came.
  int NextSignal(std::chrono::milliseconds timeout);
  absl::Status StartKind(DevServer::Kind kind);
  absl::Status AwaitReady(DevServer::Kind kind, std::chrono::steady_clock::time_point deadline);
  bool IsReady(DevServer::Kind kind);
  void Announce(const Server& server);
  // Tells of what has died, starts it anew if wanted. Returns false if nothing runs.
  bool Tend();
  absl::Status FirstDead();

  const DevPlan plan_;
  const std::string pool_;
  const bool restart_;
  Output* const output_;
  std::vector<Server> servers_;
  std::unique_ptr<client::TaskClient> tasks_;  // while starting
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_DEV_CLUSTER_H_
