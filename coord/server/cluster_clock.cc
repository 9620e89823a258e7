#include "coord/server/cluster_clock.h"

#include <algorithm>

namespace drover::coord::server {

base::WallTime ClusterClock::Time(base::WallTime own, base::Instant now, const std::vector<base::NodeId>& others) const {
  std::vector<base::WallTime> clocks = {own};
  for (base::NodeId peer : others) {
    const auto said = said_.find(peer);
    clocks.push_back(said == said_.end() ? base::WallTime()
                                         : base::WallTime(said->second.clock.value + base::ToMillis(now - said->second.at)));
  }
  std::sort(clocks.begin(), clocks.end());
  return std::min(own, clocks[(clocks.size() - 1) / 2]);
}

}  // namespace drover::coord::server
