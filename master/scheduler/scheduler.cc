#include "master/scheduler/scheduler.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "coord/base/check.h"

namespace drover::master::scheduler {
namespace {

template <typename T>
void EraseFrom(std::vector<T>* items, T item) {
  items->erase(std::remove(items->begin(), items->end(), item), items->end());
}

}  // namespace

Scheduler::Scheduler(SchedulerOptions options) : options_(options), workers_(this) {}

void Scheduler::Advance(std::int64_t now_ms) {
  const std::int64_t passed = now_ms - now_ms_;
  if (passed <= 0) return;
  now_ms_ = now_ms;
  for (auto& [name, queue] : queues_) {
    if (queue.running > 0) queue.share.Used(queue.running, passed);
  }
}

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
    if (!Meets(group->labels, key.requirement)) continue;
    cls.groups.push_back(group);
    group->classes.push_back(&cls);
  }
}

void Scheduler::OnGroupGoing(WorkerGroup* group) {
  for (RequirementClass* cls : group->classes) EraseFrom(&cls->groups, group);
}

// ---- queues ----

Queue* Scheduler::QueueOf(absl::string_view name) {
  Queue& queue = queues_[std::string(name)];
  if (queue.name.empty()) queue.name = std::string(name);
  return &queue;
}

void Scheduler::DropQueueIfUnused(Queue* queue) {
  if (queue->configured || queue->classes > 0 || queues_.size() <= options_.idle_queues_max) return;
  queues_.erase(queues_.find(queue->name));
}

void Scheduler::PutQueue(absl::string_view name, const QueueFacts& facts) {
  Queue* queue = QueueOf(name);
  queue->configured = true;
  queue->facts = facts;
  queue->share.SetWeight(facts.weight);
  queue->rate.Set(facts.starts_per_second, facts.burst, now_ms_);
}

void Scheduler::RemoveQueue(absl::string_view name) {
  const auto found = queues_.find(name);
  if (found == queues_.end()) return;
  PutQueue(name, {});
  found->second.configured = false;
  DropQueueIfUnused(&found->second);
}

QueueCounts Scheduler::CountsOf(absl::string_view queue) const {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? QueueCounts{} : QueueCounts{found->second.waiting, found->second.running};
}

std::int64_t Scheduler::UsageOfOthers(const Queue* queue) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, other] : queues_) {
    ++steps_;
    if (&other != queue && !other.idle() && !other.facts.paused) least = std::min(least, other.share.usage());
  }
  return least == std::numeric_limits<std::int64_t>::max() ? 0 : least;
}

void Scheduler::WakeQueue(Queue* queue) {
  if (queue->idle()) queue->share.RaiseFromIdle(UsageOfOthers(queue));
}

Queue* Scheduler::NextQueue() {
  Queue* next = nullptr;
  std::int64_t least = 0;
  for (Queue* queue : open_) {
    ++steps_;
    if (!queue->Allows(now_ms_)) continue;
    const std::int64_t score = queue->share.Score(queue->running);
    if (next == nullptr || score < least || (score == least && queue->open.begin()->first < next->open.begin()->first)) {
      next = queue;
      least = score;
    }
  }
  return next;
}

void Scheduler::Serve(Queue* queue) {
  if (queues_.size() > 1) queue->share.RaiseToOwed(UsageOfOthers(queue));
  queue->share.Started();
  queue->rate.Started(now_ms_);
}

// ---- tasks ----

Scheduler::Entry& Scheduler::EntryOf(TaskRef task) {
  if (task.value >= entries_.size()) entries_.resize(task.value + 1);
  return entries_[task.value];
}

RequirementClass* Scheduler::ClassOf(const TaskFacts& facts) {
  ClassKey key{facts.queue, {facts.labels, facts.rules, facts.resources}, facts.alone()};
  const auto [it, made] = classes_.try_emplace(key);
  RequirementClass* cls = &it->second;
  if (!made) return cls;
  cls->key = std::move(key);
  cls->queue = QueueOf(facts.queue);
  ++cls->queue->classes;
  for (auto& [labels, group] : workers_.groups()) {
    ++steps_;
    if (!Meets(labels, cls->key.requirement)) continue;
    cls->groups.push_back(&group);
    group.classes.push_back(cls);
  }
  return cls;
}

void Scheduler::DropClassIfIdle(RequirementClass* cls) {
  if (!cls->waiting.empty() || cls->others > 0 || classes_.size() <= options_.idle_classes_max) return;
  DROVER_DCHECK(!cls->open && cls != reserved_for_ && cls->starved_since_ms == 0);
  for (WorkerGroup* group : cls->groups) EraseFrom(&group->classes, cls);
  Queue* queue = cls->queue;
  --queue->classes;
  classes_.erase(classes_.find(cls->key));
  DropQueueIfUnused(queue);
}

bool Scheduler::Same(const Entry& entry, const RequirementClass* cls, const TaskFacts& facts) {
  const bool same_key = entry.key == nullptr ? facts.key.empty() : entry.key->name == facts.key && entry.key_max == facts.key_max;
  return entry.cls == cls && same_key;
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
  const std::int64_t line = LineOf(facts);
  const bool waits = entry.state == State::kWaiting || entry.state == State::kParked;
  if (waits && Same(entry, ClassOf(facts), facts) && entry.line == line) return;
  Clear(task, &entry);
  RequirementClass* cls = ClassOf(facts);  // after clearing, which may drop an idle one
  WakeQueue(cls->queue);
  entry = Entry{cls, nullptr, keys_.Refer(facts.key), line, facts.key_max, State::kUnknown};
  ++waiting_;
  ++cls->queue->waiting;
  Enter(task, &entry);
}

void Scheduler::SetHolding(TaskRef task, absl::string_view worker, const TaskFacts& facts) {
  Entry& entry = EntryOf(task);
  if (entry.state == State::kHolding && entry.holder->name == worker && Same(entry, ClassOf(facts), facts)) return;
  Clear(task, &entry);
  RequirementClass* cls = ClassOf(facts);
  WakeQueue(cls->queue);
  entry = Entry{cls, nullptr, keys_.Refer(facts.key), 0, facts.key_max, State::kUnknown};
  Hold(&entry, workers_.Intern(worker));
}

void Scheduler::Forget(TaskRef task) {
  if (task.value < entries_.size()) Clear(task, &entries_[task.value]);
}

void Scheduler::Clear(TaskRef task, Entry* entry) {
  RequirementClass* const cls = entry->cls;
  KeyLimits::Key* const key = entry->key;
  switch (entry->state) {
    case State::kUnknown:
      return;
    case State::kQuarantined:
      quarantined_.erase(task);
      *entry = Entry{};
      return;
    case State::kHolding:
      Unhold(entry);
      break;
    case State::kParked:
      KeyLimits::Unpark(key, entry->key_max, cls, {entry->line, task});
      --cls->others;
      --waiting_;
      --cls->queue->waiting;
      break;
    case State::kWaiting:
      Leave(task, entry);
      break;
  }
  *entry = Entry{};
  if (key != nullptr) Rouse(KeyLimits::Rouse(key));
  keys_.Release(key);
  CheckReservation();
  DropClassIfIdle(cls);
}

// Into the line of its class.
void Scheduler::Enter(TaskRef task, Entry* entry) {
  RequirementClass* cls = entry->cls;
  entry->state = State::kWaiting;
  cls->waiting.insert({entry->line, task});
  // A class that is closed and had others waiting stays closed: what its first could not get, this one cannot.
  if (cls->open || cls->waiting.size() == 1) Refresh(cls);
}

void Scheduler::Leave(TaskRef task, Entry* entry) {
  RequirementClass* cls = entry->cls;
  cls->waiting.erase({entry->line, task});
  --waiting_;
  --cls->queue->waiting;
  if (cls->open) Refresh(cls);
  if (cls->waiting.empty()) Unstarve(cls);
}

void Scheduler::Park(TaskRef task, Entry* entry) {
  RequirementClass* cls = entry->cls;
  const scheduler::Place place{entry->line, task};
  cls->waiting.erase(place);
  entry->state = State::kParked;
  ++cls->others;
  KeyLimits::Park(entry->key, entry->key_max, cls, place);
  // Of this class another may have a key that leaves room for more.
  Rouse(KeyLimits::RouseOf(entry->key, cls));
  Refresh(cls);
  if (cls->waiting.empty()) Unstarve(cls);
}

void Scheduler::Rouse(const std::vector<KeyLimits::Roused>& roused) {
  for (const KeyLimits::Roused& one : roused) {
    --one.cls->others;
    Enter(one.place.task, &entries_[one.place.task.value]);
  }
}

void Scheduler::Hold(Entry* entry, Worker* worker) {
  RequirementClass* cls = entry->cls;
  workers_.Detach(worker);
  ++worker->used;
  worker->alone += cls->key.alone ? 1 : 0;
  AddTo(&worker->taken, cls->key.requirement.resources, 1);
  workers_.Attach(worker);
  ++cls->others;
  ++cls->queue->running;
  if (entry->key != nullptr) ++entry->key->running;
  entry->holder = worker;
  entry->state = State::kHolding;
}

void Scheduler::Unhold(Entry* entry) {
  RequirementClass* cls = entry->cls;
  Worker* worker = entry->holder;
  workers_.Detach(worker);
  --worker->used;
  worker->alone -= cls->key.alone ? 1 : 0;
  AddTo(&worker->taken, cls->key.requirement.resources, -1);
  workers_.Attach(worker);
  --cls->others;
  --cls->queue->running;
  if (entry->key != nullptr) --entry->key->running;
  if (worker->present) {
    Gained(worker);
  } else {
    workers_.DropIfUnused(worker);
  }
}

// ---- the open line ----

void Scheduler::Open(RequirementClass* cls) {
  Queue* queue = cls->queue;
  cls->open = true;
  cls->open_at = *cls->waiting.begin();
  if (queue->open.empty()) open_.insert(queue);
  queue->open.emplace(cls->open_at, cls);
}

void Scheduler::Close(RequirementClass* cls) {
  if (!cls->open) return;
  Queue* queue = cls->queue;
  queue->open.erase(cls->open_at);
  if (queue->open.empty()) open_.erase(queue);
  cls->open = false;
}

void Scheduler::Refresh(RequirementClass* cls) {
  if (cls->open && !cls->waiting.empty() && cls->open_at == *cls->waiting.begin()) return;
  Close(cls);
  if (!cls->waiting.empty()) Open(cls);
}

bool Scheduler::Fits(const Worker& worker, const RequirementClass& cls) {
  const Resources& resources = cls.key.requirement.resources;
  return cls.key.alone ? worker.used == 0 && worker.HasInAll(resources) : worker.HasFree(resources);
}

void Scheduler::Gained(Worker* worker) {
  if (worker == reserved_) {
    ++steps_;
    if (Fits(*worker, *reserved_for_) && !reserved_for_->open) Open(reserved_for_);
    return;
  }
  if (!worker->eligible() || worker->group == nullptr) return;
  for (RequirementClass* cls : worker->group->classes) {
    ++steps_;
    if (cls->open || cls->waiting.empty()) continue;
    const bool to_reserve = cls->key.alone && reserved_ == nullptr && worker->HasInAll(cls->key.requirement.resources);
    if (to_reserve || Fits(*worker, *cls)) Open(cls);
  }
}

// ---- planning ----

bool Scheduler::Packs(const RequirementClass& cls) {
  return cls.queue->facts.pack && !cls.key.alone;
}

Worker* Scheduler::PickIn(const WorkerGroup& group, const RequirementClass& cls) {
  const auto fits = [&](const Worker& worker) {
    ++steps_;
    return Fits(worker, cls);
  };
  if (Packs(cls)) {
    Worker full;
    full.used = full.slots = 1;  // comes before every full one, after every other
    for (auto it = group.eligible.lower_bound(&full); it != group.eligible.begin();) {
      if (fits(**--it)) return *it;
    }
    return nullptr;
  }
  for (Worker* worker : group.eligible) {
    if (fits(*worker)) return worker;
    if (!worker->has_room() || (cls.key.alone && worker->used > 0)) return nullptr;  // nor have those after it
  }
  return nullptr;
}

Worker* Scheduler::PickFor(RequirementClass* cls) {
  if (cls == reserved_for_ && Fits(*reserved_, *cls)) {
    Worker* worker = reserved_;
    reserved_for_ = nullptr;
    reserved_ = nullptr;
    worker->reserved = false;
    workers_.Attach(worker);
    OpenAlone();
    return worker;
  }
  Worker* best = nullptr;
  for (WorkerGroup* group : cls->groups) {
    ++steps_;
    Worker* worker = PickIn(*group, *cls);
    if (worker == nullptr) continue;
    const bool better = best == nullptr || (Packs(*cls) ? ByLoad()(best, worker) : ByLoad()(worker, best));
    if (better) best = worker;
  }
  return best;
}

void Scheduler::FoundNoPlace(RequirementClass* cls) {
  Close(cls);
  if (cls->key.alone) {
    ReserveFor(cls);
  } else if (!cls->key.requirement.resources.empty() && cls->starved_since_ms == 0 && cls != reserved_for_) {
    Starve(cls);
  }
}

void Scheduler::Starve(RequirementClass* cls) {
  Unstarve(cls);
  cls->starved_since_ms = std::max<std::int64_t>(1, now_ms_);
  starved_.insert(cls);
}

void Scheduler::Unstarve(RequirementClass* cls) {
  if (cls->starved_since_ms == 0) return;
  starved_.erase(cls);
  cls->starved_since_ms = 0;
}

void Scheduler::ReserveForStarved() {
  while (reserved_ == nullptr && !starved_.empty() && (*starved_.begin())->starved_since_ms + kReserveAfterMs <= now_ms_) {
    RequirementClass* cls = *starved_.begin();
    if (cls->queue->Allows(now_ms_)) ReserveFor(cls);
    if (reserved_for_ == cls) {
      Unstarve(cls);
    } else {
      Starve(cls);
    }
  }
}

// Empties the least loaded worker that could run it.
void Scheduler::ReserveFor(RequirementClass* cls) {
  if (reserved_ != nullptr) return;
  Worker* best = nullptr;
  for (WorkerGroup* group : cls->groups) {
    for (Worker* worker : group->eligible) {
      ++steps_;
      if (best != nullptr && !ByLoad()(worker, best)) break;
      if (!worker->HasInAll(cls->key.requirement.resources)) continue;
      best = worker;
      break;
    }
  }
  if (best == nullptr) return;
  workers_.Detach(best);
  best->reserved = true;
  reserved_ = best;
  reserved_for_ = cls;
}

void Scheduler::ReleaseReservation() {
  Worker* worker = reserved_;
  RequirementClass* cls = reserved_for_;
  reserved_ = nullptr;
  reserved_for_ = nullptr;
  worker->reserved = false;
  workers_.Attach(worker);
  Gained(worker);
  if (!cls->open && !cls->waiting.empty()) Open(cls);
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
  if (reserved_for_ != nullptr && !reserved_for_->queue->Allows(now_ms_)) ReleaseReservation();
  ReserveForStarved();
  while (Queue* queue = NextQueue()) {
    ++steps_;
    if (plan.placements.size() >= limit) {
      plan.more = true;
      break;
    }
    RequirementClass* cls = queue->open.begin()->second;
    const TaskRef task = cls->waiting.begin()->task;
    Entry& entry = entries_[task.value];
    if (KeyLimits::Busy(entry.key, entry.key_max)) {
      Park(task, &entry);
      CheckReservation();
      continue;
    }
    const Worker* const reserved = reserved_;
    Worker* worker = PickFor(cls);
    if (worker == nullptr) {
      FoundNoPlace(cls);
      continue;
    }
    Serve(queue);
    Unstarve(cls);
    Leave(task, &entry);
    Hold(&entry, worker);
    if (worker == reserved) Gained(worker);  // what is left of it is there for others again
    CheckReservation();
    plan.placements.push_back({task, worker->name});
  }
  plan.again_at_ms = NextTimeThatMatters();
  return plan;
}

std::optional<std::int64_t> Scheduler::NextTimeThatMatters() const {
  std::optional<std::int64_t> next;
  const auto also = [&](std::int64_t at_ms) {
    if (at_ms > now_ms_) next = std::min(next.value_or(at_ms), at_ms);
  };
  for (const Queue* queue : open_) {
    if (!queue->facts.paused && !queue->full()) also(queue->rate.free_at_ms());
  }
  if (reserved_ == nullptr && !starved_.empty()) also((*starved_.begin())->starved_since_ms + kReserveAfterMs);
  return next;
}

std::optional<std::string> Scheduler::Place(TaskRef task, const TaskFacts& facts) {
  if (facts.alone() || NextQueue() != nullptr) return std::nullopt;
  Clear(task, &EntryOf(task));
  RequirementClass* cls = ClassOf(facts);
  Entry entry{cls, nullptr, keys_.Refer(facts.key), 0, facts.key_max, State::kUnknown};
  const bool may = cls->waiting.empty() && cls->queue->Allows(now_ms_) && !KeyLimits::Busy(entry.key, entry.key_max);
  Worker* worker = may ? PickFor(cls) : nullptr;
  if (worker == nullptr) {
    keys_.Release(entry.key);
    DropClassIfIdle(cls);
    return std::nullopt;
  }
  WakeQueue(cls->queue);
  Serve(cls->queue);
  Hold(&entry, worker);
  entries_[task.value] = entry;
  return worker->name;
}

Resources Scheduler::TakenOf(absl::string_view worker) const {
  const Worker* const known = workers_.Find(worker);
  return known == nullptr ? Resources() : known->taken;
}

std::uint32_t Scheduler::Used(absl::string_view worker) const {
  const Worker* found = workers_.Find(worker);
  return found == nullptr ? 0 : found->used;
}

}  // namespace drover::master::scheduler
