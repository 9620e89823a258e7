// The cluster's time between two contacts: what a process decides by that other processes decide by, too. It is known up to the
// time that a contact takes, there and back, which a bad link may hold for seconds. So what begins *now* begins at ClusterTimeNow,
// and what is to be *over* is judged by ClusterTimePassed: then nothing is early, whichever process looks.
//
// Pure but for the session's loop, whose clock measures what has passed since the last contact. Threads: the session's loop.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_CLUSTER_TIME_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_CLUSTER_TIME_H_

#include <algorithm>
#include <cstdint>

#include "coord/base/loop.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"

namespace drover::coord {

// No less than it is: that of the last acknowledged contact, and what has passed since that contact was sent. Ahead of the core's
// clock by the way there at most, behind it only as far as the clocks' rates differ. 0 before the first contact.
inline base::WallTime ClusterTimeNow(const Session& session) {
  const base::WallTime agreed = session.cluster_time();
  if (agreed.value == 0) return agreed;
  const base::Instant sent_at = session.lease_deadline() - session.timeout();
  return base::WallTime(agreed.value + std::max<std::int64_t>(0, base::ToMillis(session.loop()->Now() - sent_at)));
}

// No more than it is: the same, and what has passed since the answer came. Behind the core's clock by the way back at most. 0
// before the first contact.
inline base::WallTime ClusterTimePassed(const Session& session) {
  const base::WallTime agreed = session.cluster_time();
  if (agreed.value == 0) return agreed;
  const base::Duration since = session.loop()->Now() - session.cluster_time_heard_at();
  return base::WallTime(agreed.value + std::max<std::int64_t>(0, base::ToMillis(since)));
}

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_CLUSTER_TIME_H_
