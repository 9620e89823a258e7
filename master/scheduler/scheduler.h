// Which task runs where: told what changed, it plans what can be started. Deterministic: the same calls give the same plans.
//
//   scheduler.PutWorker({.name = "w1", .slots = 4});
//   scheduler.SetWaiting(ref, {.queue = "default", .order = czxid});
//   Plan plan = scheduler.Schedule(1000);      // {ref -> "w1"}; from now on the slot counts as taken
//   ... committed: SetHolding(ref, "w1", facts) says the same; refused: SetWaiting(ref, facts) gives the slot back
//
// Order: the queue that has had least for its weight (queue_share.h), and in it higher priority first, then earlier submission,
// where ten minutes of waiting are worth one priority. Of the workers that have all labels, a free slot and the resources the least
// loaded takes it (as a fraction of its slots), then the first by name; or the fullest, where the queue packs. A task of which two
// attempts were lost with the process that ran them runs alone on its worker; so that it gets there under load, one worker at a
// time is emptied for it once it is its turn, and so for one whose resources have been nowhere free for 30 s. After five losses it
// is given up.
//
// Cost: a plan looks at queues, at classes of requirements (queue, labels, resources, alone) and at groups of workers (equal
// labels), never at waiting tasks one by one; a class that found no place is not looked at again before a worker that meets it has
// room. Within a group it looks past workers that have a slot, but not the resources. steps() counts what was looked at. Ordered
// sets make insertion and removal logarithmic.
//
// Time comes by Advance alone. Ownership: copies what it is given. Threads: one.
#ifndef DROVER_MASTER_SCHEDULER_SCHEDULER_H_
#define DROVER_MASTER_SCHEDULER_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "master/scheduler/key_limits.h"
#include "master/scheduler/queue_share.h"
#include "master/scheduler/types.h"
#include "master/scheduler/waiting_index.h"
#include "master/scheduler/worker_index.h"

namespace drover::master::scheduler {

struct SchedulerOptions {
  // Classes without waiting tasks are kept up to this many classes in all: making one costs a look at every group.
  std::size_t idle_classes_max = 256;
  // And queues, so that what they have had is remembered.
  std::size_t idle_queues_max = 64;
};

class Scheduler final : private WorkerIndex::GroupObserver {
 public:
  explicit Scheduler(SchedulerOptions options = {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The time is `now_ms`, of a clock that never goes back and begins anywhere: what rates and shares are counted by.
  void Advance(std::int64_t now_ms);

  // A worker registered or changed.
  void PutWorker(const WorkerFacts& facts);
  // It is gone. Tasks held by it stay so until told otherwise.
  void RemoveWorker(absl::string_view name);

  // Somebody said what is to hold for this queue.
  void PutQueue(absl::string_view name, const QueueFacts& facts);
  // What holds for any other holds for it again.
  void RemoveQueue(absl::string_view name);

  // The task waits for a worker. Again with the same facts: nothing changes.
  void SetWaiting(TaskRef task, const TaskFacts& facts);
  // The task has a slot of this worker (which need not be known).
  void SetHolding(TaskRef task, absl::string_view worker, const TaskFacts& facts);
  // Neither: it ended, or is gone.
  void Forget(TaskRef task);

  // At most `limit` placements. What it places counts as held from here on.
  [[nodiscard]] Plan Schedule(std::size_t limit);
  // Places a task that is only just being submitted, if nobody who waits has a better claim: then it is held, and its worker is
  // returned. Else nothing is remembered of it.
  [[nodiscard]] std::optional<std::string> Place(TaskRef task, const TaskFacts& facts);

  [[nodiscard]] Explanation Explain(TaskRef task) const;

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] QueueCounts CountsOf(absl::string_view queue) const;
  // Tasks held by the worker.
  [[nodiscard]] std::uint32_t Used(absl::string_view worker) const;
  // What these take of its resources.
  [[nodiscard]] Resources TakenOf(absl::string_view worker) const;
  // Queues, classes, groups, tasks and workers looked at so far.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  enum class State : std::uint8_t { kUnknown, kWaiting, kParked, kHolding, kQuarantined };
  // 40 bytes a task.
  struct Entry {
    RequirementClass* cls = nullptr;
    Worker* holder = nullptr;
    KeyLimits::Key* key = nullptr;
    std::int64_t line = 0;
    std::uint32_t key_max = 0;
    State state = State::kUnknown;
  };
  static_assert(sizeof(Entry) == 40);
  struct ByName {
    bool operator()(const Queue* a, const Queue* b) const { return a->name < b->name; }
  };
  struct StarvedLonger {
    bool operator()(const RequirementClass* a, const RequirementClass* b) const {
      if (a->starved_since_ms != b->starved_since_ms) return a->starved_since_ms < b->starved_since_ms;
      return a->key < b->key;
    }
  };

  void OnGroupMade(WorkerGroup* group) override;
  void OnGroupGoing(WorkerGroup* group) override;

  Entry& EntryOf(TaskRef task);
  Queue* QueueOf(absl::string_view name);
  void DropQueueIfUnused(Queue* queue);
  RequirementClass* ClassOf(const TaskFacts& facts);
  void DropClassIfIdle(RequirementClass* cls);
  [[nodiscard]] static bool Same(const Entry& entry, const RequirementClass* cls, const TaskFacts& facts);

  // Takes the task out of whatever it is in, and forgets it.
  void Clear(TaskRef task, Entry* entry);
  void Enter(TaskRef task, Entry* entry);
  void Leave(TaskRef task, Entry* entry);
  void Park(TaskRef task, Entry* entry);
  void Rouse(const std::vector<KeyLimits::Roused>& roused);
  void Hold(Entry* entry, Worker* worker);
  void Unhold(Entry* entry);
  // The queue is about to have a task: if it had none, it begins where the others are.
  void WakeQueue(Queue* queue);

  // Puts the class in its queue's open line, at its first task; takes it out.
  void Open(RequirementClass* cls);
  void Close(RequirementClass* cls);
  void Refresh(RequirementClass* cls);
  // The worker may have room it had not before.
  void Gained(Worker* worker);

  // The queue whose turn it is, null if none may start anything.
  [[nodiscard]] Queue* NextQueue();
  // A task of it is being placed.
  void Serve(Queue* queue);
  [[nodiscard]] std::int64_t UsageOfOthers(const Queue* queue);
  [[nodiscard]] static bool Fits(const Worker& worker, const RequirementClass& cls);
  // On the fullest worker. (One that must run alone takes an empty one.)
  [[nodiscard]] static bool Packs(const RequirementClass& cls);
  [[nodiscard]] Worker* PickIn(const WorkerGroup& group, const RequirementClass& cls);
  [[nodiscard]] Worker* PickFor(RequirementClass* cls);

  void FoundNoPlace(RequirementClass* cls);
  void Starve(RequirementClass* cls);
  void Unstarve(RequirementClass* cls);
  void ReserveForStarved();
  void ReserveFor(RequirementClass* cls);
  void ReleaseReservation();
  void CheckReservation();
  // Whoever must run alone may try again: nobody holds the reservation.
  void OpenAlone();
  [[nodiscard]] std::optional<std::int64_t> NextTimeThatMatters() const;
  // kNotWaiting: it does not.
  [[nodiscard]] std::pair<WaitReason, std::string> WaitsForItsQueue(const Queue& queue) const;

  const SchedulerOptions options_;
  std::int64_t now_ms_ = 0;
  WorkerIndex workers_;
  std::map<std::string, Queue, std::less<>> queues_;
  std::map<ClassKey, RequirementClass> classes_;
  KeyLimits keys_;
  std::vector<Entry> entries_;
  absl::btree_set<Queue*, ByName> open_;  // queues with an open class
  absl::btree_set<RequirementClass*, StarvedLonger> starved_;
  absl::btree_set<TaskRef> quarantined_;
  Worker* reserved_ = nullptr;
  RequirementClass* reserved_for_ = nullptr;
  std::size_t waiting_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_SCHEDULER_H_
