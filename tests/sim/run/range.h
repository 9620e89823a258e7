// Many seeds, each in a process of its own: a failed check of the code under test ends that process and no other.
#ifndef DROVER_TESTS_SIM_RUN_RANGE_H_
#define DROVER_TESTS_SIM_RUN_RANGE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/run/simulation.h"

namespace drover::sim::run {

// What is left of a seed's run when its process has ended.
struct SeedResult {
  std::uint64_t seed = 0;
  Outcome outcome;  // of a process that died: the verdict says so, with its last words
  std::set<std::string> probes;
  double cpu_seconds = 0;
};

// Runs the seeds that `next` names, until it names none, `jobs` at a time; tells `done` of each as it ends, from where no more are
// begun if it returns false. UNAVAILABLE: no processes to be had.
absl::Status RunSeeds(const std::function<std::optional<std::uint64_t>()>& next, int jobs,
                      const std::function<bool(const SeedResult&)>& done);

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_RANGE_H_
