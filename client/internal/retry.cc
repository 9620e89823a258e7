#include "client/internal/retry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/failure_words.h"

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

std::string Words(const absl::Status& status) {
  const std::string words = base::FailureWords(status.message());
  return words.empty() ? absl::StatusCodeToString(status.code()) : words;
}

}  // namespace

void Trail::Add(absl::string_view who, const absl::Status& status) {
  auto known = std::find_if(tried_.begin(), tried_.end(), [who](const Tried& t) { return t.who == who; });
  if (known == tried_.end()) known = tried_.insert(tried_.end(), Tried{std::string(who), "", "", 0});
  ++known->times;
  if (absl::IsDeadlineExceeded(status)) {
    known->silence = status.message().empty() ? "no answer in time" : base::FailureWords(status.message());
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
