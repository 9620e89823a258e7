// Schedules: what they submit, and when. Pure; any thread. All times are the cluster's, in milliseconds since 1970.
#ifndef DROVER_MASTER_RECORDS_SCHEDULE_H_
#define DROVER_MASTER_RECORDS_SCHEDULE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"
#include "drover/worker/v1/record.pb.h"
#include "master/records/timetable.h"

namespace drover::records {

// What an empty field stands for is written out.
void Normalise(task::v1::ScheduleSpec* spec);
// INVALID_ARGUMENT, FAILED_PRECONDITION (no such time zone here) or RESOURCE_EXHAUSTED. The spec is normalised.
[[nodiscard]] absl::Status CheckSchedule(const task::v1::ScheduleSpec& spec);

[[nodiscard]] absl::StatusOr<Timetable> TimetableOf(const task::v1::ScheduleSpec& spec, std::int64_t created_ms);

// The task of one firing, READY; and its id: "nightly.20260131T120000Z".
[[nodiscard]] worker::v1::TaskRecord FiringOf(const task::v1::ScheduleSpec& spec);
[[nodiscard]] std::string FiringId(absl::string_view schedule, std::int64_t at_ms);
// Of one that was asked for: "nightly.run-<16 hex digits>".
[[nodiscard]] std::string RunId(absl::string_view schedule, std::uint64_t run);

// A time counts as missed, where it matters, from so long after it on.
inline constexpr std::int64_t kMissedAfterMs = 60'000;

struct ScheduleStep {
  enum class Kind {
    kNothing,  // nothing is due
    kFire,     // submits the task of `at_ms`
    kPass,     // leaves out everything up to `at_ms`, and notes why
  };
  Kind kind = Kind::kNothing;
  std::int64_t at_ms = 0;
  std::string note;
};
// What comes next, `last_task_open` saying whether the task of the time before has not ended. After a step there may be another.
[[nodiscard]] ScheduleStep NextStep(const worker::v1::ScheduleRecord& schedule, const Timetable& table, std::int64_t now_ms,
                                    bool last_task_open);
// The record once the step was taken.
void Take(const ScheduleStep& step, worker::v1::ScheduleRecord* schedule);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_SCHEDULE_H_
