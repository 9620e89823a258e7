// A cluster of real processes on free loopback ports, in a directory of its own: what every end-to-end test starts from.
//
// It is driven as a user would: through the `drover` command. One thread.
#ifndef DROVER_TESTS_SUPPORT_CLUSTER_H_
#define DROVER_TESTS_SUPPORT_CLUSTER_H_

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/core_network.h"
#include "tests/support/process.h"
#include "tests/support/proxy.h"

namespace drover::testing {

struct ClusterOptions {
  int coords = 1;
  int masters = 2;
  int workers = 3;
  int slots = 4;
  std::vector<std::string> coord_flags;
  // The data directory of a coordination node, and what its environment has besides; null: one below the cluster's own, nothing.
  std::function<std::string(int node)> coord_data;
  std::function<std::map<std::string, std::string>(int node)> coord_env;
  std::vector<std::string> master_flags;
  std::vector<std::string> worker_flags;
  std::map<std::string, std::string> master_env;
  // All that the masters stand for, "default" first; worker i is of the one after the other. Empty: of none but that.
  std::vector<std::string> pools;
  // Workers and masters reach each coordination node through a proxy of their own (`master_proxy`, `worker_proxy`).
  bool proxied = false;
  // The coordination nodes reach each other through `core_network`.
  bool core_proxied = false;
};

class Cluster {
 public:
  // Starts everything and waits until the core serves, a master is elected and every worker is registered. Throws with the logs if
  // that fails.
  explicit Cluster(ClusterOptions options = {});
  // Looks whether the tree is as it should be. Kills every process, the workers first, and waits until all their reapers have
  // reported that and gone; a reaper that finds no core (the test killed it, or cut it off) is killed by its id. If the test has
  // failed, prints the ends of the logs.
  ~Cluster();

  // Runs `drover ARGS...` against this cluster.
  CommandResult Drover(const std::vector<std::string>& args, CommandOptions options = {});
  // The same with `-o json`; throws unless it exits 0.
  nlohmann::json Json(std::vector<std::string> args);

  // Coordination node i has the id i + 1.
  Process& coord(int i = 0) { return *coords_.at(static_cast<std::size_t>(i)).process; }
  [[nodiscard]] int coords() const { return static_cast<int>(coords_.size()); }
  CoreNetwork& core_network() { return *core_network_; }
  Process& master(int i) { return *masters_.at(static_cast<std::size_t>(i)).process; }
  Process& worker(int i) { return *workers_.at(static_cast<std::size_t>(i)).process; }
  // To a coordination node.
  Proxy& master_proxy(int i, int node = 0) {
    return *masters_.at(static_cast<std::size_t>(i)).proxies.at(static_cast<std::size_t>(node));
  }
  Proxy& worker_proxy(int i, int node = 0) {
    return *workers_.at(static_cast<std::size_t>(i)).proxies.at(static_cast<std::size_t>(node));
  }
  [[nodiscard]] int masters() const { return static_cast<int>(masters_.size()); }
  [[nodiscard]] int workers() const { return static_cast<int>(workers_.size()); }
  [[nodiscard]] static std::string worker_name(int i) { return "w" + std::to_string(i); }
  [[nodiscard]] std::string master_address(int i) const {
    return "127.0.0.1:" + std::to_string(masters_.at(static_cast<std::size_t>(i)).port);
  }
  [[nodiscard]] std::string coord_address(int i = 0) const {
    return "127.0.0.1:" + std::to_string(coords_.at(static_cast<std::size_t>(i)).port);
  }
  [[nodiscard]] int coord_port(int i = 0) const { return coords_.at(static_cast<std::size_t>(i)).port; }
  // Of all nodes, joined by commas.
  [[nodiscard]] std::string coord_addresses() const;
  [[nodiscard]] std::string coord_data(int i) const;
  [[nodiscard]] std::string initial_cluster() const;

  // The coordination node that most recently became leader, as the reachable ones say; nothing while none leads.
  std::optional<int> CoordLeader();
  int AwaitCoordLeader(std::optional<int> besides = std::nullopt);
  // Waits until all nodes serve.
  void AwaitCoordsServing();

  // Index of the elected master, or nothing while none is known to the core. With `besides`, only another one counts.
  std::optional<int> ElectedMaster(std::optional<int> besides = std::nullopt);
  int AwaitElectedMaster(std::optional<int> besides = std::nullopt);
  void AwaitWorkers(int count);
  // Waits until every task is terminal; returns them all.
  nlohmann::json AwaitAllTerminal(std::size_t count);

  // A page of a server's HTTP port: its status (0: nobody answered) and its text.
  std::pair<int, std::string> CoordPage(const std::string& path, int i = 0);
  std::pair<int, std::string> MasterPage(const std::string& path, int i);
  std::pair<int, std::string> WorkerPage(const std::string& path, int i);
  // A value of a server's /metrics, summed over the series whose labels contain `label`; 0 where there is none.
  double MasterMetric(int i, const std::string& name, const std::string& label = "");
  double CoordMetric(int i, const std::string& name, const std::string& label = "");

  [[nodiscard]] const std::string& dir() const { return dir_.path(); }
  [[nodiscard]] std::string path(const std::string& name) const { return dir_.path() + "/" + name; }

 private:
  struct Server {
    std::unique_ptr<Process> process;
    std::vector<std::unique_ptr<Proxy>> proxies;
    int port = 0;
    int http_port = 0;
  };
  void MakeCoords();
  void Stop();
  // Whatever the test did, the tree says nothing that no master or worker makes. (Where the core cannot be asked, nothing is
  // known.)
  void ExpectNothingBroken();
  std::string Logs() const;
  static std::pair<int, std::string> Page(int http_port, const std::string& path);
  static double Metric(int http_port, const std::string& name, const std::string& label);
  // Of every worker process that this cluster has had, those that live.
  [[nodiscard]] std::vector<pid_t> Reapers() const;

  TemporaryDirectory dir_;
  const ClusterOptions options_;
  std::vector<Server> coords_;
  std::unique_ptr<CoreNetwork> core_network_;
  std::vector<Server> masters_;
  std::vector<Server> workers_;
};

// Where the build put a program of ours.
std::string Binary(const std::string& name);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_CLUSTER_H_
