#include "tests/sim/check/watch_stream.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "coord/tree/path.h"

namespace drover::sim::check {
namespace {

bool IsTrue(const LoggedEvent& told, const LoggedEvent& logged, bool with_data) {
  return told.position == logged.position && told.type == logged.type && told.path == logged.path &&
         told.data == (with_data ? logged.data : std::string());
}

bool IsChild(const std::string& path, const std::string& root) {
  if (path.size() <= root.size() || !coord::tree::IsAtOrBelow(path, root)) return false;
  return path.find('/', root == "/" ? 1 : root.size() + 1) == std::string::npos;
}

bool Hears(const WatchTrace& trace, const LoggedEvent& event) {
  const bool comes_or_goes = event.type != EventType::kChanged;
  switch (trace.kind) {
    case WatchKind::kUnspecified:
    case WatchKind::kPersistentRecursive:
      return coord::tree::IsAtOrBelow(event.path, trace.root);
    case WatchKind::kPersistent:
      return event.path == trace.root || (comes_or_goes && IsChild(event.path, trace.root));
    case WatchKind::kOnce:
      return event.path == trace.root;
    case WatchKind::kOnceChildren:
      return (event.path == trace.root && event.type == EventType::kDeleted) || (comes_or_goes && IsChild(event.path, trace.root));
  }
  return false;
}

bool HearsOnce(const WatchTrace& trace) {
  return trace.kind == WatchKind::kOnce || trace.kind == WatchKind::kOnceChildren;
}

}  // namespace

absl::Status CheckWatchStream(const EventLog& log, const WatchTrace& trace) {
  std::vector<const LoggedEvent*> expected;
  const auto begin =
      std::upper_bound(log.begin(), log.end(), trace.after, [](const Position& p, const LoggedEvent& e) { return p < e.position; });
  for (auto at = begin; at != log.end() && !(HearsOnce(trace) && !expected.empty()); ++at) {
    if (Hears(trace, *at)) expected.push_back(&*at);
  }
  std::size_t next = 0;
  auto error = [&](const auto&... words) {
    return absl::InternalError(absl::StrCat("watch ", trace.name, " of ", trace.root, ": ", words...));
  };
  for (std::size_t i = 0; i < trace.deliveries.size(); ++i) {
    const Delivery& delivery = trace.deliveries[i];
    const bool due = next < expected.size();
    if (delivery.what != Delivery::What::kEvent) {
      if (due && expected[next]->position.zxid <= delivery.zxid)
        return error("delivery ", i, ", ", delivery.what == Delivery::What::kAnswer ? "an answer" : "a bookmark", " of zxid ",
                     delivery.zxid.value, ", overtook ", TextOf(*expected[next]));
      continue;
    }
    const LoggedEvent& event = delivery.event;
    if (due && IsTrue(event, *expected[next], trace.with_data)) {
      ++next;
      continue;
    }
    const auto same =
        std::find_if(expected.begin(), expected.end(), [&](const LoggedEvent* e) { return e->position == event.position; });
    if (same == expected.end()) return error("delivery ", i, ", ", TextOf(event), ", is not of its part of the log");
    if (!IsTrue(event, **same, trace.with_data))
      return error("delivery ", i, ", ", TextOf(event), ", is told wrongly; the log has ", TextOf(**same));
    if (static_cast<std::size_t>(same - expected.begin()) < next)
      return error("delivery ", i, ", ", TextOf(event), ", came before");
    return error("delivery ", i, ", ", TextOf(event), ", left out ", TextOf(*expected[next]));
  }
  if (trace.settled && next < expected.size() && expected[next]->position.zxid <= *trace.settled)
    return error("at rest at zxid ", trace.settled->value, ", ", TextOf(*expected[next]), " has not come");
  return absl::OkStatus();
}

}  // namespace drover::sim::check
