// Schedules: what operators say of them, and what is submitted for them.
//
// A firing is one transaction: the record says that its time was seen to, under a guard of the record's mzxid, and the task is
// created. So each time is fired once, whoever leads; and a schedule that changed meanwhile is looked at again.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "master/records/schedule.h"
#include "master/records/task_id.h"
#include "master/state/planner.h"

namespace drover::master::state {
namespace {

// Of one turn.
constexpr std::size_t kDueMax = 64;

std::string KeyOf(const std::string& name) {
  return absl::StrCat("schedules/", name);  // no task has such an id
}

absl::Status NoSchedule(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("there is no schedule ", records::Clip(name, 160)));
}

}  // namespace

void Planner::SetSchedule(task::v1::ScheduleSpec spec, bool replace, absl::AnyInvocable<void(absl::Status)> done) {
  records::Normalise(&spec);
  const std::string name = spec.name();
  const auto decide = [this, name, replace, spec = std::move(spec)]() -> absl::StatusOr<coord::Transaction> {
    if (absl::Status status = records::CheckSchedule(spec); !status.ok()) return status;
    const ScheduleView* known = view_->FindSchedule(name);
    worker::v1::ScheduleRecord record;
    *record.mutable_spec() = spec;
    record.set_created_ms(hooks_.cluster_now_ms());
    record.set_done_ms(record.created_ms());
    if (known == nullptr) {
      if (view_->schedules().size() < records::kSchedulesMax) return lead_->transitions.SetSchedule(name, record, known);
      return absl::FailedPreconditionError(absl::StrCat("there are ", records::kSchedulesMax, " schedules: delete one first"));
    }
    // An earlier try did it, or somebody else the same. The record is written as it is.
    worker::v1::ScheduleRecord same = known->record;
    *same.mutable_spec() = spec;
    if (records::Encode(same) == records::Encode(known->record)) return lead_->transitions.SetSchedule(name, known->record, known);
    if (!replace) {
      return absl::AlreadyExistsError(absl::StrCat("there is another schedule ", name, ": replace it, or choose another name"));
    }
    record.set_last_ms(known->record.last_ms());
    record.set_last_task(known->record.last_task());
    record.set_fired(known->record.fired());
    record.set_paused(known->record.paused());
    return lead_->transitions.SetSchedule(name, record, known);
  };
  TryChange({StepKind::kSchedule, KeyOf(name), decide, std::move(done)});
}

void Planner::DeleteSchedule(const std::string& name, absl::AnyInvocable<void(absl::Status)> done) {
  const auto decide = [this, name]() -> absl::StatusOr<coord::Transaction> {
    const ScheduleView* known = view_->FindSchedule(name);
    if (known == nullptr) return NoSchedule(name);
    return lead_->transitions.DeleteSchedule(name, known->mzxid);
  };
  TryChange({StepKind::kSchedule, KeyOf(name), decide, std::move(done)});
}

void Planner::PauseSchedule(const std::string& name, bool paused, absl::AnyInvocable<void(absl::Status)> done) {
  const auto decide = [this, name, paused]() -> absl::StatusOr<coord::Transaction> {
    const ScheduleView* known = view_->FindSchedule(name);
    if (known == nullptr) return NoSchedule(name);
    worker::v1::ScheduleRecord record = known->record;
    // What passed while it was paused is not made up for.
    if (record.paused() && !paused) record.set_done_ms(std::max(record.done_ms(), hooks_.cluster_now_ms()));
    record.set_paused(paused);
    return lead_->transitions.SetSchedule(name, record, known);
  };
  TryChange({StepKind::kSchedule, KeyOf(name), decide, std::move(done)});
}

void Planner::RunSchedule(const std::string& name, std::uint64_t run,
                          absl::AnyInvocable<void(absl::StatusOr<std::string>, SubmitResult)> done) {
  const ScheduleView* known = planning() ? view_->FindSchedule(name) : nullptr;
  if (known == nullptr) {
    absl::Status why = planning() ? NoSchedule(name) : absl::UnavailableError(kNotLeading);
    loop_->Post([done = std::move(done), why = std::move(why)]() mutable { done(std::move(why), {}); });
    return;
  }
  std::string id = records::RunId(name, run);
  worker::v1::TaskRecord record = records::FiringOf(known->record.spec());
  record.set_submitted_at(loop_->WallNow().value);
  Submit(id, std::move(record), task::v1::USE_EXISTING,
         [id, done = std::move(done)](SubmitResult result) mutable { done(std::move(id), std::move(result)); });
}

std::string Planner::WhyHeldBack(const std::string& name) const {
  const ScheduleView* schedule = view_->FindSchedule(name);
  const std::int64_t next_ms = clock_.NextOf(name);
  if (schedule == nullptr || next_ms == 0 || next_ms > hooks_.cluster_passed_ms()) return "";
  return WhyFull(schedule->record.spec().policy().queue());
}

void Planner::TellSchedule(const std::string& name) {
  const ScheduleView* schedule = view_->FindSchedule(name);
  if (schedule == nullptr) {
    clock_.Remove(name);
  } else {
    clock_.Put(name, schedule->record);
  }
}

void Planner::PlanSchedules(Plan* plan) {
  schedule_.Cancel();
  const std::int64_t now_ms = hooks_.cluster_passed_ms();
  const std::vector<std::string> due = clock_.Due(now_ms, kDueMax);
  for (const std::string& name : due) {
    if (lead_->committer->outstanding() + plan->steps.size() >= options_.in_flight_max) return;  // an answer wakes us
    PlanSchedule(name, now_ms, plan);
  }
  if (due.size() == kDueMax) return;  // the tick, and each answer, go on
  if (const std::optional<std::int64_t> next = clock_.NextAfter(now_ms)) {
    // The cluster's time may run behind the loop's: not asked without end.
    const base::Duration pause = std::max<base::Duration>(std::chrono::milliseconds(*next - now_ms), options_.refused_pause);
    schedule_.Set(pause, [this] { WakeUp(); });
  }
}

void Planner::PlanSchedule(const std::string& name, std::int64_t now_ms, Plan* plan) {
  const ScheduleView& schedule = *view_->FindSchedule(name);
  if (in_flight(KeyOf(name))) return;
  const std::optional<task::v1::State> last = view_->StateOf(schedule.record.last_task());
  const bool last_open = last.has_value() && !records::IsTerminal(*last);
  const records::ScheduleStep step = records::NextStep(schedule.record, *clock_.Find(name), now_ms, last_open);
  if (step.kind == records::ScheduleStep::Kind::kNothing) return;
  worker::v1::ScheduleRecord next = schedule.record;
  records::Take(step, &next);
  const std::string id = next.last_task();
  if (step.kind == records::ScheduleStep::Kind::kPass) {
    return AddStep(plan, StepKind::kSchedule, KeyOf(name), "", lead_->transitions.SetSchedule(name, next, &schedule));
  }
  worker::v1::TaskRecord record = records::FiringOf(next.spec());
  // A queue that is full takes it later.
  if (!WhyFull(record.policy().queue()).empty()) return;
  if (in_flight(id)) return;
  if (const TaskView* known = view_->Find(id)) {
    const auto there = known->Decode();
    if (!there.ok() || there->spec_digest() != record.spec_digest()) {
      next = schedule.record;
      records::Take({records::ScheduleStep::Kind::kPass, step.at_ms, absl::StrCat("left out: another task has the id ", id)},
                    &next);
    }
    return AddStep(plan, StepKind::kSchedule, KeyOf(name), "", lead_->transitions.SetSchedule(name, next, &schedule));
  }
  record.set_submitted_at(loop_->WallNow().value);
  if (!SetStart(&record, false).ok()) return;  // it has no deadline
  AddStep(plan, StepKind::kFire, KeyOf(name), "", lead_->transitions.Fire(name, next, schedule, id, record));
}

}  // namespace drover::master::state
