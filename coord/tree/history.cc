#include "coord/tree/history.h"

#include <algorithm>

#include "coord/base/check.h"
#include "coord/tree/path.h"
#include "coord/tree/watches.h"

namespace drover::coord::tree {

EventHistory::EventHistory(const HistoryOptions& options, base::Zxid start)
    : options_(options), oldest_{start, Position::kAll}, newest_(oldest_) {}

void EventHistory::Reset(base::Zxid start) {
  events_.clear();
  bytes_ = 0;
  oldest_ = newest_ = Position{start, Position::kAll};
}

void EventHistory::Append(absl::Span<const Event> events) {
  for (const Event& event : events) {
    DROVER_CHECK(event.position() > newest_) << "zxid " << event.position().zxid << " is not newer than " << newest_.zxid;
    newest_ = event.position();
    bytes_ += kEventBytes + event.encoded(true).size();
    events_.push_back(event);
  }
  while (bytes_ > options_.bytes_max) {
    const Event& gone = events_.front();
    oldest_ = gone.position();
    bytes_ -= kEventBytes + gone.encoded(true).size();
    events_.pop_front();
  }
}

bool EventHistory::Replay(Position after, absl::string_view watched, WatchKind kind, absl::FunctionRef<void(const Event&)> deliver,
                          const Asker& watcher) const {
  if (!Covers(after)) return false;
  auto it = std::upper_bound(events_.begin(), events_.end(), after,
                             [](Position position, const Event& event) { return position < event.position(); });
  for (; it != events_.end(); ++it) {
    if (!IsAtOrBelow(it->path(), watched) || !Hears(kind, watched, it->type(), it->path())) continue;
    if (!MayBeTold(kind, watched, *it, watcher)) continue;
    deliver(*it);
    if (HearsOnce(kind)) break;
  }
  return true;
}

}  // namespace drover::coord::tree
