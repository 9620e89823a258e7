// Several coordination nodes in simulation: real members, each on its own simulated loop and disk, on one network.
#ifndef DROVER_TESTS_COORD_SERVER_SIM_CLUSTER_H_
#define DROVER_TESTS_COORD_SERVER_SIM_CLUSTER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coord/server/member_process.h"
#include "tests/coord/server/sim_member.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::coord::server {

class SimCluster {
 public:
  // Nodes 1 to `nodes`, not started. Clients reach node i at Client(i), the others at Peer(i), both on host Host(i).
  explicit SimCluster(int nodes, std::uint64_t seed = 1);

  static std::string Host(int id) { return "node" + std::to_string(id); }
  static std::string Client(int id) { return Host(id) + ":1"; }
  static std::string Peer(int id) { return Host(id) + ":2"; }

  void Start(int id);
  // With --join: an empty directory waits to be added.
  void StartJoining(int id);
  absl::Status TryStart(int id, bool join = false);
  void StartAll();
  // Nodes 1 to `founders` become a cluster; the others may join it. Who leads, 0 if nobody does.
  int Found(int founders);
  // kill -9 (kEverything) or power loss.
  void Crash(int id, sim::Survival survival = sim::Survival::kEverything);
  // Asks the leader, again if another one leads by then or nothing could be done yet; what came of it in the end.
  absl::Status Change(MemberChange::Kind kind, int id, base::Duration limit = std::chrono::seconds(60));
  // The members by the leader's newest configuration: "1 2 3 4?", where 4 is a learner.
  std::string Members();
  // Its disk is replaced by an empty one, or by this. Only while it is down.
  void Wipe(int id);
  void Insert(int id, std::unique_ptr<sim::SimFileSystem> files);
  // Runs the world until one node leads and all others that run follow it; its id, or 0.
  int AwaitLeader(base::Duration limit = std::chrono::seconds(20));
  // The node that leads with the highest term, 0 if none.
  [[nodiscard]] int Leader() const;
  // All that run have applied the same, and equal states.
  bool AwaitEqual(base::Duration limit = std::chrono::seconds(20));
  // Both ways, from now on; or heal it.
  void Cut(int a, int b, bool cut = true);
  void Isolate(int id, bool cut = true);

  [[nodiscard]] MemberProcess* process(int id) { return nodes_[Slot(id)].member.process.get(); }
  [[nodiscard]] Node* node(int id) { return nodes_[Slot(id)].member.node(); }
  [[nodiscard]] bool running(int id) const { return nodes_[Slot(id)].member.process != nullptr; }
  [[nodiscard]] sim::SimFileSystem& files(int id) { return *nodes_[Slot(id)].files; }
  [[nodiscard]] sim::SimLoop& loop(int id) { return *nodes_[Slot(id)].member.loop; }
  [[nodiscard]] sim::SimExecutor& disk(int id) { return *nodes_[Slot(id)].member.disk; }
  [[nodiscard]] const absl::Status& refused(int id) const { return nodes_[Slot(id)].refused; }
  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }

  sim::SimWorld world;
  sim::SimNetwork network;
  NodeOptions options;  // of the next start; id, address and directory are filled in
  InitialMembers initial;
  std::map<int, std::string> moved;     // from the next start on, the others find it there
  std::map<int, std::uint32_t> levels;  // from the next start on, it knows feature levels up to this one; else all
  NodeObserver* observer = nullptr;     // of all nodes that start from then on

 private:
  struct One {
    std::unique_ptr<sim::SimFileSystem> files;
    SimMember member;
    absl::Status refused;
    std::uint64_t boots = 0;
  };

  static std::size_t Slot(int id) { return static_cast<std::size_t>(id - 1); }

  const std::uint64_t seed_;
  std::vector<One> nodes_;
};

}  // namespace drover::coord::server

#endif  // DROVER_TESTS_COORD_SERVER_SIM_CLUSTER_H_
