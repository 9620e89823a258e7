// What the log of a stopped node says of a round: the events and sessions that watchers and clients are judged by.
#ifndef DROVER_TESTS_CHAOS_TRUTH_H_
#define DROVER_TESTS_CHAOS_TRUTH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "tests/sim/check/event_log.h"
#include "tests/sim/check/session_life.h"

namespace drover::chaos {

namespace check = sim::check;

struct Truth {
  // Everything behind this is in it: 0, or the zxid of the oldest snapshot that is left.
  base::Zxid after;
  check::EventLog events;
  std::vector<check::SessionSpan> sessions;  // ascending; those of the snapshot, too
};

// Of a copy of node `id`'s directory, which it recovers as a start would, from the oldest snapshot in it that its log leads on
// from. Blocking. Errors as server::Recover; INTERNAL: an entry that cannot be applied.
[[nodiscard]] absl::StatusOr<Truth> ReadTruth(const std::string& directory, base::NodeId id);

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_TRUTH_H_
