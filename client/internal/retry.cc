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

void Trail::Add(absl::string_view who, const absl::Status& status) {
  std::string what(status.message());
  // gRPC's own words for a link that never was are long, and differ from try to try.
  if (absl::StrContains(what, "Connection refused") || absl::StrContains(what, "failed to connect to all addresses")) {
    what = "cannot connect";
  } else if (absl::IsDeadlineExceeded(status)) {
    what = "no answer in time";
  } else if (what.empty()) {
    what = absl::StatusCodeToString(status.code());
  }
  auto known = std::find_if(tried_.begin(), tried_.end(), [who](const Tried& t) { return t.who == who; });
  if (known == tried_.end()) known = tried_.insert(tried_.end(), Tried{std::string(who), "", 0});
  known->what = std::move(what);
  ++known->times;
}

std::string Trail::Describe() const {
  return absl::StrJoin(tried_, ", ", [](std::string* out, const Tried& t) {
    absl::StrAppend(out, t.who, " (", t.what, t.times > 1 ? absl::StrCat(", ", t.times, " times") : "", ")");
  });
}

}  // namespace drover::client
