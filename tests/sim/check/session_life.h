// Sessions live as long as they were promised to, end soon after nobody keeps them, and take their ephemerals along.
//
// All times are the world's true time. The processes' clocks may run at other rates: the bounds allow for that.
#ifndef DROVER_TESTS_SIM_CHECK_SESSION_LIFE_H_
#define DROVER_TESTS_SIM_CHECK_SESSION_LIFE_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "tests/sim/check/event_log.h"

namespace drover::sim::check {

enum class EndReason { kClosed, kExpired };

struct SessionLife {
  base::SessionId session;
  base::Duration timeout{};
  base::Duration disconnect_grace{};  // 0: not asked for

  // When the client sent what was acknowledged later, ascending: the Open that was granted, and contacts. Of what was never
  // acknowledged nothing was promised.
  std::vector<base::Instant> acknowledged;
  // Sent at all, the last one: from then on the session is nobody's. Absent: its client is still there.
  std::optional<base::Instant> last_sign;
  // When a live node saw FIN or RST on the newest stream of the session, and did not end it itself.
  std::vector<base::Instant> link_breaks;

  // The end took effect: first applied anywhere.
  std::optional<base::Instant> ended;
  EndReason reason = EndReason::kExpired;
  bool close_was_sent = false;
};

struct LifeBounds {
  std::int64_t clock_error_ppm = 0;  // between the fastest and the slowest clock of the run
  base::Duration end_within{};       // after the time-out of a session that nobody keeps
};

// INTERNAL: ended by a close that nobody sent; or expired
// - before the time-out after a contact that was acknowledged, and
// - before the grace after a link break that no acknowledged contact followed.
[[nodiscard]] absl::Status CheckNotExpiredEarly(const SessionLife& life, const LifeBounds& bounds);

// INTERNAL: a session that nobody keeps was there at `now`, `end_within` after its time-out was over. A new leader, a restart and
// the healing of the network begin its silence anew: `quiet_since` is the last of these.
[[nodiscard]] absl::Status CheckEndsInTime(const SessionLife& life, const LifeBounds& bounds, base::Instant quiet_since,
                                           base::Instant now);

// When a session began and ended in the order of zxids.
struct SessionSpan {
  base::SessionId session;  // and the zxid of its opening
  std::optional<base::Zxid> ended;
};

// `log` passes CheckEventLog; `sessions` ascend. INTERNAL: an ephemeral
// - was made by a session that was not there
// - outlived its session, or went with the end of another one
// - of an ended session is left at the end of the log
// or an end deleted what was no ephemeral. Deletions by a client are its own affair.
[[nodiscard]] absl::Status CheckEphemerals(const EventLog& log, const std::vector<SessionSpan>& sessions);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_SESSION_LIFE_H_
