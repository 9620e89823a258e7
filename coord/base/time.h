// Time as the framework sees it: durations, instants of a clock that never jumps, and wall time for people.
#ifndef DROVER_COORD_BASE_TIME_H_
#define DROVER_COORD_BASE_TIME_H_

#include <chrono>
#include <cstdint>

#include "coord/base/strong.h"

namespace drover::base {

using Duration = std::chrono::nanoseconds;

// CLOCK_BOOTTIME: runs on while the host is suspended, never set back. Instants of two hosts cannot be compared.
struct BootClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<BootClock, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = BootClock::time_point;

// Milliseconds since 1970-01-01 UTC. May jump; nothing is decided by comparing two hosts' values.
using WallTime = Strong<struct WallTimeTag, std::int64_t>;

inline constexpr std::int64_t ToMillis(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_TIME_H_
