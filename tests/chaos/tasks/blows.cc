#include "tests/chaos/tasks/blows.h"

#include <algorithm>

#include "coord/base/random.h"
#include "tests/support/between.h"

namespace drover::chaos::tasks {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kShortest{1'000};
constexpr milliseconds kLongest{10'000};

const char* NameOf(Blow blow) {
  switch (blow) {
    case Blow::kKill:
      return "kill";
    case Blow::kPause:
      return "pause";
    case Blow::kCut:
      return "cut off";
    case Blow::kDeaf:
      return "deafen";
    case Blow::kMute:
      return "mute";
    case Blow::kStop:
      return "stop";
  }
  return "?";
}

const char* NameOf(Target target) {
  return target == Target::kNode ? "node" : target == Target::kMaster ? "master" : "worker";
}

}  // namespace

std::ostream& operator<<(std::ostream& os, const Hit& hit) {
  return os << hit.at.count() << " ms: " << NameOf(hit.blow) << " " << NameOf(hit.target) << " " << hit.index + 1 << " for "
            << hit.duration.count() << " ms";
}

std::vector<Hit> PlanHits(const PlanOptions& options) {
  base::SeededRandom random(options.seed);
  const auto below = [&random](int bound) { return static_cast<int>(random.Below(static_cast<std::uint64_t>(bound))); };
  std::vector<Hit> plan;
  milliseconds now{0};
  while (true) {
    now += testing::Between(&random, options.gap / 2, options.gap + options.gap / 2);
    if (now + kShortest > options.length) return plan;
    Hit hit;
    hit.at = now;
    hit.duration = std::min(testing::Between(&random, kShortest, kLongest), options.length - now);
    // As often as there are of them, but the nodes and masters, on which all depends, twice.
    const int all = 2 * (options.nodes + options.masters) + options.workers;
    const int which = below(all);
    hit.target = which < 2 * options.nodes                       ? Target::kNode
                 : which < 2 * (options.nodes + options.masters) ? Target::kMaster
                                                                 : Target::kWorker;
    const int count = hit.target == Target::kNode     ? options.nodes
                      : hit.target == Target::kMaster ? options.masters
                                                      : options.workers;
    const int most = hit.target == Target::kNode     ? (options.nodes - 1) / 2
                     : hit.target == Target::kMaster ? options.masters - 1
                                                     : options.workers * 2 / 3;
    hit.index = below(count);
    hit.blow = static_cast<Blow>(below(6));
    const auto under_way = [&](const Hit& h) { return h.target == hit.target && h.at + h.duration > now; };
    const bool twice = std::any_of(plan.begin(), plan.end(), [&](const Hit& h) { return under_way(h) && h.index == hit.index; });
    if (!twice && std::count_if(plan.begin(), plan.end(), under_way) < most) plan.push_back(hit);
  }
}

}  // namespace drover::chaos::tasks
