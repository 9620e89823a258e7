// A seeded plan of faults: which one, whom it hits, when, and for how long. Pure; the test carries it out.
#ifndef DROVER_TESTS_SUPPORT_NEMESIS_H_
#define DROVER_TESTS_SUPPORT_NEMESIS_H_

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace drover::testing {

enum class Fault { kKill, kPause, kCut, kCutToServer, kCutToClient, kDelay, kReset };

struct Strike {
  std::chrono::milliseconds at;        // since the plan's start
  std::chrono::milliseconds duration;  // until it heals
  Fault fault;
  std::string victim;
};
std::ostream& operator<<(std::ostream& os, const Strike& strike);

struct NemesisOptions {
  std::uint64_t seed = 1;  // printed by whoever fails
  std::vector<std::string> victims;
  std::vector<Fault> faults;
  std::chrono::milliseconds length{60'000};
  // Strikes follow one another: a pause in this range, then a fault for a time in that range.
  std::chrono::milliseconds pause_min{500};
  std::chrono::milliseconds pause_max{3'000};
  std::chrono::milliseconds fault_min{1'000};
  std::chrono::milliseconds fault_max{10'000};
};

// Same options, same plan, on every machine. One fault at a time; the last has healed by `length`.
std::vector<Strike> PlanStrikes(const NemesisOptions& options);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_NEMESIS_H_
