// When a task may run and until when, by its policy. Pure; all times are milliseconds since 1970 by the cluster's time.
#ifndef DROVER_MASTER_RECORDS_TIME_BOUNDS_H_
#define DROVER_MASTER_RECORDS_TIME_BOUNDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "drover/task/v1/task.pb.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::records {

inline constexpr std::int64_t kDelayMaxMs = std::int64_t{366} * 24 * 3'600'000;
// Of a limit: ten years.
inline constexpr std::int64_t kLimitMaxMs = 10 * kDelayMaxMs;
// Of an instant: the end of the year 9999.
inline constexpr std::int64_t kInstantMaxMs = 253'402'300'799'999;

// When a task that is submitted now first may run.
[[nodiscard]] std::int64_t EligibleAt(const task::v1::Policy& policy, std::int64_t now_ms);

// Until when its delay lasts, at least; 0: it has none that is still to come. What a master thought of the time when it took the
// submission may be old; when the record was made, or made anew, the core has said. `created_ms`, `changed_ms`: times of the
// record's node.
[[nodiscard]] std::int64_t DelayedUntil(const worker::v1::TaskRecord& record, std::int64_t created_ms, std::int64_t changed_ms);

// Ends a task that is not running by then: FAILED, for this reason.
struct TimeBound {
  std::int64_t at_ms = 0;
  task::v1::Reason reason = task::v1::NONE;
  std::string sentence;
};
// The first of them for the next attempt of this task; nothing: there is none. Of one that waits for others only its deadline
// counts.
[[nodiscard]] std::optional<TimeBound> StartBound(const worker::v1::TaskRecord& record);

// When its total limit is over, whatever it does then; nothing: it has none.
[[nodiscard]] std::optional<TimeBound> TotalBound(const worker::v1::TaskRecord& record);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_TIME_BOUNDS_H_
