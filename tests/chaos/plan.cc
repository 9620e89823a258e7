#include "tests/chaos/plan.h"

#include <algorithm>

#include "coord/base/random.h"
#include "tests/support/between.h"

namespace drover::chaos {

using std::chrono::milliseconds;

namespace {

constexpr Fault kFaults[] = {Fault::kKill,     Fault::kPause,    Fault::kIsolate,   Fault::kDeaf,     Fault::kMute,
                             Fault::kCutLink,  Fault::kDiskFull, Fault::kDiskStall, Fault::kDiskSlow, Fault::kLinkSlow,
                             Fault::kLoseDisk, Fault::kRemove,   Fault::kHandOver};

const char* Name(Fault fault) {
  switch (fault) {
    case Fault::kKill:
      return "kill";
    case Fault::kPause:
      return "pause";
    case Fault::kIsolate:
      return "isolate";
    case Fault::kDeaf:
      return "deafen";
    case Fault::kMute:
      return "mute";
    case Fault::kCutLink:
      return "cut the link of";
    case Fault::kDiskFull:
      return "fill the disk of";
    case Fault::kDiskStall:
      return "stall the disk of";
    case Fault::kDiskSlow:
      return "slow the disk of";
    case Fault::kLinkSlow:
      return "slow the links of";
    case Fault::kLoseDisk:
      return "lose the disk of";
    case Fault::kRemove:
      return "remove";
    case Fault::kHandOver:
      return "hand leadership to";
  }
  return "?";
}

// Of a plan as far as it is made: who is hit in some of this time.
struct Hit {
  std::vector<bool> nodes;
  int taken_out = 0;
};

Hit HitAt(const std::vector<Strike>& plan, int nodes, milliseconds at) {
  Hit hit{std::vector<bool>(static_cast<std::size_t>(nodes)), 0};
  for (const Strike& strike : plan) {
    if (strike.at + strike.duration <= at) continue;
    hit.nodes[static_cast<std::size_t>(strike.node)] = true;
    if (TakesOut(strike.fault)) ++hit.taken_out;
  }
  return hit;
}

}  // namespace

bool TakesOut(Fault fault) {
  return fault != Fault::kDiskSlow && fault != Fault::kLinkSlow && fault != Fault::kHandOver;
}

std::ostream& operator<<(std::ostream& os, const Strike& strike) {
  os << strike.at.count() << " ms: " << Name(strike.fault) << " node " << strike.node + 1;
  if (strike.fault == Fault::kCutLink) os << " and node " << strike.other + 1;
  return os << " for " << strike.duration.count() << " ms";
}

std::vector<Strike> PlanStrikes(const PlanOptions& options) {
  base::SeededRandom random(options.seed);
  const auto between = [&random](milliseconds low, milliseconds high) { return testing::Between(&random, low, high); };
  const auto below = [&random](int bound) { return static_cast<int>(random.Below(static_cast<std::uint64_t>(bound))); };
  const int minority = (options.nodes - 1) / 2;
  std::vector<Strike> plan;
  milliseconds now{0};
  while (true) {
    now += between(options.gap_min, options.gap_max);
    if (now + options.fault_min > options.length) return plan;
    Strike strike;
    strike.at = now;
    strike.duration = std::min(between(options.fault_min, options.fault_max), options.length - now);
    strike.fault = kFaults[random.Below(std::size(kFaults))];
    strike.node = below(options.nodes);
    strike.other = (strike.node + 1 + below(options.nodes - 1)) % options.nodes;
    // Strikes begin one after the other, so what is under way now is all that may be under way with it. Of a cut link one node
    // alone counts: without it all the others are connected.
    const Hit hit = HitAt(plan, options.nodes, now);
    if (hit.nodes[static_cast<std::size_t>(strike.node)] || (TakesOut(strike.fault) && hit.taken_out >= minority)) continue;
    plan.push_back(strike);
  }
}

}  // namespace drover::chaos
