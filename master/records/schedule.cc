#include "master/records/schedule.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "coord/base/status.h"
#include "master/records/record_limits.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"
#include "master/records/time_bounds.h"

namespace drover::records {

using task::v1::ScheduleSpec;

void Normalise(ScheduleSpec* spec) {
  if (spec->policy().name().empty()) spec->mutable_policy()->set_name(spec->name());
  if (spec->time_zone().empty() && !spec->cron().empty()) spec->set_time_zone("UTC");
  if (!spec->program().handler().empty()) RequireHandler(spec->program().handler(), spec->mutable_policy());
  Normalise(spec->mutable_policy());
}

absl::Status CheckSchedule(const ScheduleSpec& spec) {
  if (!IsName(spec.name())) return absl::InvalidArgumentError(absl::StrCat("bad schedule: ", kNameRule));
  if (spec.cron().empty() == (spec.every_ms() == 0)) {
    return absl::InvalidArgumentError("a schedule has either a cron expression or an interval");
  }
  if (spec.every_ms() != 0 && (spec.every_ms() < kEveryMinMs || spec.every_ms() > kDelayMaxMs)) {
    return absl::InvalidArgumentError(
        absl::StrCat("an interval of ", absl::FormatDuration(absl::Milliseconds(spec.every_ms())), " is not in 1s..366 days"));
  }
  if (spec.every_ms() != 0 && !spec.time_zone().empty()) {
    return absl::InvalidArgumentError("a time zone says nothing of an interval");
  }
  if (!ScheduleSpec::Missed_IsValid(spec.missed())) return absl::InvalidArgumentError("missed is ONE, SKIP or ALL");
  DROVER_ASSIGN_OR_RETURN(const Timetable table, TimetableOf(spec, 0));
  if (!table.Next(0).has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", spec.cron(), "\" never comes"));
  }
  const task::v1::Policy& policy = spec.policy();
  DROVER_RETURN_IF_ERROR(CheckPolicy(policy));
  if (policy.start_at_ms() != 0 || policy.deadline_ms() != 0) {
    return absl::InvalidArgumentError(
        "the tasks of a schedule have no start or deadline of their own: give a delay, or a time within which "
        "they are to start");
  }
  if (!policy.dependencies().empty()) return absl::InvalidArgumentError("the tasks of a schedule depend on no others");
  DROVER_RETURN_IF_ERROR(CheckProgram(spec.program()));
  if (spec.program().has_stdin_object()) {
    return absl::InvalidArgumentError("the tasks of a schedule have no uploaded input: let them read it where it is");
  }
  const std::size_t program = EncodeProgram(spec.program()).size();
  if (program <= InlineProgramBytesMax(policy)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the command of a schedule, with its environment and input, takes ", program,
                                                   " bytes, at most ", InlineProgramBytesMax(policy), ": let it read a file"));
}

absl::StatusOr<Timetable> TimetableOf(const ScheduleSpec& spec, std::int64_t created_ms) {
  if (spec.every_ms() != 0) return Timetable::Every(spec.every_ms(), created_ms);
  return Timetable::Cron(spec.cron(), spec.time_zone() == "UTC" ? "" : spec.time_zone());
}

worker::v1::TaskRecord FiringOf(const ScheduleSpec& spec) {
  worker::v1::TaskRecord record;
  *record.mutable_policy() = spec.policy();
  record.set_program(EncodeProgram(spec.program()));
  record.set_spec_digest(SpecDigest(record.policy(), absl::string_view(record.program())));
  record.set_state(task::v1::READY);
  return record;
}

std::string FiringId(absl::string_view schedule, std::int64_t at_ms) {
  return absl::StrCat(schedule, ".", absl::FormatTime("%Y%m%dT%H%M%SZ", absl::FromUnixMillis(at_ms), absl::UTCTimeZone()));
}

std::string RunId(absl::string_view schedule, std::uint64_t run) {
  return absl::StrFormat("%s.run-%016x", schedule, run);
}

ScheduleStep NextStep(const worker::v1::ScheduleRecord& schedule, const Timetable& table, std::int64_t now_ms,
                      bool last_task_open) {
  using Kind = ScheduleStep::Kind;
  const std::optional<std::int64_t> last = table.Last(now_ms);
  if (!last.has_value() || *last <= schedule.done_ms()) return {};
  std::int64_t at = *last;
  switch (schedule.spec().missed()) {
    case ScheduleSpec::SKIP:
      if (now_ms - at > kMissedAfterMs) return {Kind::kPass, at, "missed: nobody could submit it in its time"};
      break;
    case ScheduleSpec::ALL:
      for (std::size_t i = 1; i < kMissedMax; ++i) {
        const std::optional<std::int64_t> before = table.Last(at - 1);
        if (!before.has_value() || *before <= schedule.done_ms()) break;
        at = *before;
      }
      break;
    default:
      break;
  }
  if (schedule.spec().no_overlap() && last_task_open) {
    return {Kind::kPass, at, absl::StrCat("left out: task ", schedule.last_task(), " had not ended")};
  }
  return {Kind::kFire, at, ""};
}

void Take(const ScheduleStep& step, worker::v1::ScheduleRecord* schedule) {
  schedule->set_done_ms(step.at_ms);
  schedule->set_last_ms(step.at_ms);
  schedule->set_note(step.note);
  if (step.kind != ScheduleStep::Kind::kFire) return;
  schedule->set_last_task(FiringId(schedule->spec().name(), step.at_ms));
  schedule->set_fired(schedule->fired() + 1);
}

}  // namespace drover::records
