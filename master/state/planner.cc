// Following the view and taking turns. What a turn decides is in planner_steps.cc, what clients ask for in planner_commands.cc.
#include "master/state/planner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "master/records/codec.h"
#include "master/state/task_facts.h"

namespace drover::master::state {

Planner::Planner(base::Loop* loop, PlannerOptions options, Hooks hooks)
    : loop_(loop),
      options_(options),
      hooks_(std::move(hooks)),
      scheduler_(std::make_unique<scheduler::Scheduler>()),
      tick_(loop),
      release_(loop),
      overdue_(loop),
      place_(loop),
      schedule_(loop) {}

Planner::~Planner() {
  *alive_ = false;
}

bool Planner::planning() const {
  return lead_.has_value() && view_->synced() && view_->zxid() >= lead_->since;
}

void Planner::Lead(Epoch epoch, Zxid since, Committer* committer) {
  lead_.emplace(Leading{Transitions(view_->paths(), std::move(epoch)), since, committer});
  for (const auto& [key, assignment] : view_->assignments()) assignments_due_.insert(key);
  for (const auto& [process_id, czxid] : view_->died()) died_due_.insert(process_id);
  all_awaiting_due_ = TaskRef(0);
  for (const auto& [id, array] : view_->arrays()) arrays_due_.insert(id);
  // Brings the view up to now, so that planning begins without waiting for the next heartbeat.
  hooks_.sync([this, alive = alive_](Zxid) {
    if (*alive) WakeUp();
  });
  Tick();
}

void Planner::StopLeading() {
  if (!lead_.has_value()) return;
  lead_.reset();
  tick_.Cancel();
  release_.Cancel();
  overdue_.Cancel();
  place_.Cancel();
  schedule_.Cancel();
  FailCommands();
}

// ---- following ----

void Planner::OnViewReset(coord::ResetCause cause) {
  ++generation_;
  scheduler_ = std::make_unique<scheduler::Scheduler>();
  assignments_due_.clear();
  orphans_due_.clear();
  died_due_.clear();
  awaiting_due_.clear();
  dependents_due_.clear();
  arrays_due_.clear();
  clock_.Clear();
  if (cause == coord::ResetCause::kCompacted && lead_.has_value()) hooks_.step_down();
  if (hooks_.also != nullptr) hooks_.also->OnViewReset(cause);
}

void Planner::OnViewSynced() {
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnViewSynced();
}

void Planner::OnViewProgress() {
  if (!orphans_due_.empty() || !cancellations_.empty()) WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnViewProgress();
}

void Planner::OnTask(const TaskView& task) {
  Place(task);
  if (task.awaits && lead_.has_value()) awaiting_due_.insert(task.id);
  if (records::IsTerminal(task.state)) MarkDependents(task.id);
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnTask(task);
}

void Planner::OnTaskGone(const TaskView& task) {
  Current().Forget(task.ref);
  orphans_due_.erase(task.id);
  MarkDependents(task.id);
  if (task.state == task::v1::ASSIGNED || task.state == task::v1::RUNNING) {
    if (const auto record = task.Decode(); record.ok()) assignments_due_.insert({record->worker(), task.id});
    WakeUp();
  }
  if (hooks_.also != nullptr) hooks_.also->OnTaskGone(task);
}

void Planner::OnWorker(const std::string& name) {
  TellWorker(name);
  for (auto it = view_->assignments().lower_bound({name, ""}); it != view_->assignments().end() && it->first.first == name; ++it) {
    assignments_due_.insert(it->first);
  }
  for (const auto& [process_id, czxid] : view_->died()) died_due_.insert(process_id);
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnWorker(name);
}

void Planner::OnAssignment(const std::string& worker, const std::string& task) {
  if (view_->FindAssignment(worker, task) != nullptr) {
    assignments_due_.insert({worker, task});
    orphans_due_.erase(task);
  } else {
    assignments_due_.erase({worker, task});
    if (const TaskView* view = view_->Find(task)) Place(*view);
    for (const auto& [process_id, czxid] : view_->died()) died_due_.insert(process_id);
  }
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnAssignment(worker, task);
}

void Planner::OnDied(const std::string& process_id) {
  died_due_.insert(process_id);
  for (const auto& [name, worker] : view_->workers()) {
    if (worker.info.process_id() == process_id) TellWorker(name);
  }
  for (const auto& [key, assignment] : view_->assignments()) {
    if (assignment.data.process_id() == process_id) assignments_due_.insert(key);
  }
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnDied(process_id);
}

void Planner::OnSchedule(const std::string& name) {
  TellSchedule(name);
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnSchedule(name);
}

void Planner::OnArray(const std::string& task) {
  MarkArray(task);
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnArray(task);
}

void Planner::OnQueue(const std::string& name) {
  TellQueue(name);
  WakeUp();
  if (hooks_.also != nullptr) hooks_.also->OnQueue(name);
}

void Planner::OnViewEnded(const absl::Status& why) {
  if (hooks_.also != nullptr) hooks_.also->OnViewEnded(why);
}

scheduler::Scheduler& Planner::Current() {
  scheduler_->Advance(base::ToMillis(loop_->Now().time_since_epoch()));
  return *scheduler_;
}

void Planner::TellQueue(const std::string& name) {
  const QueueView* queue = view_->FindQueue(name);
  if (queue == nullptr) {
    Current().RemoveQueue(name);
  } else {
    Current().PutQueue(name, FactsOf(queue->settings));
  }
}

void Planner::TellWorker(const std::string& name) {
  const WorkerView* worker = view_->FindWorker(name);
  if (worker == nullptr) {
    scheduler_->RemoveWorker(name);
    return;
  }
  const bool dying = view_->died().count(worker->info.process_id()) > 0;
  scheduler_->PutWorker(
      {.name = name,
       .slots = worker->info.slots(),
       .labels = SortedLabels(worker->info.labels()),
       .takes_work = !worker->info.draining() && view_->FindDrain(name) == nullptr && !dying && !worker->info.process_id().empty(),
       .resources = SortedResources(worker->info.resources())});
}

void Planner::Place(const TaskView& task) {
  // What is planned counts as done until its answer; then it is looked at again.
  if (in_flight(task.id)) return;
  orphans_due_.erase(task.id);
  if (task.array) return;  // its elements are placed
  switch (task.state) {
    case task::v1::WAITING:
      Current().Forget(task.ref);  // its turn comes when it is READY
      return;
    case task::v1::READY: {
      const auto record = task.Decode();
      if (record.ok()) Current().SetWaiting(task.ref, FactsOf(*record, task.czxid, task.created_at_ms));
      return;
    }
    case task::v1::ASSIGNED:
    case task::v1::RUNNING: {
      const auto record = task.Decode();
      if (!record.ok()) return;
      Current().SetHolding(task.ref, record->worker(), FactsOf(*record, task.czxid, task.created_at_ms));
      if (view_->FindAssignment(record->worker(), task.id) == nullptr) orphans_due_.insert(task.id);
      return;
    }
    default:
      Current().Forget(task.ref);
      return;
  }
}

// ---- turns ----

void Planner::WakeUp() {
  if (turn_posted_ || !lead_.has_value()) return;
  turn_posted_ = true;
  loop_->Post([this, alive = alive_] {
    if (!*alive) return;
    turn_posted_ = false;
    Turn();
  });
}

void Planner::Turn() {
  if (!planning()) return;
  Plan plan{lead_->transitions.epoch().czxid, view_->zxid(), {}};
  PlanAssignments(&plan);
  PlanOrphans(&plan);
  PlanCancellations(&plan);
  PlanOverdue(&plan);
  PlanReleases(&plan);
  PlanDependents(&plan);
  PlanSchedules(&plan);
  PlanArrays(&plan);
  PlanPlacements(&plan);
  PlanDied(&plan);
  PlanRetirement(&plan);
  if (!plan.steps.empty()) lead_->committer->Commit(std::move(plan));
}

void Planner::Tick() {
  if (!lead_.has_value()) return;
  for (const auto& [key, assignment] : view_->assignments()) {
    if (assignment.data.lost_since() != 0) assignments_due_.insert(key);
  }
  WakeUp();
  tick_.Set(options_.tick, [this] { Tick(); });
}

void Planner::AddStep(Plan* plan, StepKind kind, std::string key, const std::string& task, coord::Transaction transaction,
                      absl::AnyInvocable<void(const CommitResult&)> then) {
  in_flight_.insert(key);
  plan->steps.push_back({kind, key, std::move(transaction),
                         [this, alive = alive_, key, task, then = std::move(then)](const CommitResult& result) mutable {
                           if (!*alive) return;
                           if (then) then(result);
                           if (result.outcome == CommitOutcome::kDone) {
                             Answered(key, task, result);
                             return;
                           }
                           // The view shows by now what a guard refused for. The pause keeps a race that is lost again and again,
                           // and a core that takes no more (its tree is full), from being asked without end.
                           const base::Duration pause =
                               result.outcome == CommitOutcome::kGuardRefused ? options_.refused_pause : options_.tick;
                           (void)loop_->After(pause, [this, alive, key, task, result] {
                             if (*alive) Answered(key, task, result);
                           });
                         }});
}

void Planner::Answered(const std::string& key, const std::string& task, const CommitResult&) {
  in_flight_.erase(key);
  if (!task.empty()) LookAgain(task);
  WakeUp();
}

void Planner::LookAgain(const std::string& task) {
  MarkArray(task);
  if (const TaskView* view = view_->Find(task)) {
    Place(*view);
    if (view->awaits) awaiting_due_.insert(task);
    if (view->state == task::v1::ASSIGNED || view->state == task::v1::RUNNING) {
      const auto record = view->Decode();
      if (record.ok()) assignments_due_.insert({record->worker(), task});
    }
  }
  const auto behind = submissions_behind_.find(task);
  if (behind != submissions_behind_.end()) {
    std::vector<Submission> next = std::move(behind->second);
    submissions_behind_.erase(behind);
    for (Submission& submission : next) TrySubmit(std::move(submission));
  }
  WakeUp();
}

}  // namespace drover::master::state
