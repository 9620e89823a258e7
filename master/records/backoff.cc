#include "master/records/backoff.h"

#include <algorithm>

namespace drover::records {

static_assert(kRetryBackoffDefaultMs <= kRetryBackoffDoubledMaxMs);
static_assert(kRetryBackoffDoubledMaxMs <= kRetryBackoffMaxMs);
static_assert(kRetryJitterPercent < 100);

std::int64_t RetryDelayMs(const task::v1::Policy& policy, std::uint32_t failures, std::uint64_t random) {
  const std::int64_t first = policy.has_retry_backoff_ms() ? policy.retry_backoff_ms() : kRetryBackoffDefaultMs;
  if (first <= 0) return 0;
  std::int64_t delay = std::min(first, kRetryBackoffMaxMs);
  for (std::uint32_t i = 1; i < failures && delay < kRetryBackoffDoubledMaxMs; ++i) {
    delay = std::min(2 * delay, kRetryBackoffDoubledMaxMs);
  }
  const std::int64_t spread = delay * kRetryJitterPercent / 100;
  return delay - spread + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(2 * spread + 1));
}

}  // namespace drover::records
