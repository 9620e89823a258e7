// Tasks that wait for other tasks.
//
// A task may only wait for what was submitted before it, so nothing waits for itself in the end. What has to be looked at is marked
// by the task that ended; however many wait for it, a turn looks at so many.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/dependency.h"
#include "master/records/time_bounds.h"
#include "master/state/planner.h"

namespace drover::master::state {

using records::DependencyVerdict;
using task::v1::Dependency;

void Planner::MarkDependents(const std::string& id) {
  if (lead_.has_value() && view_->DependentsOf(id) != nullptr) dependents_due_[id] = TaskRef(0);
}

void Planner::PlanDependents(Plan* plan) {
  std::size_t room = options_.turn_placements;
  // False: no more in this turn. An answer wakes us, or the next turn goes on.
  const auto take_room = [&] {
    if (lead_->committer->outstanding() + plan->steps.size() >= options_.in_flight_max) return false;
    if (room == 0) WakeUp();
    return room != 0 && room-- != 0;
  };
  while (!awaiting_due_.empty()) {
    if (!take_room()) return;
    const auto id = awaiting_due_.extract(awaiting_due_.begin());
    if (const TaskView* task = view_->Find(id.value())) PlanDependent(*task, plan);
  }
  // Of what is planned here nothing leaves the view yet.
  const auto plan_from = [&](const absl::btree_set<TaskRef>& tasks, TaskRef* next) {
    for (auto it = tasks.lower_bound(*next); it != tasks.end(); ++it) {
      *next = *it;
      if (!take_room()) return false;
      PlanDependent(*view_->At(*it), plan);
    }
    return true;
  };
  while (!dependents_due_.empty()) {
    const auto due = dependents_due_.begin();
    const absl::btree_set<TaskRef>* dependents = view_->DependentsOf(due->first);
    if (dependents != nullptr && !plan_from(*dependents, &due->second)) return;
    dependents_due_.erase(due);
  }
  if (all_awaiting_due_.has_value() && !plan_from(view_->awaiting(), &*all_awaiting_due_)) return;
  all_awaiting_due_.reset();
}

void Planner::PlanDependent(const TaskView& task, Plan* plan) {
  if (!task.awaits || in_flight(task.id)) return;  // looked at again when that is answered
  auto record = task.Decode();
  if (!record.ok()) return;
  bool open = false;
  std::string never;
  for (const Dependency& dependency : record->policy().dependencies()) {
    const std::optional<task::v1::State> state = view_->StateOf(dependency.task());
    const DependencyVerdict verdict = records::Judge(dependency, state);
    open = open || verdict == DependencyVerdict::kOpen;
    if (verdict == DependencyVerdict::kNever && never.empty()) never = records::WhyNever(dependency, state);
  }
  if (open && never.empty()) return;
  Subject subject{task.id, task.mzxid, *std::move(record)};
  if (never.empty()) {
    const std::int64_t delayed = records::DelayedUntil(subject.record, task.created_at_ms, task.changed_at_ms);
    subject.record.set_eligible_at(std::max<std::int64_t>(subject.record.eligible_at(), delayed));
    AddStep(plan, StepKind::kRelease, task.id, task.id,
            lead_->transitions.Resolve(std::move(subject), hooks_.cluster_now_ms(), hooks_.cluster_passed_ms()));
  } else {
    AddStep(plan, StepKind::kDependency, task.id, task.id,
            lead_->transitions.NeverRuns(std::move(subject), never, loop_->WallNow().value));
  }
}

Planner::Awaited Planner::AwaitedBy(const task::v1::Policy& policy, std::optional<Zxid> before) const {
  Awaited awaited;
  const auto refuse = [&awaited](SubmitResult::Kind kind, std::string sentence) {
    awaited.refused = SubmitResult{kind, std::move(sentence)};
  };
  for (const Dependency& dependency : policy.dependencies()) {
    const TaskView* task = view_->Find(dependency.task());
    // One that is on its way is committed before this one, or not at all: then this one is not either.
    const bool on_its_way = task == nullptr && in_flight(dependency.task());
    if (task == nullptr && !on_its_way && asked_about_.contains(dependency.task())) {
      awaited.behind = dependency.task();
      return awaited;
    }
    if (task == nullptr && !on_its_way) {
      refuse(SubmitResult::Kind::kNotThere,
             absl::StrCat("task ", dependency.task(), ", on which it depends, is not there: submit that first"));
      return awaited;
    }
    if (before.has_value() && (on_its_way || task->czxid >= *before)) {
      refuse(SubmitResult::Kind::kRefused,
             absl::StrCat("task ", dependency.task(), ", on which it depends, was submitted after it: run it under another id"));
      return awaited;
    }
    const bool begins_anew = on_its_way || rerunning_.contains(dependency.task());
    const DependencyVerdict verdict = begins_anew ? DependencyVerdict::kOpen : records::Judge(dependency, task->state);
    if (verdict == DependencyVerdict::kNever && awaited.never.empty()) awaited.never = records::WhyNever(dependency, task->state);
    if (verdict != DependencyVerdict::kMet) awaited.tasks.push_back(dependency.task());
  }
  return awaited;
}

void Planner::BeginAwaiting(const std::vector<std::string>& tasks) {
  for (const std::string& task : tasks) ++awaited_[task];
}

void Planner::EndAwaiting(const std::vector<std::string>& tasks) {
  for (const std::string& task : tasks) {
    const auto it = awaited_.find(task);
    if (--it->second == 0) awaited_.erase(it);
  }
}

}  // namespace drover::master::state
