// Liveness while there are faults: a majority of the voters that nothing disturbs has a leader that commits, whatever becomes of
// the others.
#ifndef DROVER_TESTS_SIM_RUN_PROGRESS_H_
#define DROVER_TESTS_SIM_RUN_PROGRESS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/run/journal.h"
#include "tests/sim/run/machines.h"
#include "tests/sim/run/plan.h"
#include "tests/sim/run/witness.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::sim::run {

// One thread.
class Progress {
 public:
  // So many election time-outs a majority is given. An attempt takes one or two of them, and may fail: two campaign at once, or one
  // whose log is behind; links that were cut are dialled again within five seconds; somebody outside of the majority, whom it hears
  // and who does not hear it, disturbs every attempt a little. And of those that are to commit some may have to catch up first.
  static constexpr int kElectionTimeouts = 20;

  Progress(SimWorld* world, SimNetwork* network, Journal* journal, const Machines* machines, const Witness* witness,
           const Plan& plan);

  // Looks at all nodes, now; often. What lasts less than the time between two looks is passed over.
  void Sample();

 private:
  // Of what holds: since when. Of what does not: nothing.
  using Since = std::optional<base::Instant>;

  void Look();
  [[nodiscard]] bool Commits();
  // Voters that nothing has disturbed for long enough, and who need nobody else to elect and to commit; empty: there are none.
  [[nodiscard]] std::vector<int> Majority() const;
  [[nodiscard]] bool CanDecide(const std::vector<int>& nodes) const;
  [[nodiscard]] bool Long(const Since& since) const { return since && world_->Now() - *since >= within_; }

  SimWorld* const world_;
  SimNetwork* const network_;
  Journal* const journal_;
  const Machines* const machines_;
  const Witness* const witness_;
  const base::Duration within_;
  std::vector<std::uint64_t> processes_;        // by id
  std::vector<Since> works_;                    // by id
  std::map<std::pair<int, int>, Since> clear_;  // of two nodes, both directions
  coord::raft::Index committed_;
  base::Instant commits_;  // when something was last seen to be committed, or a leader with nothing left to commit
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_PROGRESS_H_
