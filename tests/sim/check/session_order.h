// Requests of a session take effect in the order sent, and a session never sees an older state than it saw before.
//
// Judged by zxids: of an effective write its own, of a read or a refused write that of the state that answered. Pure.
#ifndef DROVER_TESTS_SIM_CHECK_SESSION_ORDER_H_
#define DROVER_TESTS_SIM_CHECK_SESSION_ORDER_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "tests/sim/check/operation.h"

namespace drover::sim::check {

// An answered request; those that were never answered are left out.
struct SessionRequest {
  bool is_write = false;
  bool took_effect = false;  // a write that was answered OK
  // A write keeps its place when it is sent again, unless it was turned back without effect (WINDOW_FULL): then the last counts as
  // the first. A read takes a new place.
  Stamp first_sent = 0;
  Stamp last_sent = 0;
  Stamp received = 0;
  base::Zxid zxid;
};

// Something else that told the client of a zxid: an event, a bookmark, the grant of a resumed stream.
struct Sighting {
  Stamp received = 0;
  base::Zxid zxid;
};

struct SessionTrace {
  base::SessionId session;
  std::vector<SessionRequest> requests;
  std::vector<Sighting> sightings;
};

// INTERNAL names the session, the request and what it contradicts:
// - a request answers with no older state than the writes sent before it (as first sent), and than the reads sent before it (as
// last
//   sent); an effective write with a newer zxid than all of them
// - the same for whatever the client had received when it sent the request
// - a read's answer is not older than anything received before that answer (a write's may be: it was kept for the retry)
[[nodiscard]] absl::Status CheckSessionOrder(const SessionTrace& trace);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_SESSION_ORDER_H_
