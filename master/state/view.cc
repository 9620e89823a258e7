#include "master/state/view.h"

#include <algorithm>
#include <utility>

#include "master/records/codec.h"
#include "master/records/task_id.h"
#include "master/records/time_bounds.h"

namespace drover::master::state {

using records::PathKind;
using records::PathParts;

namespace {

// Where a task of this state is counted; null: nowhere.
std::size_t* CounterOf(QueueTally* tally, task::v1::State state) {
  switch (state) {
    case task::v1::READY:
      return &tally->ready;
    case task::v1::WAITING:
      return &tally->delayed;
    case task::v1::ASSIGNED:
    case task::v1::RUNNING:
      return &tally->running;
    default:
      return nullptr;
  }
}

}  // namespace

absl::StatusOr<worker::v1::TaskRecord> TaskView::Decode() const {
  return records::DecodeTaskRecord(record);
}

View::View(coord::Session* session, records::PoolPaths paths, ViewObserver* observer)
    : paths_(std::move(paths)), observer_(observer) {
  follower_ = coord::SubtreeFollower::Start(session, {.path = paths_.root(), .with_data = true}, this);
}

View::~View() = default;

const TaskView* View::Find(absl::string_view id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() || !it->second->present ? nullptr : it->second;
}

const TaskView* View::At(TaskRef ref) const {
  if (ref.value >= slots_.size() || slots_[ref.value] == nullptr) return nullptr;
  return slots_[ref.value].get();
}

const absl::btree_set<TaskRef>* View::DependentsOf(absl::string_view id) const {
  const auto it = dependents_.find(id);
  return it == dependents_.end() ? nullptr : &it->second;
}

std::optional<task::v1::State> View::StateOf(absl::string_view id) const {
  const TaskView* task = Find(id);
  return task == nullptr ? std::nullopt : std::optional(task->state);
}

const WorkerView* View::FindWorker(absl::string_view name) const {
  const auto it = workers_.find(std::string(name));
  return it == workers_.end() ? nullptr : &it->second;
}

const AssignmentView* View::FindAssignment(absl::string_view worker, absl::string_view task) const {
  const auto it = assignments_.find({std::string(worker), std::string(task)});
  return it == assignments_.end() ? nullptr : &it->second;
}

const QueueView* View::FindQueue(absl::string_view name) const {
  const auto it = queues_.find(std::string(name));
  return it == queues_.end() ? nullptr : &it->second;
}

const ScheduleView* View::FindSchedule(absl::string_view name) const {
  const auto it = schedules_.find(std::string(name));
  return it == schedules_.end() ? nullptr : &it->second;
}

const ArrayView* View::FindArray(absl::string_view task) const {
  const auto it = arrays_.find(task);
  return it == arrays_.end() ? nullptr : &it->second;
}

const DrainView* View::FindDrain(absl::string_view worker) const {
  const auto it = drains_.find(std::string(worker));
  return it == drains_.end() ? nullptr : &it->second;
}

QueueTally View::TallyOf(absl::string_view queue) const {
  const auto it = tallies_.find(queue);
  return it == tallies_.end() ? QueueTally() : it->second;
}

TaskRef View::Pin(absl::string_view id) {
  TaskView* task = Slot(id);
  ++task->pins;
  return task->ref;
}

void View::Unpin(absl::string_view id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end() || it->second->pins == 0) return;
  --it->second->pins;
  FreeIfUnused(it->second);
}

TaskView* View::Slot(absl::string_view id) {
  if (const auto it = by_id_.find(id); it != by_id_.end()) return it->second;
  TaskRef ref(static_cast<std::uint32_t>(slots_.size()));
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    ref = free_.back();
    free_.pop_back();
  }
  auto task = std::make_unique<TaskView>();
  task->id = std::string(id);
  task->ref = ref;
  TaskView* added = task.get();
  slots_[ref.value] = std::move(task);
  by_id_.emplace(added->id, added);
  return added;
}

void View::FreeIfUnused(TaskView* task) {
  if (task->present || task->pins > 0) return;
  by_id_.erase(task->id);
  free_.push_back(task->ref);
  slots_[task->ref.value].reset();
}

void View::Index(TaskView* task, const worker::v1::TaskRecord& record) {
  const bool waits = task->state == task::v1::WAITING || task->state == task::v1::READY;
  const std::int64_t delayed = records::DelayedUntil(record, task->created_at_ms, task->changed_at_ms);
  task->not_before_ms = task->state == task::v1::WAITING ? std::max<std::int64_t>(record.not_before(), delayed) : 0;
  task->overdue_at_ms = 0;
  if (waits) {
    if (const auto bound = records::StartBound(record)) task->overdue_at_ms = bound->at_ms;
  }
  task->array = record.policy().has_array();
  const bool hands_out = task->array && task->state == task::v1::RUNNING && record.closing() == task::v1::STATE_UNSPECIFIED;
  if (hands_out) task->overdue_at_ms = record.policy().deadline_ms();
  by_submission_.insert({task->czxid, task->ref});
  if (records::IsTerminal(task->state)) finished_.insert({task->mzxid, task->ref});
  task->awaits = task->state == task::v1::WAITING && record.awaits();
  if (task->awaits) Await(task, record);
  if (task->state == task::v1::WAITING && !task->awaits) waiting_.insert({task->not_before_ms, task->ref});
  if (task->overdue_at_ms != 0) overdue_.insert({task->overdue_at_ms, task->ref});
  // One that hands out its elements is counted by these.
  if (!task->array || task->state != task::v1::RUNNING) Count(task, record.policy().queue());
}

void View::Unindex(TaskView* task) {
  if (!task->present) return;
  by_submission_.erase({task->czxid, task->ref});
  if (records::IsTerminal(task->state)) finished_.erase({task->mzxid, task->ref});
  if (task->awaits) Unawait(task);
  if (task->state == task::v1::WAITING && !task->awaits) waiting_.erase({task->not_before_ms, task->ref});
  if (task->overdue_at_ms != 0) overdue_.erase({task->overdue_at_ms, task->ref});
  Uncount(task);
}

void View::Await(TaskView* task, const worker::v1::TaskRecord& record) {
  awaiting_.insert(task->ref);
  for (const task::v1::Dependency& dependency : record.policy().dependencies()) {
    dependents_[dependency.task()].insert(task->ref);
  }
}

void View::Unawait(TaskView* task) {
  awaiting_.erase(task->ref);
  const auto record = task->Decode();  // as it was: it is changed after this
  if (!record.ok()) return;
  for (const task::v1::Dependency& dependency : record->policy().dependencies()) {
    const auto it = dependents_.find(dependency.task());
    if (it == dependents_.end()) continue;
    it->second.erase(task->ref);
    if (it->second.empty()) dependents_.erase(it);
  }
}

void View::Count(TaskView* task, const std::string& queue) {
  std::size_t* of_all = CounterOf(&tally_, task->state);
  if (of_all == nullptr) return;
  ++*of_all;
  task->tally = &*tallies_.try_emplace(queue).first;
  ++*CounterOf(&task->tally->second, task->state);
}

void View::Uncount(TaskView* task) {
  if (task->tally == nullptr) return;
  --*CounterOf(&tally_, task->state);
  NamedTally* tally = std::exchange(task->tally, nullptr);
  --*CounterOf(&tally->second, task->state);
  if (tally->second.waiting() + tally->second.running == 0) tallies_.erase(tallies_.find(tally->first));
}

void View::PutTask(absl::string_view id, const coord::Stat& stat, const std::string& data) {
  TaskView* task = Slot(id);
  const bool was_array = task->present && task->array;
  Unindex(task);
  task->record = data;
  task->record.shrink_to_fit();
  task->czxid = stat.czxid;
  task->mzxid = stat.mzxid;
  task->created_at_ms = stat.ctime.value;
  task->changed_at_ms = stat.mtime.value;
  task->present = true;
  const auto record = task->Decode();
  task->state = record.ok() ? record->state() : task::v1::STATE_UNSPECIFIED;
  Index(task, record.ok() ? *record : worker::v1::TaskRecord());
  TellArrays(id, record.ok() ? &*record : nullptr, was_array);
  if (observer_ != nullptr) observer_->OnTask(*task);
}

void View::RemoveTask(absl::string_view id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end() || !it->second->present) return;
  TaskView* task = it->second;
  Unindex(task);
  TellArrays(id, nullptr, task->array);
  if (observer_ != nullptr) observer_->OnTaskGone(*task);
  task->present = false;
  task->array = false;
  task->record.clear();
  task->state = task::v1::STATE_UNSPECIFIED;
  FreeIfUnused(task);
}

template <typename Change>
void View::ChangeArray(absl::string_view task, Change change) {
  const std::string id(task);
  const auto it = arrays_.try_emplace(id).first;
  change(&it->second);
  if (it->second.empty()) arrays_.erase(it);
  if (observer_ != nullptr) observer_->OnArray(id);
}

void View::TellArrays(absl::string_view id, const worker::v1::TaskRecord* record, bool was_array) {
  if (record != nullptr && record->policy().has_array()) {
    ChangeArray(id, [record](ArrayView* array) { array->SetRecord(*record); });
  } else if (was_array) {
    ChangeArray(id, [](ArrayView* array) { array->RemoveRecord(); });
  }
  const std::optional<records::Element> element = records::ParseElement(id);
  if (!element.has_value()) return;
  ChangeArray(element->array, [&element, record](ArrayView* array) {
    if (record == nullptr) return array->RemoveElement(element->index);
    array->SetElement(element->index, record->state(), record->array_life());
  });
}

void View::Put(const std::string& path, const coord::Stat& stat, const std::string& data) {
  const PathParts parts = paths_.Parse(path);
  const std::string name(parts.name);
  switch (parts.kind) {
    case PathKind::kTask:
      PutTask(parts.name, stat, data);
      break;
    case PathKind::kWorker: {
      // What is no registration counts as one that takes no work: the name is taken, whatever it is.
      auto info = records::DecodeWorkerInfo(data);
      workers_[name] = WorkerView{name, stat.czxid, info.ok() ? *std::move(info) : worker::v1::WorkerInfo()};
      if (observer_ != nullptr) observer_->OnWorker(name);
      break;
    }
    case PathKind::kAssignment: {
      auto assignment = records::DecodeAssignment(data);
      const std::string worker(parts.worker);
      assignments_[{worker, name}] =
          AssignmentView{worker, name, stat.czxid, stat.mzxid, assignment.ok() ? *std::move(assignment) : worker::v1::Assignment()};
      if (observer_ != nullptr) observer_->OnAssignment(worker, name);
      break;
    }
    case PathKind::kDied:
      died_[name] = stat.czxid;
      if (observer_ != nullptr) observer_->OnDied(name);
      break;
    case PathKind::kDrain: {
      auto drain = records::DecodeDrain(data);
      drains_[name] = DrainView{drain.ok() ? *std::move(drain) : worker::v1::Drain(), stat.mzxid};
      if (observer_ != nullptr) observer_->OnWorker(name);
      break;
    }
    case PathKind::kQueue: {
      // What cannot be read holds for nothing; it can still be set anew.
      auto settings = records::DecodeQueueSettings(data);
      queues_[name] = QueueView{settings.ok() ? *std::move(settings) : task::v1::QueueSettings(), stat.mzxid};
      if (observer_ != nullptr) observer_->OnQueue(name);
      break;
    }
    case PathKind::kSchedule: {
      // What cannot be read fires never; it can still be replaced or deleted.
      auto schedule = records::DecodeScheduleRecord(data);
      schedules_[name] = ScheduleView{schedule.ok() ? *std::move(schedule) : worker::v1::ScheduleRecord(), stat.mzxid};
      if (observer_ != nullptr) observer_->OnSchedule(name);
      break;
    }
    case PathKind::kArrayChunk: {
      // What cannot be read says of no element that it has ended. (drover check finds it.)
      auto chunk = records::DecodeArrayChunk(data);
      ChangeArray(parts.name, [&](ArrayView* array) {
        array->SetChunk(parts.chunk, {chunk.ok() ? *std::move(chunk) : worker::v1::ArrayChunk(), stat.mzxid});
      });
      break;
    }
    case PathKind::kHorizon: {
      const auto horizon = records::DecodeHorizon(data);
      // It only rises: bytes that are none do not lower it.
      if (horizon.ok()) horizon_ = std::max<std::uint64_t>(horizon_, horizon->ticket());
      horizon_mzxid_ = stat.mzxid;
      break;
    }
    case PathKind::kStore: {
      auto store = records::DecodeStoreInfo(data);
      if (store.ok()) store_ = *std::move(store);
      break;
    }
    case PathKind::kCandidate:
    case PathKind::kAssignees:
    case PathKind::kOther:
      break;
  }
}

void View::Remove(const std::string& path) {
  const PathParts parts = paths_.Parse(path);
  const std::string name(parts.name);
  switch (parts.kind) {
    case PathKind::kTask:
      RemoveTask(parts.name);
      break;
    case PathKind::kWorker:
      workers_.erase(name);
      if (observer_ != nullptr) observer_->OnWorker(name);
      break;
    case PathKind::kAssignment: {
      const std::string worker(parts.worker);
      assignments_.erase({worker, name});
      if (observer_ != nullptr) observer_->OnAssignment(worker, name);
      break;
    }
    case PathKind::kDied:
      died_.erase(name);
      break;
    case PathKind::kDrain:
      drains_.erase(name);
      if (observer_ != nullptr) observer_->OnWorker(name);
      break;
    case PathKind::kQueue:
      queues_.erase(name);
      if (observer_ != nullptr) observer_->OnQueue(name);
      break;
    case PathKind::kSchedule:
      schedules_.erase(name);
      if (observer_ != nullptr) observer_->OnSchedule(name);
      break;
    case PathKind::kArrayChunk:
      ChangeArray(parts.name, [&](ArrayView* array) { array->RemoveChunk(parts.chunk); });
      break;
    case PathKind::kHorizon:
      horizon_mzxid_ = Zxid();
      break;
    case PathKind::kStore:
      store_.reset();
      break;
    case PathKind::kCandidate:
    case PathKind::kAssignees:
    case PathKind::kOther:
      break;
  }
}

void View::OnReset(coord::ResetCause cause) {
  if (observer_ != nullptr) observer_->OnViewReset(cause);
  slots_.clear();
  free_.clear();
  by_id_.clear();
  by_submission_.clear();
  finished_.clear();
  awaiting_.clear();
  dependents_.clear();
  waiting_.clear();
  overdue_.clear();
  queues_.clear();
  tallies_.clear();
  tally_ = {};
  arrays_.clear();
  schedules_.clear();
  workers_.clear();
  drains_.clear();
  assignments_.clear();
  died_.clear();
  horizon_ = 0;
  horizon_mzxid_ = Zxid();
  store_.reset();
  seen_ = Zxid();
}

void View::OnNode(const coord::Node& node, Zxid) {
  Put(node.path, node.stat, node.data);
}

void View::OnEvent(const coord::Event& event) {
  if (event.type == coord::Event::Type::kDeleted) {
    Remove(event.path);
  } else {
    Put(event.path, event.stat, event.data);
  }
}

void View::OnSynced(Zxid zxid) {
  seen_ = std::max(seen_, zxid);
  if (observer_ != nullptr) observer_->OnViewSynced();
}

void View::OnProgress(Zxid zxid) {
  seen_ = std::max(seen_, zxid);
  if (observer_ != nullptr) observer_->OnViewProgress();
}

void View::OnEnded(const absl::Status& why) {
  if (observer_ != nullptr) observer_->OnViewEnded(why);
}

}  // namespace drover::master::state
