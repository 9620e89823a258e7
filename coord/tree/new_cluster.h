// Makes the state of one cluster that of another, which begins with it: a restored backup, a recovery by force.
//
// Both may have gone on from the same state, and there may be people and programs that have seen both; and the same state may be
// restored again, after what was restored from it has lived for a while. So zxids leap ahead of all that any of these can have
// given out until now: to where a core would be that gives out more than any can, since 1970. And no session, ephemeral or kept
// answer of it is left, for those who held them belong to the other cluster. Pure.
#ifndef DROVER_COORD_TREE_NEW_CLUSTER_H_
#define DROVER_COORD_TREE_NEW_CLUSTER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::tree {

// More than a core gives out in a second: 2^53 are reached in the year 2242.
inline constexpr std::uint64_t kZxidsPerSecond = std::uint64_t{1} << 20;
// How far the zxid leaps if the clock is behind it, and so says nothing: more than a core gives out in years.
inline constexpr std::uint64_t kZxidLeap = std::uint64_t{1} << 40;
// Zxids stay below this: programs that read JSON know no larger number exactly.
inline constexpr std::uint64_t kZxidEnd = std::uint64_t{1} << 53;

// What was left behind.
struct LeftBehind {
  base::Zxid zxid;  // the last one before
  std::uint64_t sessions = 0;
  std::uint64_t ephemerals = 0;
};

// The zxid leaps; then every session ends as if it had expired, each in a transaction of its own, so that Stats and counters of
// parents are what they are wherever a session ends. OUT_OF_RANGE: the zxid would reach kZxidEnd; nothing was changed.
[[nodiscard]] absl::StatusOr<LeftBehind> BeginNewCluster(StateMachine* machine, base::WallTime now);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_NEW_CLUSTER_H_
