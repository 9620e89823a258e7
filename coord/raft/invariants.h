// What must hold of a Raft at any time, and between one moment and the next. Called after every step in development builds, by
// tests and by the simulator.
#ifndef DROVER_COORD_RAFT_INVARIANTS_H_
#define DROVER_COORD_RAFT_INVARIANTS_H_

#include "absl/status/status.h"
#include "coord/raft/raft.h"

namespace drover::coord::raft {

// INTERNAL, naming what is violated.
absl::Status CheckState(const State& state);
absl::Status CheckStep(const State& before, const State& after);

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_INVARIANTS_H_
