// A coordination service under measurement: its servers, as processes of this one on free loopback ports, and what clients need.
//
// Threads: the main one. The servers die with it, however it ends.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_SYSTEM_H_
#define DROVER_TESTS_BENCH_SYSTEMS_SYSTEM_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/report.h"
#include "tests/bench/systems/clients.h"
#include "tests/support/process.h"
#include "tests/support/stalled_disk.h"

namespace drover::bench {

// How long a cluster may take to settle.
inline constexpr std::chrono::seconds kSettleLimit{60};

// What a server says of itself.
struct NodeState {
  bool leads = false;
  std::uint64_t known = 0;    // the newest change that it knows
  std::uint64_t applied = 0;  // the newest change that its reads show
  std::uint64_t term = 0;     // grows with each election that it knows of
  std::string version;
};

struct ServerSpec {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string log;
  std::string address;  // for clients, "127.0.0.1:port"
  int http_port = 0;    // on 127.0.0.1; 0: it has none
};

class System {
 public:
  System(std::string name, std::vector<ServerSpec> servers);
  virtual ~System() = default;  // kills the servers
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int nodes() const { return static_cast<int>(servers_.size()); }
  [[nodiscard]] testing::Process& server(int node) { return *processes_.at(static_cast<std::size_t>(node)); }
  [[nodiscard]] std::vector<std::string> addresses() const;
  [[nodiscard]] int http_port(int node) const { return servers_.at(static_cast<std::size_t>(node)).http_port; }

  // Starts all servers and waits until they are settled.
  absl::Status Start();
  // Waits until all servers answer, one leads, and each shows all that the leader knew when asked. Gives the leader. UNAVAILABLE,
  // with the ends of the servers' logs, if that does not come, or a server has ended.
  absl::StatusOr<int> AwaitSettled(std::chrono::seconds limit);
  // The newest term that a server knows. UNAVAILABLE: none of them answers.
  absl::StatusOr<std::uint64_t> NewestTerm();

  // UNAVAILABLE: does not answer, or does not serve.
  [[nodiscard]] absl::StatusOr<NodeState> State(int node) { return Ask(node); }

  // After Start.
  [[nodiscard]] SystemFacts Facts() const;
  // Client i begins at server `first` + i, modulo their number, and goes to others by itself where the system's clients do so.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<Clients>> Connect(int count, int first) = 0;
  // How many of these a program needs that wants to write whatever server is down: 1 where a client looks for another server by
  // itself, else one for each server.
  [[nodiscard]] virtual int connections_of_writer() const = 0;

 protected:
  [[nodiscard]] const std::vector<ServerSpec>& servers() const { return servers_; }

  // UNAVAILABLE: does not answer, or does not serve.
  [[nodiscard]] virtual absl::StatusOr<NodeState> Ask(int node) = 0;
  // The parts that differ: fsync, client, configuration.
  virtual void Describe(SystemFacts* facts) const = 0;

 private:
  absl::StatusOr<int> Settled();
  absl::Status WithLogs(std::string message) const;

  const std::string name_;
  const std::vector<ServerSpec> servers_;
  std::vector<std::unique_ptr<testing::Process>> processes_;
  std::string version_;
};

// "drover", "etcd" or "zookeeper", not yet started; data and logs go to `directory`. FAILED_PRECONDITION: not installed; the
// message says what to install.
// `disks`: none, or (of Drover alone) one a node, through which its disk can be stalled.
[[nodiscard]] absl::StatusOr<std::unique_ptr<System>> MakeSystem(const std::string& name, int nodes, const std::string& directory,
                                                                 const std::vector<testing::StalledDisk>& disks = {});

// All of these, each below a directory of its own in `directory`, so that one that is not installed is told before an hour of
// measuring the others.
[[nodiscard]] absl::StatusOr<std::vector<std::unique_ptr<System>>> MakeSystems(const std::vector<std::string>& names, int nodes,
                                                                               const std::string& directory,
                                                                               const std::vector<testing::StalledDisk>& disks = {});

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_SYSTEM_H_
