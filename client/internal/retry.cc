#include "client/internal/retry.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::client {

bool MayRetry(const absl::Status& status, Idempotency idempotency) {
  if (idempotency == Idempotency::kOnce) return false;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:  // of one try
    case absl::StatusCode::kCancelled:         // by a server that is stopping; our own cancellation is looked at before
    case absl::StatusCode::kAborted:
      return true;
    default:
      return false;
  }
}

std::chrono::milliseconds Backoff::Next() {
  const std::uint64_t ms = step_ms_ / 2 + random_->Below(step_ms_ / 2 + 1);
  step_ms_ = std::min(step_ms_ * 2, kLastMs);
  return std::chrono::milliseconds(ms);
}

namespace {

// gRPC's own words for a link that never was are long, and differ from try to try; what the system said stands at their end.
std::string Words(const absl::Status& status) {
  constexpr absl::string_view kSystem = "Failed to connect to remote host: ";
  const absl::string_view what = status.message();
  if (const auto at = what.rfind(kSystem); at != absl::string_view::npos) {
    return absl::StrCat("cannot connect: ", what.substr(at + kSystem.size()));
  }
  if (absl::StrContains(what, "failed to connect to all addresses")) return "cannot connect";
  return what.empty() ? absl::StatusCodeToString(status.code()) : std::string(what);
}

}  // namespace

void Trail::Add(absl::string_view who, const absl::Status& status) {
  auto known = std::find_if(tried_.begin(), tried_.end(), [who](const Tried& t) { return t.who == who; });
  if (known == tried_.end()) known = tried_.insert(tried_.end(), Tried{std::string(who), "", "", 0});
  ++known->times;
  if (absl::IsDeadlineExceeded(status)) {
    const bool bare = status.message().empty() || status.message() == "Deadline Exceeded";
    known->silence = bare ? "no answer in time" : std::string(status.message());
  } else {
    known->cause = Words(status);
    known->silence.clear();
  }
}

std::string Trail::Describe() const {
  return absl::StrJoin(tried_, ", ", [](std::string* out, const Tried& t) {
    const char* const then = t.cause.empty() || t.silence.empty() ? "" : ", then ";
    absl::StrAppend(out, t.who, " (", t.cause, then, t.silence, t.times > 1 ? absl::StrCat(", ", t.times, " times") : "", ")");
  });
}

}  // namespace drover::client
