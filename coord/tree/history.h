// The newest events of the tree, bounded by bytes, so that a watch that comes back gets what it missed. Not replicated: each node
// rebuilds its own as it applies the log.
//
// Threads: one.
#ifndef DROVER_COORD_TREE_HISTORY_H_
#define DROVER_COORD_TREE_HISTORY_H_

#include <cstddef>
#include <deque>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/ids.h"
#include "coord/tree/code.h"
#include "coord/tree/event.h"
#include "coord/tree/options.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

class EventHistory {
 public:
  // Holds nothing up to and including `start`: 0 for a log that is replayed from its beginning, else the zxid of the state that the
  // replay starts from.
  explicit EventHistory(const HistoryOptions& options, base::Zxid start = base::Zxid());

  // Forgets everything, and holds nothing up to and including `start`.
  void Reset(base::Zxid start);

  // Of one transaction, newer than all before.
  void Append(absl::Span<const Event> events);

  // The oldest position from which a watch can be resumed.
  [[nodiscard]] Position oldest() const { return oldest_; }
  // Every event after `after` is still here. (So it is for a position in the future: waiting for that is the caller's.)
  [[nodiscard]] bool Covers(Position after) const { return after >= oldest_; }

  // Calls `deliver` for each event after `after` that a watch of this kind of `watcher` on `watched` hears of, oldest first; of one
  // that hears once, for the first alone. False, and no call, if some are gone: COMPACTED, with oldest().
  bool Replay(Position after, absl::string_view watched, WatchKind kind, absl::FunctionRef<void(const Event&)> deliver,
              const Asker& watcher = Asker()) const;

  [[nodiscard]] std::size_t size() const { return events_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  // What an event takes besides its encoding.
  static constexpr std::size_t kEventBytes = sizeof(Event) + 32;

  const HistoryOptions options_;
  std::deque<Event> events_;
  std::size_t bytes_ = 0;
  Position oldest_;
  Position newest_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_HISTORY_H_
