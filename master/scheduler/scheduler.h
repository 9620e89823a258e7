// Which task runs where: told what changed, it plans what can be started. Deterministic: the same calls give the same plans.
//
//   scheduler.PutWorker({.name = "w1", .slots = 4});
//   scheduler.SetWaiting(ref, {.queue = "default", .order = czxid});
//   Plan plan = scheduler.Schedule(1000);      // {ref -> "w1"}; from now on the slot counts as taken
//   ... committed: SetHolding(ref, "w1", alone) says the same; refused: SetWaiting(ref, facts) gives the slot back
//
// Order: higher priority first, then earlier submission. Of the workers that have all labels and a free slot the least loaded takes
// it (as a fraction of its slots), then the first by name. A task of which two attempts were lost with the process that ran them
// runs alone on its worker; so that it gets there under load, one worker at a time is emptied for it once it is its turn. After
// five it is given up.
//
// Cost: a plan looks at classes of requirements (queue, labels, alone) and groups of workers (equal labels), never at waiting tasks
// one by one; a class that found no place is not looked at again before a worker that meets it has room. steps() counts what was
// looked at. Ordered sets make insertion and removal logarithmic.
//
// Ownership: copies what it is given. Threads: one.
#ifndef DROVER_MASTER_SCHEDULER_SCHEDULER_H_
#define DROVER_MASTER_SCHEDULER_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "master/scheduler/types.h"
#include "master/scheduler/waiting_index.h"
#include "master/scheduler/worker_index.h"

namespace drover::master::scheduler {

struct SchedulerOptions {
  // Classes without waiting tasks are kept up to this many classes in all: making one costs a look at every group.
  std::size_t idle_classes_max = 256;
};

class Scheduler final : private WorkerIndex::GroupObserver {
 public:
  explicit Scheduler(SchedulerOptions options = {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // A worker registered or changed.
  void PutWorker(const WorkerFacts& facts);
  // It is gone. Tasks held by it stay so until told otherwise.
  void RemoveWorker(absl::string_view name);

  // The task waits for a worker. Again with the same facts: nothing changes.
  void SetWaiting(TaskRef task, const TaskFacts& facts);
  // The task has a slot of this worker (which need not be known).
  void SetHolding(TaskRef task, absl::string_view worker, bool alone);
  // Neither: it ended, or is gone.
  void Forget(TaskRef task);

  // At most `limit` placements. What it places counts as held from here on.
  [[nodiscard]] Plan Schedule(std::size_t limit);
  // Places a task that is only just being submitted, if nobody who waits has a better claim: then it is held, and its worker is
  // returned. Else nothing is remembered of it.
  [[nodiscard]] std::optional<std::string> Place(TaskRef task, const TaskFacts& facts);

  [[nodiscard]] Explanation Explain(TaskRef task) const;

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  // Tasks held by the worker.
  [[nodiscard]] std::uint32_t Used(absl::string_view worker) const;
  // Classes, groups and tasks looked at so far.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  enum class State : std::uint8_t { kUnknown, kWaiting, kHolding, kQuarantined };
  // 32 bytes a task.
  struct Entry {
    RequirementClass* waits_in = nullptr;
    Worker* holder = nullptr;
    std::uint64_t order = 0;
    std::uint8_t priority = 0;
    bool alone = false;
    State state = State::kUnknown;
  };

  void OnGroupMade(WorkerGroup* group) override;
  void OnGroupGoing(WorkerGroup* group) override;

  Entry& EntryOf(TaskRef task);
  RequirementClass* ClassOf(const TaskFacts& facts);
  void DropClassIfIdle(RequirementClass* cls);
  void Clear(TaskRef task, Entry* entry);
  void Hold(Entry* entry, Worker* worker, bool alone);
  void Unhold(Entry* entry);

  // Puts the class in the open line, at its first task; takes it out.
  void Open(RequirementClass* cls);
  void Close(RequirementClass* cls);
  void Refresh(RequirementClass* cls);
  // The worker may have room it had not before.
  void Gained(Worker* worker);

  [[nodiscard]] Worker* Best(const RequirementClass& cls);
  [[nodiscard]] Worker* PickFor(RequirementClass* cls);
  void ReserveFor(RequirementClass* cls);
  void ReleaseReservation();
  void CheckReservation();
  // Whoever must run alone may try again: nobody holds the reservation.
  void OpenAlone();

  const SchedulerOptions options_;
  WorkerIndex workers_;
  std::map<ClassKey, RequirementClass> classes_;
  std::vector<Entry> entries_;
  absl::btree_map<scheduler::Place, RequirementClass*> open_;
  absl::btree_set<TaskRef> quarantined_;
  Worker* reserved_ = nullptr;
  RequirementClass* reserved_for_ = nullptr;
  std::size_t waiting_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_SCHEDULER_H_
