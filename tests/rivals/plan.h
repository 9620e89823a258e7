// A seeded plan of faults for rivals and the nodes that they reach. Pure; a Stage carries it out.
#ifndef DROVER_TESTS_RIVALS_PLAN_H_
#define DROVER_TESTS_RIVALS_PLAN_H_

#include <chrono>
#include <cstdint>
#include <ostream>
#include <vector>

namespace drover::rivals {

enum class Fault {
  kKillRival,    // SIGKILL; starts again
  kPauseRival,   // SIGSTOP, past its session
  kCutLink,      // of a rival to one node, both ways
  kCutRival,     // of a rival to all nodes, both ways
  kMuteRival,    // no node hears it
  kDeafenRival,  // it hears no node
  kKillLeader,   // SIGKILL; starts again
  kPauseNode,    // SIGSTOP
  kIsolateNode,  // from the other nodes, both ways
};
[[nodiscard]] bool HitsNode(Fault fault);

struct Strike {
  std::chrono::milliseconds at;        // since the plan's start
  std::chrono::milliseconds duration;  // until it heals
  Fault fault = Fault::kKillRival;
  int rival = 0;  // unless it hits a node
  int node = 0;   // kCutLink, and what hits a node; of kKillLeader: who is hit while none is known to lead
};
// "1200 ms: pause r2 for 3400 ms"
std::ostream& operator<<(std::ostream& os, const Strike& strike);

struct PlanOptions {
  std::uint64_t seed = 1;  // printed by whoever fails
  int rivals = 4;
  int nodes = 3;
  std::chrono::milliseconds length{22'000};
  std::chrono::milliseconds session_timeout{2'000};
};

// In order of `at`. Same options, same plan, on every machine. One node at most is hit at a time, at most half of the rivals, and
// none twice at once; all have healed by `length`. Faults come in turn, as cards do from a shuffled pack: none stays away for long.
[[nodiscard]] std::vector<Strike> PlanStrikes(const PlanOptions& options);

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_PLAN_H_
