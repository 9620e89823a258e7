// What a state machine tells of its transactions, as the log that watches and sessions are judged by. Its users link coord/client,
// which reads events as clients do.
#ifndef DROVER_TESTS_SIM_CHECK_EVENT_RECORD_H_
#define DROVER_TESTS_SIM_CHECK_EVENT_RECORD_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "coord/client/codec.h"
#include "coord/tree/event.h"
#include "tests/sim/check/event_log.h"

namespace drover::sim::check {

// Appends the events of one transaction. INTERNAL: one that no client can read.
[[nodiscard]] inline absl::Status AppendEvents(absl::Span<const coord::tree::Event> events, EventLog* log) {
  for (const coord::tree::Event& event : events) {
    coord::client::EventView view;
    if (!coord::client::EventView::Parse(event.encoded(true), &view)) {
      return absl::InternalError("an event that no client can read");
    }
    LoggedEvent logged;
    logged.position = event.position();
    logged.type = event.type();
    logged.path = std::string(event.path());
    if (event.type() != EventType::kDeleted) logged.data = view.event.data;
    logged.owner = view.event.stat.ephemeral_owner;
    log->push_back(std::move(logged));
  }
  return absl::OkStatus();
}

// The session ended in the transaction whose events were appended last, if `zxid` is theirs.
inline void MarkEndOfSession(base::SessionId session, base::Zxid zxid, EventLog* log) {
  for (auto at = log->rbegin(); at != log->rend() && at->position.zxid == zxid; ++at) at->ends_session = session;
}

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_EVENT_RECORD_H_
