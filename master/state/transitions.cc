#include "master/state/transitions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/record_limits.h"

namespace drover::master::state {

using coord::Compare;
using coord::Operation;
using coord::Transaction;

namespace {

void GiveTo(worker::v1::TaskRecord* record, const Target& target, std::int64_t now_ms) {
  records::AddAttempt(record, target.worker, now_ms);
  record->set_state(task::v1::ASSIGNED);
  record->set_worker(target.worker);
  record->set_reason(task::v1::NONE);
  record->clear_sentence();
}

Operation MakeAssignment(const records::PoolPaths& paths, absl::string_view task, const Target& target) {
  worker::v1::Assignment assignment;
  assignment.set_process_id(target.process_id);
  return Operation::Create(paths.Assignment(target.worker, task), records::Encode(assignment), {.parents = true});
}

}  // namespace

Transaction Transitions::Guarded() const {
  Transaction t;
  t.compares.push_back(Compare::Czxid(epoch_.candidate_path, epoch_.czxid));
  return t;
}

void Transitions::GuardVanished(const AssignmentView& assignment, const WorkerView* now_there, Transaction* t) const {
  const std::string worker = paths_.Worker(assignment.worker);
  t->compares.push_back(now_there == nullptr ? Compare::Absent(worker) : Compare::Czxid(worker, now_there->incarnation));
}

void Transitions::GuardThere(const std::vector<std::string>& tasks, Transaction* t) const {
  for (const std::string& task : tasks) t->compares.push_back(Compare::Exists(paths_.Task(task)));
}

Transaction Transitions::Submit(absl::string_view id, worker::v1::TaskRecord record, const std::optional<Target>& target,
                                const std::vector<std::string>& awaited, std::int64_t now_ms) const {
  Transaction t = Guarded();
  GuardThere(awaited, &t);
  if (target.has_value()) {
    t.compares.push_back(Compare::Czxid(paths_.Worker(target->worker), target->incarnation));
    GiveTo(&record, *target, now_ms);
  }
  t.then.push_back(Operation::Create(paths_.Task(id), records::Encode(record), {.parents = true}));
  if (target.has_value()) t.then.push_back(MakeAssignment(paths_, id, *target));
  return t;
}

Transaction Transitions::Rerun(const Subject& task, const worker::v1::TaskRecord& next,
                               const std::vector<std::string>& awaited) const {
  Transaction t = Guarded();
  GuardThere(awaited, &t);
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(next)));
  return t;
}

Transaction Transitions::Assign(Subject task, const Target& target, std::int64_t now_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Czxid(paths_.Worker(target.worker), target.incarnation));
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  GiveTo(&task.record, target, now_ms);
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  t.then.push_back(MakeAssignment(paths_, task.id, target));
  return t;
}

Transaction Transitions::TakeBack(Subject task, const AssignmentView& assignment, const WorkerView* now_there, bool count_loss,
                                  absl::string_view sentence, std::int64_t now_ms) const {
  const std::string path = paths_.Assignment(assignment.worker, assignment.task);
  Transaction t = Guarded();
  GuardVanished(assignment, now_there, &t);
  t.compares.push_back(Compare::Czxid(path, assignment.czxid));
  t.compares.push_back(Compare::Mzxid(path, assignment.mzxid));
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  records::EndAttempt(
      &task.record,
      {.state = task::v1::LOST, .reason = task::v1::WORKER_LOST, .fence = assignment.czxid.value, .finished_at_ms = now_ms});
  if (count_loss) task.record.set_losses(task.record.losses() + 1);
  records::BackToReady(&task.record, task::v1::WORKER_LOST, sentence);
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  t.then.push_back(Operation::Delete(path));
  return t;
}

Transaction Transitions::GiveUp(Subject task, const AssignmentView& assignment, const WorkerView* now_there, bool count_loss,
                                const records::AttemptEnd& end, bool died) const {
  const std::string path = paths_.Assignment(assignment.worker, assignment.task);
  Transaction t = Guarded();
  GuardVanished(assignment, now_there, &t);
  t.compares.push_back(Compare::Czxid(path, assignment.czxid));
  t.compares.push_back(Compare::Mzxid(path, assignment.mzxid));
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  if (died) t.compares.push_back(Compare::Exists(paths_.Died(assignment.data.process_id())));
  if (count_loss) task.record.set_losses(task.record.losses() + 1);
  records::EndAttempt(&task.record, end);
  records::EndTask(&task.record, end);
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  t.then.push_back(Operation::Delete(path));
  return t;
}

Transaction Transitions::NoteLost(const AssignmentView& assignment, std::int64_t since_ms) const {
  const std::string path = paths_.Assignment(assignment.worker, assignment.task);
  Transaction t = Guarded();
  t.compares.push_back(Compare::Czxid(path, assignment.czxid));
  t.compares.push_back(Compare::Mzxid(path, assignment.mzxid));
  worker::v1::Assignment data = assignment.data;
  data.set_lost_since(since_ms);
  t.then.push_back(Operation::Set(path, records::Encode(data)));
  return t;
}

Transaction Transitions::CancelWaiting(Subject task, absl::string_view reason, std::int64_t now_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  records::EndTask(&task.record, {.state = task::v1::CANCELLED,
                                  .reason = task::v1::CANCELLED_BY_USER,
                                  .sentence = std::string(reason),
                                  .finished_at_ms = now_ms});
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::CancelAssigned(const AssignmentView& assignment, absl::string_view reason) const {
  const std::string path = paths_.Assignment(assignment.worker, assignment.task);
  Transaction t = Guarded();
  t.compares.push_back(Compare::Czxid(path, assignment.czxid));
  t.compares.push_back(Compare::Mzxid(path, assignment.mzxid));
  worker::v1::Assignment data = assignment.data;
  data.set_cancel(true);
  data.set_cancel_reason(records::Clip(reason, records::kCancelReasonBytesMax));
  t.then.push_back(Operation::Set(path, records::Encode(data)));
  return t;
}

Transaction Transitions::Release(Subject task) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  // Why it is here stays to be read.
  records::BackToReady(&task.record, task.record.reason(), std::string(task.record.sentence()));
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::Resolve(Subject task, std::int64_t cluster_now_ms, std::int64_t cluster_passed_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  const bool delayed = task.record.eligible_at() > cluster_passed_ms;
  const std::int64_t eligible_at = delayed ? task.record.eligible_at() : std::max(task.record.eligible_at(), cluster_now_ms);
  const std::string sentence(task.record.sentence());
  if (delayed) {
    records::BackToWaiting(&task.record, task.record.reason(), sentence, eligible_at);
  } else {
    records::BackToReady(&task.record, task.record.reason(), sentence);
  }
  task.record.set_eligible_at(eligible_at);
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::NeverRuns(Subject task, absl::string_view sentence, std::int64_t now_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  records::EndTask(
      &task.record,
      {.state = task::v1::CANCELLED, .reason = task::v1::DEPENDENCY, .sentence = std::string(sentence), .finished_at_ms = now_ms});
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::Overdue(Subject task, const records::TimeBound& bound, std::int64_t now_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  // Why it waited, if it has failed before, is the more telling half.
  const std::string before = task.record.sentence().empty() ? "" : absl::StrCat("; before: ", std::string(task.record.sentence()));
  records::EndTask(&task.record, {.state = task::v1::FAILED,
                                  .reason = bound.reason,
                                  .sentence = absl::StrCat(bound.sentence, before),
                                  .finished_at_ms = now_ms});
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::Quarantine(Subject task, std::int64_t now_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  records::EndTask(&task.record, {.state = task::v1::FAILED,
                                  .reason = task::v1::WORKER_LOST_LIMIT,
                                  .sentence = absl::StrCat("given up: ", task.record.losses(),
                                                           " attempts were lost with the process that ran them"),
                                  .finished_at_ms = now_ms});
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::Orphaned(Subject task, std::int64_t now_ms) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(task.id), task.mzxid));
  t.compares.push_back(Compare::Absent(paths_.Assignment(task.record.worker(), task.id)));
  const bool started = task.record.policy().at_most_once() && task.record.state() == task::v1::RUNNING;
  records::AttemptEnd end{.state = task::v1::LOST,
                          .reason = task::v1::WORKER_LOST,
                          .sentence = "its assignment was deleted by somebody else",
                          .finished_at_ms = now_ms};
  records::EndAttempt(&task.record, end);
  if (started) {
    records::EndTask(&task.record, end);
  } else {
    records::BackToReady(&task.record, end.reason, end.sentence);
  }
  t.then.push_back(Operation::Set(paths_.Task(task.id), records::Encode(task.record)));
  return t;
}

Transaction Transitions::BeginArray(Subject array) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(array.id), array.mzxid));
  array.record.set_state(task::v1::RUNNING);
  t.then.push_back(Operation::Set(paths_.Task(array.id), records::Encode(array.record)));
  return t;
}

Transaction Transitions::HandOut(absl::string_view array, absl::string_view element, worker::v1::TaskRecord record,
                                 const std::optional<Subject>& ended, const std::optional<Target>& target,
                                 std::int64_t now_ms) const {
  Transaction t = Guarded();
  const std::string path = paths_.Task(element);
  t.compares.push_back(Compare::Exists(paths_.Task(array)));
  if (ended.has_value()) {
    t.compares.push_back(Compare::Mzxid(path, ended->mzxid));
    records::SucceedTo(ended->record, &record);
  }
  if (target.has_value()) {
    t.compares.push_back(Compare::Czxid(paths_.Worker(target->worker), target->incarnation));
    GiveTo(&record, *target, now_ms);
  }
  t.then.push_back(ended.has_value() ? Operation::Set(path, records::Encode(record))
                                     : Operation::Create(path, records::Encode(record), {.parents = true}));
  if (target.has_value()) t.then.push_back(MakeAssignment(paths_, element, *target));
  return t;
}

Transaction Transitions::SetChunk(absl::string_view array, std::uint32_t number, const worker::v1::ArrayChunk& chunk,
                                  const ChunkView* known) const {
  return Put(paths_.ArrayChunk(array, number), records::Encode(chunk),
             known == nullptr ? std::nullopt : std::optional(known->mzxid));
}

Transaction Transitions::Close(Subject array, const records::AttemptEnd& as) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(array.id), array.mzxid));
  array.record.set_closing(as.state);
  array.record.set_reason(as.reason);
  array.record.set_sentence(records::Clip(as.sentence, records::kSentenceBytesMax));
  t.then.push_back(Operation::Set(paths_.Task(array.id), records::Encode(array.record)));
  return t;
}

Transaction Transitions::EndArray(Subject array, const records::AttemptEnd& end) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(paths_.Task(array.id), array.mzxid));
  records::EndTask(&array.record, end);
  t.then.push_back(Operation::Set(paths_.Task(array.id), records::Encode(array.record)));
  return t;
}

Transaction Transitions::RetireArray(absl::string_view id, Zxid mzxid, const ArrayView& array) const {
  Transaction t = Retire(id, mzxid);
  for (const auto& [number, chunk] : array.chunks()) t.then.push_back(Operation::Delete(paths_.ArrayChunk(id, number)));
  if (!array.chunks().empty()) t.then.push_back(Operation::Delete(paths_.ArrayChunks(id)));
  return t;
}

Transaction Transitions::Put(const std::string& path, std::string data, std::optional<Zxid> known_mzxid) const {
  Transaction t = Guarded();
  if (!known_mzxid.has_value()) {
    t.then.push_back(Operation::Create(path, std::move(data), {.parents = true}));
  } else {
    t.compares.push_back(Compare::Mzxid(path, *known_mzxid));
    t.then.push_back(Operation::Set(path, std::move(data)));
  }
  return t;
}

Transaction Transitions::Remove(const std::string& path, Zxid mzxid) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Mzxid(path, mzxid));
  t.then.push_back(Operation::Delete(path));
  return t;
}

Transaction Transitions::SetQueue(absl::string_view name, const task::v1::QueueSettings& settings, const QueueView* known) const {
  return Put(paths_.Queue(name), records::Encode(settings), known == nullptr ? std::nullopt : std::optional(known->mzxid));
}

Transaction Transitions::DeleteQueue(absl::string_view name, Zxid mzxid) const {
  return Remove(paths_.Queue(name), mzxid);
}

Transaction Transitions::SetDrain(absl::string_view worker, const worker::v1::Drain& drain, const DrainView* known) const {
  return Put(paths_.Drain(worker), records::Encode(drain), known == nullptr ? std::nullopt : std::optional(known->mzxid));
}

Transaction Transitions::DeleteDrain(absl::string_view worker, Zxid mzxid) const {
  return Remove(paths_.Drain(worker), mzxid);
}

Transaction Transitions::SetSchedule(absl::string_view name, const worker::v1::ScheduleRecord& record,
                                     const ScheduleView* known) const {
  return Put(paths_.Schedule(name), records::Encode(record), known == nullptr ? std::nullopt : std::optional(known->mzxid));
}

Transaction Transitions::DeleteSchedule(absl::string_view name, Zxid mzxid) const {
  return Remove(paths_.Schedule(name), mzxid);
}

Transaction Transitions::Fire(absl::string_view name, const worker::v1::ScheduleRecord& next, const ScheduleView& known,
                              absl::string_view task, const worker::v1::TaskRecord& record) const {
  Transaction t = SetSchedule(name, next, &known);
  t.then.push_back(Operation::Create(paths_.Task(task), records::Encode(record), {.parents = true}));
  return t;
}

Transaction Transitions::RaiseHorizon(std::uint64_t ticket, Zxid horizon_mzxid) const {
  worker::v1::Horizon horizon;
  horizon.set_ticket(ticket);
  return Put(paths_.Horizon(), records::Encode(horizon), horizon_mzxid == Zxid() ? std::nullopt : std::optional(horizon_mzxid));
}

Transaction Transitions::Retire(absl::string_view id, Zxid mzxid) const {
  return Remove(paths_.Task(id), mzxid);
}

Transaction Transitions::DeleteDied(absl::string_view process_id, Zxid czxid) const {
  Transaction t = Guarded();
  t.compares.push_back(Compare::Czxid(paths_.Died(process_id), czxid));
  t.then.push_back(Operation::Delete(paths_.Died(process_id)));
  return t;
}

Transaction Transitions::DeleteStray(const AssignmentView& assignment) const {
  const std::string path = paths_.Assignment(assignment.worker, assignment.task);
  Transaction t = Guarded();
  t.compares.push_back(Compare::Czxid(path, assignment.czxid));
  t.compares.push_back(Compare::Absent(paths_.Task(assignment.task)));
  t.then.push_back(Operation::Delete(path));
  return t;
}

}  // namespace drover::master::state
