// What a turn decides.
#include <algorithm>
#include <utility>

#include "master/records/task_id.h"
#include "master/records/time_bounds.h"
#include "master/state/planner.h"

namespace drover::master::state {
namespace {

// Of one cancellation: each try is a race lost to a transition of its task.
constexpr int kCancelTriesMax = 20;

}  // namespace

std::optional<Target> Planner::TargetOf(const std::string& worker) const {
  const WorkerView* view = view_->FindWorker(worker);
  if (view == nullptr) return std::nullopt;
  return Target{worker, view->incarnation, view->info.process_id()};
}

void Planner::PlanAssignments(Plan* plan) {
  const std::set<View::AssignmentKey> due = std::exchange(assignments_due_, {});
  for (const View::AssignmentKey& key : due) {
    const AssignmentView* assignment = view_->FindAssignment(key.first, key.second);
    if (assignment != nullptr) PlanAssignment(*assignment, plan);
  }
}

void Planner::PlanAssignment(const AssignmentView& assignment, Plan* plan) {
  if (in_flight(assignment.task)) return;  // looked at again when that is answered
  const WorkerView* worker = view_->FindWorker(assignment.worker);
  const bool stands =
      worker != nullptr && !assignment.data.process_id().empty() && worker->info.process_id() == assignment.data.process_id();
  const Transitions& transitions = lead_->transitions;
  const TaskView* task = view_->Find(assignment.task);
  if (task == nullptr) {
    // Its worker, if there is one, could neither run nor end it. An event that is still to come makes this a lost race.
    AddStep(plan, StepKind::kRepair, assignment.task, assignment.task, transitions.DeleteStray(assignment));
    return;
  }
  if (stands && assignment.data.lost_since() == 0) return;
  auto record = task->Decode();
  if (!record.ok() || record->worker() != assignment.worker) return;

  const bool died = view_->died().count(assignment.data.process_id()) > 0;
  TakeBackDecision decision = DecideTakeBack({.worker_stands = stands,
                                              .died = died,
                                              .record = &*record,
                                              .assignment = &assignment.data,
                                              .fence = assignment.czxid.value,
                                              .worker = assignment.worker,
                                              .now_ms = hooks_.cluster_now_ms(),
                                              .passed_ms = hooks_.cluster_passed_ms(),
                                              .wall_ms = loop_->WallNow().value,
                                              .lost_after_ms = base::ToMillis(options_.lost_after)});
  Subject subject{task->id, task->mzxid, *std::move(record)};
  switch (decision.kind) {
    case TakeBackDecision::Kind::kLeave:
    case TakeBackDecision::Kind::kWait:  // the tick looks at every noted absence
      return;
    case TakeBackDecision::Kind::kNoteLost:
      AddStep(plan, StepKind::kNoteLost, assignment.task, assignment.task, transitions.NoteLost(assignment, decision.since_ms));
      return;
    case TakeBackDecision::Kind::kReady:
      AddStep(plan, StepKind::kTakeBack, assignment.task, assignment.task,
              transitions.TakeBack(std::move(subject), assignment, worker, decision.count_loss, decision.sentence,
                                   loop_->WallNow().value));
      return;
    case TakeBackDecision::Kind::kEnd:
      AddStep(
          plan, StepKind::kGiveUp, assignment.task, assignment.task,
          transitions.GiveUp(std::move(subject), assignment, worker, decision.count_loss, decision.end, decision.relies_on_died));
      return;
  }
}

void Planner::PlanOrphans(Plan* plan) {
  for (auto it = orphans_due_.begin(); it != orphans_due_.end();) {
    const TaskView* task = view_->Find(*it);
    const bool held = task != nullptr && (task->state == task::v1::ASSIGNED || task->state == task::v1::RUNNING);
    if (!held) {
      it = orphans_due_.erase(it);
      continue;
    }
    // The assignment may be in an event that is still to come.
    if (in_flight(task->id) || view_->zxid() < task->mzxid) {
      ++it;
      continue;
    }
    auto record = task->Decode();
    if (record.ok()) {
      AddStep(plan, StepKind::kRepair, task->id, task->id,
              lead_->transitions.Orphaned({task->id, task->mzxid, *std::move(record)}, loop_->WallNow().value));
    }
    it = orphans_due_.erase(it);
  }
}

void Planner::PlanDue(const absl::btree_set<std::pair<std::int64_t, TaskRef>>& by_time, base::Timer* timer, Plan* plan,
                      absl::FunctionRef<void(const TaskView&, worker::v1::TaskRecord)> plan_one) {
  timer->Cancel();
  const std::int64_t now_ms = hooks_.cluster_passed_ms();
  std::size_t room = options_.turn_placements;
  for (const auto& [at_ms, ref] : by_time) {
    if (at_ms > now_ms) {
      // The cluster's time may run behind the loop's: not asked without end.
      const base::Duration pause = std::max<base::Duration>(std::chrono::milliseconds(at_ms - now_ms), options_.refused_pause);
      timer->Set(pause, [this] { WakeUp(); });
      return;
    }
    if (lead_->committer->outstanding() + plan->steps.size() >= options_.in_flight_max) return;  // an answer wakes us
    const TaskView* task = view_->At(ref);
    if (in_flight(task->id)) continue;  // looked at again when that is answered
    if (room-- == 0) return WakeUp();
    auto record = task->Decode();
    if (record.ok()) plan_one(*task, *std::move(record));
  }
}

void Planner::PlanOverdue(Plan* plan) {
  PlanDue(view_->overdue(), &overdue_, plan, [this, plan](const TaskView& task, worker::v1::TaskRecord record) {
    if (task.array && task.state == task::v1::RUNNING) {
      const records::AttemptEnd as{.state = task::v1::FAILED,
                                   .reason = task::v1::DEADLINE,
                                   .sentence = "its deadline was over before all its elements were handed out"};
      return AddStep(plan, StepKind::kOverdue, task.id, task.id,
                     lead_->transitions.Close({task.id, task.mzxid, std::move(record)}, as));
    }
    const std::optional<records::TimeBound> bound = records::StartBound(record);
    if (!bound.has_value()) return;
    AddStep(plan, StepKind::kOverdue, task.id, task.id,
            lead_->transitions.Overdue({task.id, task.mzxid, std::move(record)}, *bound, loop_->WallNow().value));
    scheduler_->Forget(task.ref);  // it must not be placed in the same turn
  });
}

void Planner::PlanReleases(Plan* plan) {
  PlanDue(view_->waiting(), &release_, plan, [this, plan](const TaskView& task, worker::v1::TaskRecord record) {
    AddStep(plan, StepKind::kRelease, task.id, task.id, lead_->transitions.Release({task.id, task.mzxid, std::move(record)}));
  });
}

void Planner::PlanPlacements(Plan* plan) {
  const std::size_t in_flight = lead_->committer->outstanding() + plan->steps.size();
  if (in_flight >= options_.in_flight_max) return;  // an answer wakes us
  const std::size_t limit = std::min(options_.turn_placements, options_.in_flight_max - in_flight);
  scheduler::Plan placed = Current().Schedule(limit);
  place_.Cancel();
  if (placed.again_at_ms.has_value()) {
    const base::Instant at{std::chrono::milliseconds(*placed.again_at_ms)};
    place_.Set(at - loop_->Now(), [this] { WakeUp(); });
  }
  const std::int64_t now_ms = loop_->WallNow().value;
  for (const TaskRef ref : placed.quarantined) {
    const TaskView* task = view_->At(ref);
    auto record = task->Decode();
    if (!record.ok()) continue;
    AddStep(plan, StepKind::kQuarantine, task->id, task->id,
            lead_->transitions.Quarantine({task->id, task->mzxid, *std::move(record)}, now_ms));
  }
  for (const scheduler::Placement& placement : placed.placements) {
    const TaskView* task = view_->At(placement.task);
    auto record = task->Decode();
    const std::optional<Target> target = TargetOf(placement.worker);
    if (!record.ok() || !target.has_value()) {
      scheduler_->Forget(placement.task);
      continue;
    }
    AddStep(plan, StepKind::kAssign, task->id, task->id,
            lead_->transitions.Assign({task->id, task->mzxid, *std::move(record)}, *target, now_ms));
  }
  if (placed.more) WakeUp();
}

void Planner::PlanDied(Plan* plan) {
  for (const std::string& process_id : std::exchange(died_due_, {})) {
    const auto notice = view_->died().find(process_id);
    if (notice == view_->died().end()) continue;
    const std::string key = "died/" + process_id;
    if (in_flight(key)) continue;
    // It goes with the last take-back: as long as an assignment of that process or its registration stands, it is needed.
    const bool registered = std::any_of(view_->workers().begin(), view_->workers().end(),
                                        [&](const auto& w) { return w.second.info.process_id() == process_id; });
    const bool assigned = std::any_of(view_->assignments().begin(), view_->assignments().end(),
                                      [&](const auto& a) { return a.second.data.process_id() == process_id; });
    if (registered || assigned) continue;
    AddStep(plan, StepKind::kDeleteDied, key, "", lead_->transitions.DeleteDied(process_id, notice->second));
  }
}

void Planner::PlanRetirement(Plan* plan) {
  static constexpr char kHorizonKey[] = "/horizon";
  const auto& finished = view_->finished();
  if (finished.size() <= options_.finished_kept || in_flight(kHorizonKey)) return;
  const std::int64_t now_ms = hooks_.cluster_passed_ms();
  const std::int64_t age_ms = base::ToMillis(options_.retire_age);
  std::size_t surplus = std::min(finished.size() - options_.finished_kept, options_.retire_batch);
  std::vector<const TaskView*> due;
  std::uint64_t horizon = view_->horizon();
  for (auto it = finished.begin(); surplus > 0; ++it, --surplus) {
    const TaskView* task = view_->At(it->second);
    if (task->changed_at_ms + age_ms > now_ms) break;
    if (in_flight(task->id) || view_->DependentsOf(task->id) != nullptr || awaited_.contains(task->id)) continue;
    // An element counts before it goes, and an array goes after its elements.
    if (const auto element = records::ParseElement(task->id)) {
      const ArrayView* array = view_->FindArray(element->array);
      if (array != nullptr && array->IsUnfolded(element->index)) continue;
    }
    if (const ArrayView* array = view_->FindArray(task->id); array != nullptr && array->records() > 0) continue;
    if (const auto ticket = records::TicketOf(task->id)) horizon = std::max(horizon, *ticket + 1);
    due.push_back(task);
  }
  if (due.empty()) return;
  if (horizon > view_->horizon()) {
    // First: once a record is gone, nothing else tells a late retry of its submission.
    AddStep(plan, StepKind::kHorizon, kHorizonKey, "", lead_->transitions.RaiseHorizon(horizon, view_->horizon_mzxid()));
    return;
  }
  for (const TaskView* task : due) {
    auto record = task->Decode();
    const ArrayView* array = view_->FindArray(task->id);
    AddStep(
        plan, StepKind::kRetire, task->id, task->id,
        array == nullptr ? lead_->transitions.Retire(task->id, task->mzxid)
                         : lead_->transitions.RetireArray(task->id, task->mzxid, *array),
        [this, id = task->id, record = record.ok() ? *std::move(record) : worker::v1::TaskRecord()](const CommitResult& result) {
          if (result.outcome == CommitOutcome::kDone && hooks_.retired) hooks_.retired(id, record);
        });
  }
}

void Planner::AnswerCancellation(const std::string& id, CancelResult result) {
  const auto found = cancellations_.find(id);
  if (found == cancellations_.end()) return;
  for (auto& done : found->second.done) {
    loop_->Post([done = std::move(done), result]() mutable { done(result); });
  }
  cancellations_.erase(found);
}

void Planner::PlanCancellations(Plan* plan) {
  std::vector<std::string> ids;
  for (const auto& [id, cancellation] : cancellations_) {
    if (!in_flight(id)) ids.push_back(id);
  }
  for (const std::string& id : ids) PlanCancellation(id, plan);
}

void Planner::PlanCancellation(const std::string& id, Plan* plan) {
  using Kind = CancelResult::Kind;
  Cancellation& cancellation = cancellations_.at(id);
  const TaskView* task = view_->Find(id);
  const std::optional<records::Element> element = records::ParseElement(id);
  if (element.has_value() && (task == nullptr || records::IsTerminal(task->state))) return CancelFree(id, *element, plan);
  if (task == nullptr) return AnswerCancellation(id, {Kind::kNotFound, "no such task"});
  if (records::IsTerminal(task->state)) return AnswerCancellation(id, {Kind::kAlreadyTerminal, ""});
  auto record = task->Decode();
  if (!record.ok()) return AnswerCancellation(id, {Kind::kUnavailable, "its record is damaged"});
  if (++cancellation.tries > kCancelTriesMax) {
    return AnswerCancellation(id, {Kind::kUnavailable, "the task kept changing; try again"});
  }
  const auto then = [this, id](const CommitResult& result) {
    if (result.outcome == CommitOutcome::kDone) AnswerCancellation(id, {Kind::kDone, ""});
  };
  if (task->array && task->state == task::v1::RUNNING) {
    if (record->closing() == task::v1::CANCELLED) return AnswerCancellation(id, {Kind::kDone, ""});
    const records::AttemptEnd as{
        .state = task::v1::CANCELLED, .reason = task::v1::CANCELLED_BY_USER, .sentence = cancellation.reason};
    return AddStep(plan, StepKind::kCancel, id, id, lead_->transitions.Close({id, task->mzxid, *std::move(record)}, as), then);
  }
  if (task->state == task::v1::WAITING || task->state == task::v1::READY) {
    AddStep(plan, StepKind::kCancel, id, id,
            lead_->transitions.CancelWaiting({id, task->mzxid, *std::move(record)}, cancellation.reason, loop_->WallNow().value),
            then);
    scheduler_->Forget(task->ref);  // it must not be placed in the same turn
    return;
  }
  const AssignmentView* assignment = view_->FindAssignment(record->worker(), id);
  if (assignment == nullptr) return;  // between the events of one transaction
  if (assignment->data.cancel()) return AnswerCancellation(id, {Kind::kDone, ""});
  AddStep(plan, StepKind::kCancel, id, id, lead_->transitions.CancelAssigned(*assignment, cancellation.reason), then);
}

}  // namespace drover::master::state
