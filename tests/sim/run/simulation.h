// One seed, from its plan to the verdict.
#ifndef DROVER_TESTS_SIM_RUN_SIMULATION_H_
#define DROVER_TESTS_SIM_RUN_SIMULATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "tests/sim/run/plan.h"

namespace drover::sim::run {

struct Outcome {
  absl::Status verdict;  // OK, or the first thing that was wrong
  std::uint64_t digest = 0;
  base::Duration simulated{};
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  std::uint64_t entries = 0;
  std::uint64_t answers = 0;
  std::vector<std::uint64_t> faults;  // by Fault
};

// Runs it in this thread. `trace`: prints each step. One at a time in a process.
[[nodiscard]] Outcome RunSeed(const Plan& plan, bool trace);

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_SIMULATION_H_
