// A seeded plan of faults: which one, whom it hits, when, and for how long. Pure; an Arena carries it out.
#ifndef DROVER_TESTS_CHAOS_PLAN_H_
#define DROVER_TESTS_CHAOS_PLAN_H_

#include <chrono>
#include <cstdint>
#include <ostream>
#include <vector>

namespace drover::chaos {

enum class Fault {
  kKill,
  kPause,     // SIGSTOP
  kIsolate,   // from all the others, both ways
  kDeaf,      // hears none of the others
  kMute,      // none of the others hears it
  kCutLink,   // between two, both ways
  kDiskFull,  // no space left
  kDiskStall,
  kDiskSlow,
  kLinkSlow,  // every byte to or from it takes longer
  kLoseDisk,  // killed, its directory gone; healed by being readmitted and promoted
  kRemove,    // from the members, by command; healed in the same way, with an empty directory
  kHandOver,  // leadership goes to it, if it can
};

// Whether a node that it hits may be of no use to a quorum meanwhile. Slowness is borne by all who can wait.
[[nodiscard]] bool TakesOut(Fault fault);

struct Strike {
  std::chrono::milliseconds at;        // since the plan's start
  std::chrono::milliseconds duration;  // until it heals
  Fault fault = Fault::kKill;
  int node = 0;
  int other = 0;  // kCutLink
};
// "1200 ms: kill node 2 for 3400 ms"; nodes as people count them.
std::ostream& operator<<(std::ostream& os, const Strike& strike);

struct PlanOptions {
  std::uint64_t seed = 1;  // printed by whoever fails
  int nodes = 3;
  std::chrono::milliseconds length{30'000};
  // From one strike's begin to the next one's.
  std::chrono::milliseconds gap_min{100};
  std::chrono::milliseconds gap_max{1'000};
  std::chrono::milliseconds fault_min{1'000};
  std::chrono::milliseconds fault_max{10'000};
};

// In order of `at`. Same options, same plan, on every machine. Never is more than a minority taken out at a time, and no node hit
// by two faults at once; all have healed by `length`.
[[nodiscard]] std::vector<Strike> PlanStrikes(const PlanOptions& options);

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_PLAN_H_
