// What the tree says about one pool, kept by a recursive watch: the same in the elected master and in the standbys.
//
// Tasks keep their records as the bytes in the tree; a record is decoded when it is needed. Assignments, workers and notices of
// death are few and are kept decoded. Everything is indexed for the questions that are asked: by id, by submission, by end.
//
// Between the events of one transaction the view is a step ahead or behind of itself; whoever decides does so later, from a posted
// task, and guards what he decides.
//
// Threads: the session's loop. References to tasks are valid until the task is gone or the view is reset.
#ifndef DROVER_MASTER_STATE_VIEW_H_
#define DROVER_MASTER_STATE_VIEW_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "drover/coord/subtree.h"
#include "drover/worker/v1/record.pb.h"
#include "master/records/array_view.h"
#include "master/records/paths.h"
#include "master/scheduler/types.h"

namespace drover::master::state {

using base::Zxid;
using records::ArrayView;
using records::ChunkView;
using scheduler::TaskRef;

// How many of a queue's tasks are where.
struct QueueTally {
  std::size_t ready = 0;
  std::size_t delayed = 0;  // WAITING
  std::size_t running = 0;  // ASSIGNED or RUNNING

  [[nodiscard]] std::size_t waiting() const { return ready + delayed; }
};

using NamedTally = std::pair<const std::string, QueueTally>;

struct DrainView {
  worker::v1::Drain drain;
  Zxid mzxid;
};

struct QueueView {
  task::v1::QueueSettings settings;
  Zxid mzxid;
};

struct ScheduleView {
  worker::v1::ScheduleRecord record;
  Zxid mzxid;
};

struct TaskView {
  std::string id;
  std::string record;  // as in the tree
  Zxid czxid;
  Zxid mzxid;
  std::int64_t created_at_ms = 0;  // the cluster's time of the submission
  std::int64_t changed_at_ms = 0;  // and of the last transition
  std::int64_t not_before_ms = 0;  // of a WAITING one
  std::int64_t overdue_at_ms = 0;  // of one that waits: when it ends unrun; 0: never
  TaskRef ref;
  std::uint32_t pins = 0;
  task::v1::State state = task::v1::STATE_UNSPECIFIED;  // unspecified: not a record of ours
  NamedTally* tally = nullptr;                          // of its queue, while it has not ended
  bool present = false;                                 // false: a number was reserved for it, nothing more
  bool awaits = false;                                  // it waits for the tasks that it depends on
  bool array = false;                                   // it has elements, and does not run itself

  [[nodiscard]] absl::StatusOr<worker::v1::TaskRecord> Decode() const;
};

struct WorkerView {
  std::string name;
  Zxid incarnation;
  worker::v1::WorkerInfo info;
};

struct AssignmentView {
  std::string worker;
  std::string task;
  Zxid czxid;  // the fence of the attempt
  Zxid mzxid;
  worker::v1::Assignment data;
};

class ViewObserver {
 public:
  virtual void OnViewReset(coord::ResetCause cause) = 0;
  virtual void OnViewSynced() = 0;
  virtual void OnViewProgress() = 0;
  // Created or changed.
  virtual void OnTask(const TaskView& task) = 0;
  // `task` is as it was; its number stays valid during the call.
  virtual void OnTaskGone(const TaskView& task) = 0;
  // It, or its drain, came, changed or went.
  virtual void OnWorker(const std::string& name) = 0;
  virtual void OnAssignment(const std::string& worker, const std::string& task) = 0;
  virtual void OnDied(const std::string& process_id) = 0;
  // Its settings came, changed or went.
  virtual void OnQueue(const std::string& /*name*/) {}
  // It came, changed or went.
  virtual void OnSchedule(const std::string& /*name*/) {}
  // Something that its ArrayView says changed.
  virtual void OnArray(const std::string& /*task*/) {}
  virtual void OnViewEnded(const absl::Status& /*why*/) {}

 protected:
  ~ViewObserver() = default;
};

class View final : private coord::SubtreeListener {
 public:
  using AssignmentKey = std::pair<std::string, std::string>;  // worker, task

  // `observer` may be null and must outlive it. Starts reading at once.
  View(coord::Session* session, records::PoolPaths paths, ViewObserver* observer);
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  [[nodiscard]] const records::PoolPaths& paths() const { return paths_; }
  [[nodiscard]] bool synced() const { return follower_ != nullptr && follower_->synced(); }
  // Everything up to it is in here; 0 while not synced.
  [[nodiscard]] Zxid zxid() const { return synced() ? std::max(follower_->zxid(), seen_) : Zxid(); }

  // Null if there is none.
  [[nodiscard]] const TaskView* Find(absl::string_view id) const;
  [[nodiscard]] const TaskView* At(TaskRef ref) const;
  [[nodiscard]] std::size_t tasks() const { return by_submission_.size(); }
  // (creation zxid, number), oldest first.
  [[nodiscard]] const absl::btree_set<std::pair<Zxid, TaskRef>>& by_submission() const { return by_submission_; }
  // Terminal ones by the zxid of their end.
  [[nodiscard]] const absl::btree_set<std::pair<Zxid, TaskRef>>& finished() const { return finished_; }

  // WAITING for other tasks, by number.
  [[nodiscard]] const absl::btree_set<TaskRef>& awaiting() const { return awaiting_; }
  // Those of them that name this one, whether it is there or not; null: none does.
  [[nodiscard]] const absl::btree_set<TaskRef>* DependentsOf(absl::string_view id) const;
  // Nothing: there is no such task.
  [[nodiscard]] std::optional<task::v1::State> StateOf(absl::string_view id) const;

  // WAITING for a time, by that time, soonest first.
  [[nodiscard]] const absl::btree_set<std::pair<std::int64_t, TaskRef>>& waiting() const { return waiting_; }

  // WAITING and READY ones by the time at which they end unrun (records::StartBound), and RUNNING arrays by that at which they hand
  // out nothing more; soonest first.
  [[nodiscard]] const absl::btree_set<std::pair<std::int64_t, TaskRef>>& overdue() const { return overdue_; }

  // Queues with settings.
  [[nodiscard]] const std::map<std::string, QueueView>& queues() const { return queues_; }
  [[nodiscard]] const QueueView* FindQueue(absl::string_view name) const;
  // Queues with tasks that have not ended; and of one, and of all together.
  [[nodiscard]] const std::map<std::string, QueueTally, std::less<>>& tallies() const { return tallies_; }
  [[nodiscard]] QueueTally TallyOf(absl::string_view queue) const;
  [[nodiscard]] const QueueTally& tally() const { return tally_; }

  // By task; also what is left of some that are gone.
  [[nodiscard]] const std::map<std::string, ArrayView, std::less<>>& arrays() const { return arrays_; }
  // Null: there is no such array, nor anything left of one.
  [[nodiscard]] const ArrayView* FindArray(absl::string_view task) const;

  [[nodiscard]] const std::map<std::string, ScheduleView>& schedules() const { return schedules_; }
  [[nodiscard]] const ScheduleView* FindSchedule(absl::string_view name) const;

  [[nodiscard]] const std::map<std::string, WorkerView>& workers() const { return workers_; }
  [[nodiscard]] const WorkerView* FindWorker(absl::string_view name) const;
  // By name of the worker, which need not be there.
  [[nodiscard]] const std::map<std::string, DrainView>& drains() const { return drains_; }
  [[nodiscard]] const DrainView* FindDrain(absl::string_view worker) const;
  [[nodiscard]] const std::map<AssignmentKey, AssignmentView>& assignments() const { return assignments_; }
  [[nodiscard]] const AssignmentView* FindAssignment(absl::string_view worker, absl::string_view task) const;
  // Process ids of which a reaper said that they are dead, with the notice's creation zxid.
  [[nodiscard]] const std::map<std::string, Zxid>& died() const { return died_; }
  [[nodiscard]] std::uint64_t horizon() const { return horizon_; }
  // 0: there is none.
  [[nodiscard]] Zxid horizon_mzxid() const { return horizon_mzxid_; }
  [[nodiscard]] const std::optional<worker::v1::StoreInfo>& store() const { return store_; }

  // The number by which the scheduler calls a task, reserved for one that is not in the tree yet; each Pin needs an Unpin.
  TaskRef Pin(absl::string_view id);
  void Unpin(absl::string_view id);

 private:
  void OnReset(coord::ResetCause cause) override;
  void OnNode(const coord::Node& node, Zxid zxid) override;
  void OnEvent(const coord::Event& event) override;
  void OnSynced(Zxid zxid) override;
  void OnProgress(Zxid zxid) override;
  void OnEnded(const absl::Status& why) override;

  void Put(const std::string& path, const coord::Stat& stat, const std::string& data);
  void Remove(const std::string& path);
  void PutTask(absl::string_view id, const coord::Stat& stat, const std::string& data);
  void RemoveTask(absl::string_view id);
  void Index(TaskView* task, const worker::v1::TaskRecord& record);
  void Unindex(TaskView* task);
  void Count(TaskView* task, const std::string& queue);
  void Uncount(TaskView* task);
  // Every task that it depends on has it among its dependents from now on, or no longer.
  void Await(TaskView* task, const worker::v1::TaskRecord& record);
  void Unawait(TaskView* task);
  // What the record of a task, or that it is gone, says of arrays.
  void TellArrays(absl::string_view id, const worker::v1::TaskRecord* record, bool was_array);
  template <typename Change>
  void ChangeArray(absl::string_view task, Change change);
  TaskView* Slot(absl::string_view id);
  void FreeIfUnused(TaskView* task);

  const records::PoolPaths paths_;
  ViewObserver* const observer_;
  std::vector<std::unique_ptr<TaskView>> slots_;  // by number
  std::vector<TaskRef> free_;
  absl::flat_hash_map<absl::string_view, TaskView*> by_id_;  // never iterated; keys are the tasks' own ids
  absl::btree_set<std::pair<Zxid, TaskRef>> by_submission_;
  absl::btree_set<std::pair<Zxid, TaskRef>> finished_;
  absl::btree_set<TaskRef> awaiting_;
  absl::flat_hash_map<std::string, absl::btree_set<TaskRef>> dependents_;  // never iterated
  absl::btree_set<std::pair<std::int64_t, TaskRef>> waiting_;
  absl::btree_set<std::pair<std::int64_t, TaskRef>> overdue_;
  std::map<std::string, QueueView> queues_;
  std::map<std::string, QueueTally, std::less<>> tallies_;
  QueueTally tally_;
  std::map<std::string, ArrayView, std::less<>> arrays_;
  std::map<std::string, ScheduleView> schedules_;
  std::map<std::string, WorkerView> workers_;
  std::map<std::string, DrainView> drains_;
  std::map<AssignmentKey, AssignmentView> assignments_;
  std::map<std::string, Zxid> died_;
  std::uint64_t horizon_ = 0;
  Zxid horizon_mzxid_;
  std::optional<worker::v1::StoreInfo> store_;
  Zxid seen_;
  std::unique_ptr<coord::SubtreeFollower> follower_;
};

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_VIEW_H_
