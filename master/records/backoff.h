// How long a task waits before it is run again after its program has failed. Pure: the randomness is an argument.
#ifndef DROVER_MASTER_RECORDS_BACKOFF_H_
#define DROVER_MASTER_RECORDS_BACKOFF_H_

#include <cstdint>

#include "drover/task/v1/task.pb.h"

namespace drover::records {

inline constexpr std::int64_t kRetryBackoffDefaultMs = 1'000;
// What a policy may ask for.
inline constexpr std::int64_t kRetryBackoffMaxMs = 24 * 3'600'000;
// Doubling ends here, unless the first delay is longer already.
inline constexpr std::int64_t kRetryBackoffDoubledMaxMs = 60'000;
inline constexpr std::int64_t kRetryJitterPercent = 20;

// Milliseconds before the next attempt. `failures`: how often the program has failed, this time included (from 1). `random`: 64
// random bits, so that tasks that failed together do not come back together. 0: at once.
[[nodiscard]] std::int64_t RetryDelayMs(const task::v1::Policy& policy, std::uint32_t failures, std::uint64_t random);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_BACKOFF_H_
