// Every transition that a master commits, as a pure function from what the view shows to a guarded transaction.
//
// Guards compare creation zxids, never existence or version alone: names and versions come back, zxids do not. Each transaction is
// guarded by the epoch (czxid of the master's own candidate node); what it takes for granted besides is compared, too:
//   a new assignment     the worker's incarnation (czxid of its node) and the record's mzxid
//   a standing one       its czxid (the fence); its mzxid where the task would run again, because a cancel changes only that
//   a vanished worker    that its node is still missing, or is still that other incarnation
// Tests hold the table of guards.
#ifndef DROVER_MASTER_STATE_TRANSITIONS_H_
#define DROVER_MASTER_STATE_TRANSITIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "drover/coord/types.h"
#include "drover/worker/v1/record.pb.h"
#include "master/records/codec.h"
#include "master/records/paths.h"
#include "master/records/time_bounds.h"
#include "master/state/view.h"

namespace drover::master::state {

// Under which every write of this master stands.
struct Epoch {
  std::string candidate_path;
  Zxid czxid;

  friend bool operator==(const Epoch&, const Epoch&) = default;
};

// Whom a task is given to.
struct Target {
  std::string worker;
  Zxid incarnation;
  std::string process_id;
};

// A task with the record that was read.
struct Subject {
  std::string id;
  Zxid mzxid;
  worker::v1::TaskRecord record;
};

class Transitions {
 public:
  Transitions(records::PoolPaths paths, Epoch epoch) : paths_(std::move(paths)), epoch_(std::move(epoch)) {}

  [[nodiscard]] const Epoch& epoch() const { return epoch_; }

  // `record` is READY or WAITING. With a target (only of a READY one) it is assigned in the same transaction. Refused with
  // kNodeExists if the id is known. `awaited`: tasks that must be there, because it waits for them.
  [[nodiscard]] coord::Transaction Submit(absl::string_view id, worker::v1::TaskRecord record, const std::optional<Target>& target,
                                          const std::vector<std::string>& awaited, std::int64_t now_ms) const;
  // `task` has ended; `next` takes its place.
  [[nodiscard]] coord::Transaction Rerun(const Subject& task, const worker::v1::TaskRecord& next,
                                         const std::vector<std::string>& awaited) const;
  [[nodiscard]] coord::Transaction Assign(Subject task, const Target& target, std::int64_t now_ms) const;

  // The worker of `assignment` vanished: `now_there` is who has its name now, null if nobody.
  // READY again, with a loss more if `count_loss`.
  [[nodiscard]] coord::Transaction TakeBack(Subject task, const AssignmentView& assignment, const WorkerView* now_there,
                                            bool count_loss, absl::string_view sentence, std::int64_t now_ms) const;
  // Over: LOST, FAILED (quarantine) or CANCELLED. `died`: decided because the notice of this process's death stands.
  [[nodiscard]] coord::Transaction GiveUp(Subject task, const AssignmentView& assignment, const WorkerView* now_there,
                                          bool count_loss, const records::AttemptEnd& end, bool died) const;
  // Since when the worker has been away (0: it is back). Data of the assignment, not a transition of the record.
  [[nodiscard]] coord::Transaction NoteLost(const AssignmentView& assignment, std::int64_t since_ms) const;

  [[nodiscard]] coord::Transaction CancelWaiting(Subject task, absl::string_view reason, std::int64_t now_ms) const;
  // Tells the worker, whose transition ends the task.
  [[nodiscard]] coord::Transaction CancelAssigned(const AssignmentView& assignment, absl::string_view reason) const;

  // A task whose time to wait is over: READY.
  [[nodiscard]] coord::Transaction Release(Subject task) const;
  // What it waits for has ended as it should: READY, or WAITING for its time. Its limits count from now on (the cluster's time), or
  // from that time.
  [[nodiscard]] coord::Transaction Resolve(Subject task, std::int64_t cluster_now_ms, std::int64_t cluster_passed_ms) const;
  // It waits for what has ended otherwise: CANCELLED.
  [[nodiscard]] coord::Transaction NeverRuns(Subject task, absl::string_view sentence, std::int64_t now_ms) const;
  // A waiting task that has not started, or ended, in time: FAILED.
  [[nodiscard]] coord::Transaction Overdue(Subject task, const records::TimeBound& bound, std::int64_t now_ms) const;
  // A waiting task that has lost too many workers.
  [[nodiscard]] coord::Transaction Quarantine(Subject task, std::int64_t now_ms) const;
  // The record says ASSIGNED or RUNNING and no assignment stands: somebody deleted it by hand.
  [[nodiscard]] coord::Transaction Orphaned(Subject task, std::int64_t now_ms) const;

  // A READY array is RUNNING: its elements are handed out.
  [[nodiscard]] coord::Transaction BeginArray(Subject array) const;
  // An element of it gets a record, and with a target is assigned. `ended`: the record that it has of an earlier life, whose place
  // this one takes.
  [[nodiscard]] coord::Transaction HandOut(absl::string_view array, absl::string_view element, worker::v1::TaskRecord record,
                                           const std::optional<Subject>& ended, const std::optional<Target>& target,
                                           std::int64_t now_ms) const;
  // How elements ended. `known` null: there is no such chunk yet.
  [[nodiscard]] coord::Transaction SetChunk(absl::string_view array, std::uint32_t number, const worker::v1::ArrayChunk& chunk,
                                            const ChunkView* known) const;
  // It hands out nothing more: what is left ends so.
  [[nodiscard]] coord::Transaction Close(Subject array, const records::AttemptEnd& as) const;
  // All its elements have ended.
  [[nodiscard]] coord::Transaction EndArray(Subject array, const records::AttemptEnd& end) const;
  // With what is known of its elements.
  [[nodiscard]] coord::Transaction RetireArray(absl::string_view id, Zxid mzxid, const ArrayView& array) const;

  // `known` null: the queue has no settings yet.
  [[nodiscard]] coord::Transaction SetQueue(absl::string_view name, const task::v1::QueueSettings& settings,
                                            const QueueView* known) const;
  [[nodiscard]] coord::Transaction DeleteQueue(absl::string_view name, Zxid mzxid) const;

  // `known` null: it is not drained yet.
  [[nodiscard]] coord::Transaction SetDrain(absl::string_view worker, const worker::v1::Drain& drain, const DrainView* known) const;
  [[nodiscard]] coord::Transaction DeleteDrain(absl::string_view worker, Zxid mzxid) const;

  // `known` null: there is none of this name yet.
  [[nodiscard]] coord::Transaction SetSchedule(absl::string_view name, const worker::v1::ScheduleRecord& record,
                                               const ScheduleView* known) const;
  [[nodiscard]] coord::Transaction DeleteSchedule(absl::string_view name, Zxid mzxid) const;
  // `next` takes the place of `known`, and this task is submitted, in one. Refused with kNodeExists if its id is known.
  [[nodiscard]] coord::Transaction Fire(absl::string_view name, const worker::v1::ScheduleRecord& next, const ScheduleView& known,
                                        absl::string_view task, const worker::v1::TaskRecord& record) const;

  // `horizon_mzxid` 0: there is none yet.
  [[nodiscard]] coord::Transaction RaiseHorizon(std::uint64_t ticket, Zxid horizon_mzxid) const;
  [[nodiscard]] coord::Transaction Retire(absl::string_view id, Zxid mzxid) const;
  [[nodiscard]] coord::Transaction DeleteDied(absl::string_view process_id, Zxid czxid) const;
  // An assignment of a task that has no record.
  [[nodiscard]] coord::Transaction DeleteStray(const AssignmentView& assignment) const;

 private:
  [[nodiscard]] coord::Transaction Guarded() const;
  // A node of settings, new if `known_mzxid` is not set.
  [[nodiscard]] coord::Transaction Put(const std::string& path, std::string data, std::optional<Zxid> known_mzxid) const;
  [[nodiscard]] coord::Transaction Remove(const std::string& path, Zxid mzxid) const;
  void GuardThere(const std::vector<std::string>& tasks, coord::Transaction* t) const;
  void GuardVanished(const AssignmentView& assignment, const WorkerView* now_there, coord::Transaction* t) const;

  const records::PoolPaths paths_;
  const Epoch epoch_;
};

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_TRANSITIONS_H_
