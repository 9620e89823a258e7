// A seeded plan of faults against a whole pool: coordination nodes, masters and workers. Pure; a Field carries it out.
#ifndef DROVER_TESTS_CHAOS_TASKS_BLOWS_H_
#define DROVER_TESTS_CHAOS_TASKS_BLOWS_H_

#include <chrono>
#include <cstdint>
#include <ostream>
#include <vector>

namespace drover::chaos::tasks {

enum class Target { kNode, kMaster, kWorker };

enum class Blow {
  kKill,   // kill -9; started again when it heals
  kPause,  // SIGSTOP
  kCut,    // of a node: from its peers; of others: from the core; both ways
  kDeaf,   // hears nothing of these
  kMute,   // nothing it says reaches these
  kStop,   // SIGTERM, as an operator does it; started again when it heals
};

struct Hit {
  std::chrono::milliseconds at;        // since the plan's start
  std::chrono::milliseconds duration;  // until it heals
  Target target = Target::kNode;
  int index = 0;
  Blow blow = Blow::kKill;
};
// "1200 ms: kill worker 2 for 3400 ms"; counted as people do.
std::ostream& operator<<(std::ostream& os, const Hit& hit);

struct PlanOptions {
  std::uint64_t seed = 1;
  std::chrono::milliseconds length{60'000};
  // From one blow's begin to the next one's, on average.
  std::chrono::milliseconds gap{2'000};
  int nodes = 3;
  int masters = 3;
  int workers = 6;
};

// In order of `at`. Same options, same plan, on every machine. Never are more than a minority of the nodes, all masters but one, or
// two thirds of the workers hit at a time, and nobody twice; each heals after 1 to 10 s, and all by `length`.
[[nodiscard]] std::vector<Hit> PlanHits(const PlanOptions& options);

}  // namespace drover::chaos::tasks

#endif  // DROVER_TESTS_CHAOS_TASKS_BLOWS_H_
