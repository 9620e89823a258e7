// What a watcher got is the log, filtered by what its watch is of: in order, each event once, without a gap from where the watch
// began.
#ifndef DROVER_TESTS_SIM_CHECK_WATCH_STREAM_H_
#define DROVER_TESTS_SIM_CHECK_WATCH_STREAM_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "tests/sim/check/event_log.h"

namespace drover::sim::check {

using coord::tree::WatchKind;

// One thing that reached the client, across all streams of the session, in the order in which the application heard of it.
struct Delivery {
  enum class What { kEvent, kAnswer, kBookmark };
  What what = What::kEvent;
  LoggedEvent event;  // kEvent, of this watch; owner and ends_session are not judged
  base::Zxid zxid;    // else; of any answer of the session
};

struct WatchTrace {
  std::string name;  // for people
  std::string root;
  // The first event is the first one behind it: where it was to resume from. Of a watch "from now on": (zxid of the answer, all). A
  // watch that was told COMPACTED ends there; what is armed then is another trace.
  Position after;
  bool with_data = false;
  std::vector<Delivery> deliveries;
  // At the end everything up to here must have come: the last zxid, once the system is at rest and the watch still stands.
  std::optional<base::Zxid> settled;
  // What it hears of: kPersistentRecursive the node and all below it; kPersistent the node, and its children's coming and going;
  // those that hear once the first event of the node (kOnce), or the first coming or going of a child or the node's going
  // (kOnceChildren).
  WatchKind kind = WatchKind::kPersistentRecursive;
};

// `log` passes CheckEventLog. INTERNAL names the watch, the delivery, and whether it is a gap, a repetition, out of order or
// untrue; or the answer or bookmark that came before an event which it includes.
[[nodiscard]] absl::Status CheckWatchStream(const EventLog& log, const WatchTrace& trace);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_WATCH_STREAM_H_
