// Whether a node serves, and if not, why: the same words at /readyz, in the answer to Status and wherever else a person asks.
#ifndef DROVER_COORD_SERVER_READINESS_H_
#define DROVER_COORD_SERVER_READINESS_H_

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "coord/server/observer.h"
#include "coord/server/start_progress.h"

namespace drover::coord::server {

enum class Readiness : std::uint8_t {
  kStarting,    // it reads its snapshot and its log
  kForming,     // it is no node of a cluster yet
  kNoLeader,    // an election is under way, or it is cut off
  kCannotVote,  // the same, and its disk is full: that is what can be mended
  kCatchingUp,  // it has not applied what it knows to be committed
  kDiskFull,    // it serves reads alone
  kSendsAway,   // its disk is full, and another node leads
  kUnwritten,   // it leads, and no majority writes down what it has
  kReady,
};

// Those who answer a leader, and have written down nothing of it for so long, find no space, or their disks stand still.
inline constexpr base::Duration kUnwrittenMax = std::chrono::seconds(5);

[[nodiscard]] Readiness ReadinessOf(const NodeStatus& status);
// OK, or UNAVAILABLE and why. `progress` matters to one that is starting.
[[nodiscard]] absl::Status StatusOf(Readiness readiness, const StartProgress& progress = {});

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_READINESS_H_
