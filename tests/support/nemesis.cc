#include "tests/support/nemesis.h"

#include "coord/base/random.h"

namespace drover::testing {

std::ostream& operator<<(std::ostream& os, const Strike& strike) {
  static constexpr const char* kNames[] = {"kill", "pause", "cut", "cut to server", "cut to client", "delay", "reset"};
  return os << strike.at.count() << " ms: " << kNames[static_cast<int>(strike.fault)] << " " << strike.victim << " for "
            << strike.duration.count() << " ms";
}

std::vector<Strike> PlanStrikes(const NemesisOptions& options) {
  base::SeededRandom random(options.seed);
  auto between = [&random](std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return low + std::chrono::milliseconds(random.Below(static_cast<std::uint64_t>((high - low).count()) + 1));
  };
  std::vector<Strike> plan;
  std::chrono::milliseconds now{0};
  for (;;) {
    Strike strike;
    strike.at = now + between(options.pause_min, options.pause_max);
    strike.duration = between(options.fault_min, options.fault_max);
    strike.fault = options.faults[random.Below(options.faults.size())];
    strike.victim = options.victims[random.Below(options.victims.size())];
    now = strike.at + strike.duration;
    if (now > options.length) return plan;
    plan.push_back(std::move(strike));
  }
}

}  // namespace drover::testing
