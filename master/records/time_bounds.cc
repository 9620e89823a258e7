#include "master/records/time_bounds.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace drover::records {
namespace {

std::string TimeText(std::int64_t ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}
std::string DurationText(std::int64_t ms) {
  return absl::FormatDuration(absl::Milliseconds(ms));
}

// Of older ones than those that are kept some has started.
bool HasStarted(const worker::v1::TaskRecord& record) {
  const auto started = [](const task::v1::Attempt& attempt) { return attempt.started_at() != 0; };
  return record.attempts_total() > static_cast<std::uint32_t>(record.attempts_size()) ||
         std::any_of(record.attempts().begin(), record.attempts().end(), started);
}

void KeepFirst(std::optional<TimeBound>* first, TimeBound bound) {
  if (!first->has_value() || bound.at_ms < (*first)->at_ms) *first = std::move(bound);
}

}  // namespace

std::int64_t EligibleAt(const task::v1::Policy& policy, std::int64_t now_ms) {
  return std::max(now_ms + policy.delay_ms(), policy.start_at_ms());
}

std::optional<TimeBound> TotalBound(const worker::v1::TaskRecord& record) {
  const std::int64_t limit = record.policy().total_limit_ms();
  if (limit == 0 || record.awaits()) return std::nullopt;
  return TimeBound{record.eligible_at() + limit, task::v1::TIME_LIMIT,
                   absl::StrCat("over its total limit of ", DurationText(limit))};
}

std::int64_t DelayedUntil(const worker::v1::TaskRecord& record, std::int64_t created_ms, std::int64_t changed_ms) {
  const std::int64_t delay_ms = record.policy().delay_ms();
  if (record.state() != task::v1::WAITING || delay_ms == 0) return 0;
  if (record.reruns() == 0) return created_ms + delay_ms;
  // In a later life the record says it as long as nothing has happened in that.
  const bool untouched = record.failures() + record.losses() == 0 && record.policy().dependencies().empty();
  return untouched ? changed_ms + delay_ms : 0;
}

std::optional<TimeBound> StartBound(const worker::v1::TaskRecord& record) {
  const task::v1::Policy& policy = record.policy();
  std::optional<TimeBound> first = TotalBound(record);
  if (policy.start_within_ms() != 0 && !record.awaits() && !HasStarted(record)) {
    KeepFirst(&first, {record.eligible_at() + policy.start_within_ms(), task::v1::DEADLINE,
                       absl::StrCat("not started within ", DurationText(policy.start_within_ms()))});
  }
  if (policy.deadline_ms() != 0) {
    KeepFirst(&first, {policy.deadline_ms(), task::v1::DEADLINE,
                       absl::StrCat("not started by its deadline, ", TimeText(policy.deadline_ms()))});
  }
  return first;
}

}  // namespace drover::records
