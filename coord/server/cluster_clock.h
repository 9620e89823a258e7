// The time that a leader writes into entries: its own clock, held back to what a quorum of the members' clocks confirms, so that
// one host whose clock is far ahead makes no time-out, schedule or retention come early. Pure.
#ifndef DROVER_COORD_SERVER_CLUSTER_CLOCK_H_
#define DROVER_COORD_SERVER_CLUSTER_CLOCK_H_

#include <map>
#include <vector>

#include "coord/base/ids.h"
#include "coord/base/time.h"

namespace drover::coord::server {

// Every frame of a peer carries its clock. Not thread-safe.
class ClusterClock {
 public:
  // `clock` is what `peer` said; it came at `now`.
  void Heard(base::NodeId peer, base::WallTime clock, base::Instant now) { said_[peer] = {clock, now}; }

  // The lower median of the voters' clocks, this node's being `own`, and never more than `own`. `others`: the voters but this node.
  // One that has not been heard of counts as being at the beginning of time: a leader has heard a quorum, so the median is
  // somebody's clock.
  [[nodiscard]] base::WallTime Time(base::WallTime own, base::Instant now, const std::vector<base::NodeId>& others) const;

 private:
  struct Said {
    base::WallTime clock;
    base::Instant at;
  };
  std::map<base::NodeId, Said> said_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_CLUSTER_CLOCK_H_
