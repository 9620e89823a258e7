#include "tests/sim/check/session_life.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"

namespace drover::sim::check {
namespace {

// What is left of a promise when the clock that judges it is the fast one, or how long it lasts by the slow one.
base::Duration Scaled(base::Duration d, std::int64_t ppm) {
  return d + base::Duration(d.count() / 1'000'000 * ppm);
}

std::string Millis(base::Duration d) {
  return absl::StrCat(base::ToMillis(d), " ms");
}

template <typename... Words>
absl::Status Error(base::SessionId session, const Words&... words) {
  return absl::InternalError(absl::StrCat("session ", session.value, " ", words...));
}

const SessionSpan* Find(const std::vector<SessionSpan>& sessions, base::SessionId session) {
  const auto at = std::lower_bound(sessions.begin(), sessions.end(), session,
                                   [](const SessionSpan& s, base::SessionId id) { return s.session < id; });
  return at != sessions.end() && at->session == session ? &*at : nullptr;
}

}  // namespace

absl::Status CheckNotExpiredEarly(const SessionLife& life, const LifeBounds& bounds) {
  if (!life.ended) return absl::OkStatus();
  if (life.reason == EndReason::kClosed) {
    return life.close_was_sent ? absl::OkStatus() : Error(life.session, "was closed, but nobody asked for it");
  }
  if (life.acknowledged.empty()) return absl::OkStatus();
  const base::Instant last = life.acknowledged.back();
  if (*life.ended >= last + Scaled(life.timeout, -bounds.clock_error_ppm)) return absl::OkStatus();
  // A break is void once a contact that was sent after it is acknowledged.
  if (life.disconnect_grace > base::Duration::zero()) {
    for (const base::Instant broken : life.link_breaks) {
      if (broken >= last && *life.ended >= broken + Scaled(life.disconnect_grace, -bounds.clock_error_ppm)) return absl::OkStatus();
    }
  }
  return Error(life.session, "expired ", Millis(*life.ended - last),
               " after its client sent a contact that was acknowledged; its time-out is ", Millis(life.timeout), ", its grace ",
               Millis(life.disconnect_grace));
}

absl::Status CheckEndsInTime(const SessionLife& life, const LifeBounds& bounds, base::Instant quiet_since, base::Instant now) {
  if (!life.last_sign) return absl::OkStatus();
  const base::Instant silent = std::max(*life.last_sign, quiet_since);
  const base::Instant limit = silent + Scaled(life.timeout, bounds.clock_error_ppm) + bounds.end_within;
  const base::Instant until = life.ended.value_or(now);
  if (until <= limit) return absl::OkStatus();
  return Error(life.session, life.ended ? "ended only " : "is still there ", Millis(until - silent),
               " after anybody could have kept it; its time-out is ", Millis(life.timeout));
}

absl::Status CheckEphemerals(const EventLog& log, const std::vector<SessionSpan>& sessions) {
  std::map<base::SessionId, std::set<std::string>> owned;
  // Ends in order of zxid: what is left of a session is found at the first event behind its end.
  std::vector<std::pair<base::Zxid, base::SessionId>> ends;
  for (const SessionSpan& span : sessions) {
    if (span.ended) ends.emplace_back(*span.ended, span.session);
  }
  std::sort(ends.begin(), ends.end());
  std::size_t next_end = 0;
  auto left_of_ended = [&](base::Zxid before) {
    for (; next_end < ends.size() && ends[next_end].first < before; ++next_end) {
      const auto [ended, session] = ends[next_end];
      const auto left = owned.find(session);
      if (left != owned.end() && !left->second.empty())
        return Error(session, "ended at zxid ", ended.value, " and left its ephemeral ", *left->second.begin());
    }
    return absl::OkStatus();
  };
  for (const LoggedEvent& event : log) {
    if (absl::Status status = left_of_ended(event.position.zxid); !status.ok()) return status;
    if (event.ends_session.value != 0) {
      if (event.type != EventType::kDeleted || event.owner != event.ends_session)
        return Error(event.ends_session, "took along what was not its own: ", TextOf(event));
      const SessionSpan* span = Find(sessions, event.ends_session);
      if (span == nullptr || span->ended != event.position.zxid) return Error(event.ends_session, "did not end at ", TextOf(event));
    }
    if (event.owner.value == 0) continue;
    if (event.type == EventType::kCreated) {
      const SessionSpan* span = Find(sessions, event.owner);
      if (span == nullptr || event.position.zxid.value <= span->session.value ||
          (span->ended && event.position.zxid >= *span->ended))
        return Error(event.owner, "was not there to make ", TextOf(event));
      owned[event.owner].insert(event.path);
    } else if (event.type == EventType::kDeleted && owned[event.owner].erase(event.path) == 0) {
      return Error(event.owner, "did not own ", TextOf(event));
    }
  }
  return left_of_ended(base::Zxid(~std::uint64_t{0}));
}

}  // namespace drover::sim::check
