#include "tests/rivals/plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "coord/base/random.h"
#include "tests/support/between.h"

namespace drover::rivals {

using std::chrono::milliseconds;

namespace {

constexpr Fault kFaults[] = {Fault::kKillRival,   Fault::kPauseRival, Fault::kCutLink,   Fault::kCutRival,   Fault::kMuteRival,
                             Fault::kDeafenRival, Fault::kKillLeader, Fault::kPauseNode, Fault::kIsolateNode};
constexpr milliseconds kGapMin{150};
constexpr milliseconds kGapMax{900};
constexpr milliseconds kLastsMin{300};
constexpr milliseconds kLastsMax{4'000};

const char* Name(Fault fault) {
  switch (fault) {
    case Fault::kKillRival:
      return "kill";
    case Fault::kPauseRival:
      return "pause";
    case Fault::kCutLink:
      return "cut a link of";
    case Fault::kCutRival:
      return "cut off";
    case Fault::kMuteRival:
      return "mute";
    case Fault::kDeafenRival:
      return "deafen";
    case Fault::kKillLeader:
      return "kill the leader, or";
    case Fault::kPauseNode:
      return "pause";
    case Fault::kIsolateNode:
      return "isolate";
  }
  return "?";
}

// Of all that `plan` has under way at this time.
struct Hit {
  bool node = false;
  std::vector<bool> rivals;
  int rivals_count = 0;
};

Hit HitAt(const std::vector<Strike>& plan, int rivals, milliseconds at) {
  Hit hit{.rivals = std::vector<bool>(static_cast<std::size_t>(rivals))};
  for (const Strike& strike : plan) {
    if (strike.at + strike.duration < at) continue;
    if (HitsNode(strike.fault)) {
      hit.node = true;
    } else {
      hit.rivals[static_cast<std::size_t>(strike.rival)] = true;
      ++hit.rivals_count;
    }
  }
  return hit;
}

}  // namespace

bool HitsNode(Fault fault) {
  return fault == Fault::kKillLeader || fault == Fault::kPauseNode || fault == Fault::kIsolateNode;
}

std::ostream& operator<<(std::ostream& os, const Strike& strike) {
  os << strike.at.count() << " ms: " << Name(strike.fault) << " ";
  if (HitsNode(strike.fault)) {
    os << "node " << strike.node + 1;
  } else {
    os << "r" << strike.rival;
    if (strike.fault == Fault::kCutLink) os << " to node " << strike.node + 1;
  }
  return os << " for " << strike.duration.count() << " ms";
}

std::vector<Strike> PlanStrikes(const PlanOptions& options) {
  base::SeededRandom random(options.seed);
  const auto between = [&random](milliseconds low, milliseconds high) { return testing::Between(&random, low, high); };
  const auto below = [&random](int bound) { return static_cast<int>(random.Below(static_cast<std::uint64_t>(bound))); };
  std::vector<Strike> plan;
  std::vector<Fault> pack;
  milliseconds now{0};
  while (true) {
    now += between(kGapMin, kGapMax);
    if (now >= options.length) return plan;
    if (pack.empty()) {
      pack.assign(std::begin(kFaults), std::end(kFaults));
      for (std::size_t i = pack.size(); i > 1; --i) std::swap(pack[i - 1], pack[random.Below(i)]);
    }
    const Hit hit = HitAt(plan, options.rivals, now);
    // The first card that can be played now.
    const auto card = std::find_if(
        pack.begin(), pack.end(), [&](Fault fault) { return HitsNode(fault) ? !hit.node : hit.rivals_count < options.rivals / 2; });
    if (card == pack.end()) continue;
    Strike strike;
    strike.at = now;
    strike.fault = *card;
    strike.node = below(options.nodes);
    strike.rival = below(options.rivals);
    while (hit.rivals[static_cast<std::size_t>(strike.rival)] && !HitsNode(strike.fault)) {
      strike.rival = (strike.rival + 1) % options.rivals;
    }
    const bool pause = strike.fault == Fault::kPauseRival;
    strike.duration =
        pause ? options.session_timeout + between(milliseconds(700), milliseconds(2'500)) : between(kLastsMin, kLastsMax);
    if (now + strike.duration > options.length) continue;
    pack.erase(card);
    plan.push_back(strike);
  }
}

}  // namespace drover::rivals
