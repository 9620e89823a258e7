// How long the callers of some requests are willing to wait.
#ifndef DROVER_COORD_CLIENT_DEADLINES_H_
#define DROVER_COORD_CLIENT_DEADLINES_H_

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "coord/base/time.h"
#include "coord/client/request_queue.h"

namespace drover::coord::client {

class Deadlines {
 public:
  void Set(RequestQueue::Key key, base::Instant deadline) {
    by_key_.emplace(key, deadline);
    by_time_.emplace(deadline, key);
  }
  // A key without a deadline is ignored.
  void Clear(RequestQueue::Key key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    by_time_.erase({found->second, key});
    by_key_.erase(found);
  }
  void ClearAll() {
    by_key_.clear();
    by_time_.clear();
  }
  [[nodiscard]] std::optional<base::Instant> Next() const {
    if (by_time_.empty()) return std::nullopt;
    return by_time_.begin()->first;
  }
  // Takes out one whose time has come.
  [[nodiscard]] std::optional<RequestQueue::Key> TakeDue(base::Instant now) {
    if (by_time_.empty() || by_time_.begin()->first > now) return std::nullopt;
    const RequestQueue::Key key = by_time_.begin()->second;
    Clear(key);
    return key;
  }

 private:
  std::map<RequestQueue::Key, base::Instant> by_key_;
  std::set<std::pair<base::Instant, RequestQueue::Key>> by_time_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_DEADLINES_H_
