// The worst day, after a run was judged: all nodes but one are lost for good, and what that one has on its disk becomes a cluster
// of its own (coord/backup/force_single.h). The others come back though, and talk to it as to the member that it was.
#ifndef DROVER_TESTS_SIM_RUN_RESCUE_H_
#define DROVER_TESTS_SIM_RUN_RESCUE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/random.h"
#include "coord/tree/state_machine.h"
#include "tests/coord/server/sim_member.h"
#include "tests/sim/run/journal.h"
#include "tests/sim/run/plan.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::sim::run {

// One thread. `disk` is what the node `id`, now off, had when it had applied all up to `zxid`.
class Rescue {
 public:
  Rescue(SimWorld* world, SimNetwork* network, Journal* journal, const Plan& plan, int id, base::Zxid zxid,
         std::unique_ptr<SimFileSystem> disk);

  // The operator's part, whose tools may die at any call of the disk; he does as they say, and once more.
  [[nodiscard]] absl::Status Recover();
  // Starts the node that is left, at its old address.
  [[nodiscard]] absl::Status Start();
  // It leads, alone, and what is written to it is kept by it.
  [[nodiscard]] bool serves() const { return serves_; }
  void Poll();
  // All of `truth` is there but sessions and what they held; and nothing of the other cluster has come in since.
  [[nodiscard]] absl::Status Check(const coord::tree::StateMachine& truth, base::ClusterId old) const;

 private:
  [[nodiscard]] absl::Status Attempt();
  // A tool died: which directories are there?
  [[nodiscard]] absl::Status TidyUp();

  SimWorld* const world_;
  SimNetwork* const network_;
  Journal* const journal_;
  const Plan plan_;
  const int id_;
  const base::Zxid zxid_;
  const std::unique_ptr<SimFileSystem> disk_;
  base::SeededRandom random_;
  coord::server::SimMember member_;
  absl::Status refused_;
  bool asked_ = false;
  bool serves_ = false;
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_RESCUE_H_
