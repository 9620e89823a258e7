#include "master/scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/check.h"

namespace drover::master::scheduler {
namespace {

template <typename T>
void EraseFrom(std::vector<T>* items, T item) {
  items->erase(std::remove(items->begin(), items->end(), item), items->end());
}

scheduler::Place PlaceOf(TaskRef task, std::uint64_t order, std::uint8_t priority) {
  return {order, task, static_cast<std::uint8_t>(kPriorities - 1 - std::min<unsigned>(priority, kPriorities - 1))};
}

std::string VerdictOf(const Worker& worker, const ClassKey& key) {
  std::vector<std::string> missing;
  for (const auto& [name, value] : key.labels) {
    if (!HasAll(worker.group->labels, {{name, value}})) missing.push_back(absl::StrCat(name, "=", value));
  }
  if (!missing.empty()) return absl::StrCat("has not the label ", absl::StrJoin(missing, ", "));
  if (!worker.takes_work) return "takes no more work";
  const std::string load = absl::StrCat(worker.used, " of ", worker.slots, " slots are used");
  if (worker.alone > 0) return "runs a task that must run alone";
  if (worker.reserved) return absl::StrCat("is being emptied for a task that must run alone; ", load);
  if (!worker.has_room() || (key.alone && worker.used > 0)) return absl::StrCat("is busy: ", load);
  return absl::StrCat("has room: ", load);
}

}  // namespace

Scheduler::Scheduler(SchedulerOptions options) : options_(options), workers_(this) {}

// ---- workers ----

void Scheduler::PutWorker(const WorkerFacts& facts) {
  if (reserved_ != nullptr && reserved_->name == facts.name) ReleaseReservation();
  Gained(workers_.Put(facts));
}

void Scheduler::RemoveWorker(absl::string_view name) {
  Worker* worker = workers_.Find(name);
  if (worker == nullptr || !worker->present) return;
  if (worker == reserved_) ReleaseReservation();
  workers_.Remove(worker);
}

void Scheduler::OnGroupMade(WorkerGroup* group) {
  for (auto& [key, cls] : classes_) {
    ++steps_;
    if (!HasAll(group->labels, key.labels)) continue;
    cls.groups.push_back(group);
    group->classes.push_back(&cls);
  }
}

void Scheduler::OnGroupGoing(WorkerGroup* group) {
  for (RequirementClass* cls : group->classes) EraseFrom(&cls->groups, group);
}

// ---- tasks ----

Scheduler::Entry& Scheduler::EntryOf(TaskRef task) {
  if (task.value >= entries_.size()) entries_.resize(task.value + 1);
  return entries_[task.value];
}

RequirementClass* Scheduler::ClassOf(const TaskFacts& facts) {
  ClassKey key{facts.queue, facts.labels, facts.losses >= kLossesAlone};
  const auto [it, made] = classes_.try_emplace(key);
  RequirementClass* cls = &it->second;
  if (!made) return cls;
  cls->key = std::move(key);
  for (auto& [labels, group] : workers_.groups()) {
    ++steps_;
    if (!HasAll(labels, cls->key.labels)) continue;
    cls->groups.push_back(&group);
    group.classes.push_back(cls);
  }
  return cls;
}

void Scheduler::DropClassIfIdle(RequirementClass* cls) {
  if (!cls->waiting.empty() || classes_.size() <= options_.idle_classes_max) return;
  DROVER_DCHECK(!cls->open && cls != reserved_for_);
  for (WorkerGroup* group : cls->groups) EraseFrom(&group->classes, cls);
  classes_.erase(classes_.find(cls->key));
}

void Scheduler::SetWaiting(TaskRef task, const TaskFacts& facts) {
  Entry& entry = EntryOf(task);
  if (facts.losses >= kLossesQuarantine) {
    if (entry.state == State::kQuarantined) return;
    Clear(task, &entry);
    entry.state = State::kQuarantined;
    quarantined_.insert(task);
    return;
  }
  RequirementClass* cls = ClassOf(facts);
  if (entry.state == State::kWaiting && entry.waits_in == cls && entry.order == facts.order && entry.priority == facts.priority)
    return;
  const scheduler::Place place = PlaceOf(task, facts.order, facts.priority);
  Clear(task, &entry);
  cls = ClassOf(facts);  // clearing may have dropped it as idle
  entry = Entry{cls, nullptr, facts.order, facts.priority, cls->key.alone, State::kWaiting};
  cls->waiting.insert(place);
  ++waiting_;
  // A class that is closed and had others waiting stays closed: what its first could not get, this one cannot.
  if (cls->open || cls->waiting.size() == 1) {
    Refresh(cls);
  }
}

void Scheduler::SetHolding(TaskRef task, absl::string_view worker, bool alone) {
  Entry& entry = EntryOf(task);
  if (entry.state == State::kHolding && entry.holder->name == worker && entry.alone == alone) return;
  Clear(task, &entry);
  Hold(&entry, workers_.Intern(worker), alone);
}

void Scheduler::Forget(TaskRef task) {
  if (task.value < entries_.size()) Clear(task, &entries_[task.value]);
}

void Scheduler::Clear(TaskRef task, Entry* entry) {
  switch (entry->state) {
    case State::kUnknown:
      break;
    case State::kQuarantined:
      quarantined_.erase(task);
      break;
    case State::kHolding:
      Unhold(entry);
      break;
    case State::kWaiting: {
      RequirementClass* cls = entry->waits_in;
      cls->waiting.erase(PlaceOf(task, entry->order, entry->priority));
      --waiting_;
      if (cls->open) Refresh(cls);
      CheckReservation();
      DropClassIfIdle(cls);
      break;
    }
  }
  *entry = Entry{};
}

void Scheduler::Hold(Entry* entry, Worker* worker, bool alone) {
  workers_.Detach(worker);
  ++worker->used;
  worker->alone += alone ? 1 : 0;
  workers_.Attach(worker);
  *entry = Entry{nullptr, worker, 0, 0, alone, State::kHolding};
}

void Scheduler::Unhold(Entry* entry) {
  Worker* worker = entry->holder;
  workers_.Detach(worker);
  --worker->used;
  worker->alone -= entry->alone ? 1 : 0;
  workers_.Attach(worker);
  if (!worker->present) {
    workers_.DropIfUnused(worker);
    return;
  }
  Gained(worker);
}

// ---- the open line ----

void Scheduler::Open(RequirementClass* cls) {
  cls->open = true;
  cls->open_at = *cls->waiting.begin();
  open_.emplace(cls->open_at, cls);
}

void Scheduler::Close(RequirementClass* cls) {
  if (cls->open) open_.erase(cls->open_at);
  cls->open = false;
}

void Scheduler::Refresh(RequirementClass* cls) {
  if (cls->open && !cls->waiting.empty() && cls->open_at == *cls->waiting.begin()) return;
  Close(cls);
  if (!cls->waiting.empty()) Open(cls);
}

void Scheduler::Gained(Worker* worker) {
  if (worker == reserved_) {
    ++steps_;
    if (worker->used == 0 && !reserved_for_->open) Open(reserved_for_);
    return;
  }
  if (!worker->eligible() || worker->group == nullptr) return;
  for (RequirementClass* cls : worker->group->classes) {
    ++steps_;
    if (cls->open || cls->waiting.empty()) continue;
    const bool may_help = cls->key.alone ? worker->used == 0 || reserved_ == nullptr : worker->has_room();
    if (may_help) Open(cls);
  }
}

// ---- planning ----

Worker* Scheduler::Best(const RequirementClass& cls) {
  Worker* best = nullptr;
  for (WorkerGroup* group : cls.groups) {
    ++steps_;
    if (group->eligible.empty()) continue;
    Worker* first = *group->eligible.begin();
    if (best == nullptr || ByLoad()(first, best)) best = first;
  }
  return best;
}

Worker* Scheduler::PickFor(RequirementClass* cls) {
  if (cls->key.alone && cls == reserved_for_ && reserved_->used == 0) {
    Worker* worker = reserved_;
    reserved_for_ = nullptr;
    reserved_ = nullptr;
    worker->reserved = false;
    workers_.Attach(worker);
    OpenAlone();
    return worker;
  }
  Worker* best = Best(*cls);
  if (best == nullptr) return nullptr;
  const bool fits = cls->key.alone ? best->used == 0 : best->has_room();
  return fits ? best : nullptr;
}

void Scheduler::ReserveFor(RequirementClass* cls) {
  if (reserved_ != nullptr) return;
  Worker* worker = Best(*cls);
  if (worker == nullptr) return;
  workers_.Detach(worker);
  worker->reserved = true;
  reserved_ = worker;
  reserved_for_ = cls;
}

void Scheduler::ReleaseReservation() {
  Worker* worker = reserved_;
  reserved_ = nullptr;
  reserved_for_ = nullptr;
  worker->reserved = false;
  workers_.Attach(worker);
  Gained(worker);
  OpenAlone();
}

void Scheduler::OpenAlone() {
  for (auto& [key, cls] : classes_) {
    ++steps_;
    if (key.alone && !cls.open && !cls.waiting.empty()) Open(&cls);
  }
}

void Scheduler::CheckReservation() {
  if (reserved_for_ != nullptr && reserved_for_->waiting.empty()) ReleaseReservation();
}

Plan Scheduler::Schedule(std::size_t limit) {
  Plan plan;
  plan.quarantined.assign(quarantined_.begin(), quarantined_.end());
  quarantined_.clear();
  while (!open_.empty()) {
    ++steps_;
    if (plan.placements.size() >= limit) {
      plan.more = true;
      break;
    }
    RequirementClass* cls = open_.begin()->second;
    Worker* worker = PickFor(cls);
    if (worker == nullptr) {
      Close(cls);
      if (cls->key.alone) ReserveFor(cls);
      continue;
    }
    const TaskRef task = cls->waiting.begin()->task;
    cls->waiting.erase(cls->waiting.begin());
    --waiting_;
    Refresh(cls);
    CheckReservation();
    Hold(&entries_[task.value], worker, cls->key.alone);
    plan.placements.push_back({task, worker->name});
    DropClassIfIdle(cls);
  }
  return plan;
}

std::optional<std::string> Scheduler::Place(TaskRef task, const TaskFacts& facts) {
  if (!open_.empty() || facts.losses >= kLossesAlone) return std::nullopt;
  RequirementClass* cls = ClassOf(facts);
  Worker* worker = cls->waiting.empty() ? PickFor(cls) : nullptr;
  DropClassIfIdle(cls);
  if (worker == nullptr) return std::nullopt;
  Entry& entry = EntryOf(task);
  Clear(task, &entry);
  Hold(&entry, worker, false);
  return worker->name;
}

std::uint32_t Scheduler::Used(absl::string_view worker) const {
  const Worker* found = workers_.Find(worker);
  return found == nullptr ? 0 : found->used;
}

Explanation Scheduler::Explain(TaskRef task) const {
  if (task.value >= entries_.size()) return {};
  const Entry& entry = entries_[task.value];
  Explanation explanation;
  const auto because = [&explanation](WaitReason reason, std::string sentence) {
    explanation.reason = reason;
    explanation.sentence = std::move(sentence);
    return explanation;
  };
  if (entry.state == State::kQuarantined) {
    return because(WaitReason::kQuarantined,
                   absl::StrCat("given up: ", kLossesQuarantine, " attempts were lost with the process that ran them"));
  }
  if (entry.state != State::kWaiting) return explanation;
  const RequirementClass& cls = *entry.waits_in;
  const scheduler::Place place = PlaceOf(task, entry.order, entry.priority);
  for (const scheduler::Place& before : cls.waiting) {
    if (before == place || explanation.ahead == kAheadMax) break;
    ++explanation.ahead;
  }
  std::size_t taking = 0, suiting = 0, suiting_taking = 0;
  for (const auto& [name, worker] : workers_.workers()) {
    if (!worker.present) continue;
    const bool suits = HasAll(worker.group->labels, cls.key.labels);
    const bool takes = worker.takes_work && worker.slots > 0;
    taking += takes ? 1 : 0;
    suiting += suits ? 1 : 0;
    suiting_taking += suits && takes ? 1 : 0;
    explanation.workers.push_back({name, suits, VerdictOf(worker, cls.key)});
  }
  if (cls.open && cls.open_at.task == task) return because(WaitReason::kNext, "it is about to be assigned");
  if (taking == 0 && suiting == 0) return because(WaitReason::kNoWorkers, "no worker is there");
  if (suiting == 0) return because(WaitReason::kNoMatchingWorker, "no worker has all the labels it asks for");
  if (suiting_taking == 0) {
    return because(WaitReason::kMatchingDraining,
                   absl::StrCat("all of the ", suiting, " workers that could run it take no more work"));
  }
  if (cls.key.alone) {
    return because(WaitReason::kNeedsIdleWorker,
                   "attempts were lost with the process that ran them, so it waits for a worker of its own");
  }
  return because(WaitReason::kBusy, absl::StrCat("all of the ", suiting_taking, " workers that could run it are busy"));
}

}  // namespace drover::master::scheduler
