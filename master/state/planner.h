// Turns what the view shows into plans, while this master leads.
//
// In every master it follows the view and keeps the scheduler's indexes current, so that a standby that is elected plans at once.
// It plans only between Lead and StopLeading, and only once the view has reached the zxid from which on nobody before can have
// committed. Deciding happens in turns: events mark what is to be looked at, a posted task looks at it and hands one plan to
// Commit.
//
// Optimistic: what is in flight is marked by its subject and not decided again before its answer; the scheduler counts a planned
// slot as taken. A refused step is decided anew from the view, which by then shows what refused it.
//
// Threads: the session's loop. Callbacks of Submit and Cancel come once, never from inside the call (dropped unanswered if the
// planner is destroyed before).
#ifndef DROVER_MASTER_STATE_PLANNER_H_
#define DROVER_MASTER_STATE_PLANNER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "coord/base/loop.h"
#include "drover/task/v1/task.pb.h"
#include "master/records/task_id.h"
#include "master/scheduler/scheduler.h"
#include "master/state/committer.h"
#include "master/state/schedule_clock.h"
#include "master/state/take_back.h"
#include "master/state/transitions.h"
#include "master/state/under_way.h"
#include "master/state/view.h"

namespace drover::master::state {

struct PlannerOptions {
  // A started at-most-once task whose worker is away, and not known to be dead, is LOST after this.
  base::Duration lost_after = std::chrono::minutes(10);
  // The newest finished tasks stay in the tree; older ones leave once they have been finished for `retire_age`.
  std::size_t finished_kept = 10'000;
  base::Duration retire_age = std::chrono::seconds(60);
  std::size_t retire_batch = 500;
  // How often what depends on time alone is looked at; and before a step that the core would not take is decided again.
  base::Duration tick = std::chrono::seconds(1);
  // Before a step that its guard refused is decided again.
  base::Duration refused_pause = std::chrono::milliseconds(10);
  // Steps in flight above which no new work is placed, and above which submissions are refused.
  std::size_t in_flight_max = 4'096;
  std::size_t submissions_max = 16'384;
  // Tasks of the pool that have not started, delayed ones too, above which submissions are FULL.
  std::size_t waiting_max = 1'000'000;
  // Placements, and releases, of one turn: keeps a turn short.
  std::size_t turn_placements = 256;
  // Elements of one array that are READY, above which no more of them are handed out; and that have not ended, in back-off too.
  std::size_t array_ahead = 1'000;
  std::size_t array_under_way_max = 100'000;
};

struct SubmitResult {
  // kNotThere: a task that it depends on.
  enum class Kind { kDone, kExisted, kConflict, kTooOld, kNotFound, kRefused, kNotThere, kFull, kOverloaded, kUnavailable };
  Kind kind = Kind::kUnavailable;
  std::string sentence;
};

struct CancelResult {
  enum class Kind { kDone, kNotFound, kAlreadyTerminal, kUnavailable };
  Kind kind = Kind::kUnavailable;
  std::string sentence;
};

inline constexpr char kNotLeading[] = "this master does not lead now; try again";

using QueueAnswer = absl::StatusOr<task::v1::QueueSettings>;

class Planner final : public ViewObserver {
 public:
  struct Hooks {
    // The cluster's time, milliseconds since 1970, as far as it is known (drover/coord/cluster_time.h): what begins now begins at
    // the first, what is over is judged by the second, so that nothing is early. (Times that people are shown are the host's.)
    std::function<std::int64_t()> cluster_now_ms;
    std::function<std::int64_t()> cluster_passed_ms;
    // Calls back with the zxid of a state no older than this call; 0 if it cannot be had.
    std::function<void(std::function<void(Zxid)>)> sync;
    // Removed from the tree by this master: its objects may go.
    std::function<void(const std::string& id, const worker::v1::TaskRecord&)> retired;
    // The view lost its history while this master led: whoever else stands should lead.
    std::function<void()> step_down;
    // After the planner's own: for whoever shows the view to clients. May be null.
    ViewObserver* also = nullptr;
  };

  // Give it to the view as its observer; then Attach the view.
  Planner(base::Loop* loop, PlannerOptions options, Hooks hooks);
  ~Planner();
  void Attach(View* view) { view_ = view; }

  void Lead(Epoch epoch, Zxid since, Committer* committer);
  void StopLeading();
  // Leads and plans: submissions are taken.
  [[nodiscard]] bool planning() const;
  [[nodiscard]] bool leads() const { return lead_.has_value(); }

  // The record is READY, checked and digested; it waits if it may run only later. Idempotent by id, and by the record's submission.
  void Submit(std::string id, worker::v1::TaskRecord record, task::v1::IfExists if_exists,
              absl::AnyInvocable<void(SubmitResult)> done);
  // Runs a task anew that has ended, and not succeeded: kDone, kNotFound, kRefused. Idempotent by `submission`.
  void Retry(std::string id, std::uint64_t submission, absl::AnyInvocable<void(SubmitResult)> done);
  void Cancel(std::string id, std::string reason, absl::AnyInvocable<void(CancelResult)> done);

  // Changes what holds for a queue; answers with what holds now. INVALID_ARGUMENT, FAILED_PRECONDITION (too many), UNAVAILABLE.
  void SetQueue(task::v1::SetQueueRequest change, absl::AnyInvocable<void(QueueAnswer)> done);
  // NOT_FOUND: it has none; UNAVAILABLE.
  void DeleteQueue(const std::string& name, absl::AnyInvocable<void(absl::Status)> done);

  // A worker that is there, or was drained before, is given nothing new from now on, and returns what it runs once `patience` is
  // over (not set: what runs may end). NOT_FOUND, UNAVAILABLE.
  void DrainWorker(const std::string& worker, std::optional<base::Duration> patience, const std::string& reason,
                   absl::AnyInvocable<void(absl::Status)> done);
  // NOT_FOUND: it is not drained.
  void UndrainWorker(const std::string& worker, absl::AnyInvocable<void(absl::Status)> done);

  // ALREADY_EXISTS: there is another one of this name, and it is not to be replaced; FAILED_PRECONDITION (too many, or a time zone
  // that is not known here), INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE.
  void SetSchedule(task::v1::ScheduleSpec spec, bool replace, absl::AnyInvocable<void(absl::Status)> done);
  // NOT_FOUND, UNAVAILABLE.
  void DeleteSchedule(const std::string& name, absl::AnyInvocable<void(absl::Status)> done);
  void PauseSchedule(const std::string& name, bool paused, absl::AnyInvocable<void(absl::Status)> done);
  // Submits its task now: the id, and what became of it. Idempotent by `run`. NOT_FOUND, UNAVAILABLE.
  void RunSchedule(const std::string& name, std::uint64_t run,
                   absl::AnyInvocable<void(absl::StatusOr<std::string>, SubmitResult)> done);

  [[nodiscard]] const scheduler::Scheduler& scheduler() const { return *scheduler_; }
  [[nodiscard]] const ScheduleClock& schedules() const { return clock_; }
  // Why a schedule that is due has not fired; empty: it is not due, or is about to.
  [[nodiscard]] std::string WhyHeldBack(const std::string& name) const;
  [[nodiscard]] std::size_t waiting() const { return scheduler_->waiting(); }

 private:
  struct Leading {
    Transitions transitions;
    Zxid since;
    Committer* committer;
  };
  struct Submission {
    std::string id;
    worker::v1::TaskRecord record;
    absl::AnyInvocable<void(SubmitResult)> done;
    task::v1::IfExists if_exists = task::v1::SAME_ONLY;
    bool retry = false;  // the record has nothing but its submission
    int tries = 0;
  };
  // Of a node of settings: decided by what the view shows, and decided anew if somebody else was faster.
  struct Change {
    StepKind kind;
    std::string subject;
    std::function<absl::StatusOr<coord::Transaction>()> decide;
    absl::AnyInvocable<void(absl::Status)> done;
    int tries = 0;
  };
  struct Cancellation {
    std::string reason;
    std::vector<absl::AnyInvocable<void(CancelResult)>> done;
    int tries = 0;
  };

  void OnViewReset(coord::ResetCause cause) override;
  void OnViewSynced() override;
  void OnViewProgress() override;
  void OnTask(const TaskView& task) override;
  void OnTaskGone(const TaskView& task) override;
  void OnWorker(const std::string& name) override;
  void OnAssignment(const std::string& worker, const std::string& task) override;
  void OnDied(const std::string& process_id) override;
  void OnQueue(const std::string& name) override;
  void OnSchedule(const std::string& name) override;
  void OnArray(const std::string& task) override;
  void OnViewEnded(const absl::Status& why) override;

  void WakeUp();
  void Turn();
  void Tick();
  // Makes the scheduler's idea of a task that of the view.
  void Place(const TaskView& task);
  void TellWorker(const std::string& name);
  void TellQueue(const std::string& name);
  void TellSchedule(const std::string& name);
  // At the time of now.
  [[nodiscard]] scheduler::Scheduler& Current();

  void PlanAssignments(Plan* plan);
  void PlanAssignment(const AssignmentView& assignment, Plan* plan);
  void PlanOrphans(Plan* plan);
  void PlanCancellations(Plan* plan);
  void PlanCancellation(const std::string& id, Plan* plan);
  void AnswerCancellation(const std::string& id, CancelResult result);
  // Ends what has not started, or ended, in time, and looks again when the next is due.
  void PlanOverdue(Plan* plan);
  // Makes READY what has waited long enough, and looks again when the next is due.
  void PlanReleases(Plan* plan);
  // Lets run, or ends, what waits for tasks that have ended.
  void PlanDependents(Plan* plan);
  void PlanDependent(const TaskView& task, Plan* plan);
  // Submits what schedules have due, and looks again when the next one is.
  void PlanSchedules(Plan* plan);
  void PlanSchedule(const std::string& name, std::int64_t now_ms, Plan* plan);
  // Something waits for this task, which has ended or is gone.
  void MarkDependents(const std::string& id);
  // Hands `plan_one` what is due, and sets the timer for the next.
  void PlanDue(const absl::btree_set<std::pair<std::int64_t, TaskRef>>& by_time, base::Timer* timer, Plan* plan,
               absl::FunctionRef<void(const TaskView&, worker::v1::TaskRecord)> plan_one);
  // Something of this array, or of this element's, is to be looked at; the element is not on its way any more.
  void MarkArray(const std::string& task);
  void PlanArrays(Plan* plan);
  void PlanArray(Subject subject, const ArrayView& array, std::size_t* room, Plan* plan);
  // Writes down how elements ended; once it is closing those that were not handed out end as that.
  void PlanFolds(const std::string& id, const ArrayView& array, task::v1::State closing, Plan* plan);
  void HandOutElements(const Subject& subject, const ArrayView& array, std::size_t* room, Plan* plan);
  void HandOutElement(const Subject& array, std::uint32_t index, Plan* plan);
  // How many of its elements are on their way to being tasks.
  [[nodiscard]] std::size_t HandingOut(const std::string& array) const;
  void CancelElements(const Subject& array, const ArrayView& view);
  // Of an element that was not handed out.
  void CancelFree(const std::string& id, const records::Element& element, Plan* plan);
  void PlanPlacements(Plan* plan);
  void PlanDied(Plan* plan);
  void PlanRetirement(Plan* plan);
  // Marks `key` as in flight until the step is answered, and looks again at the task afterwards.
  void AddStep(Plan* plan, StepKind kind, std::string key, const std::string& task, coord::Transaction transaction,
               absl::AnyInvocable<void(const CommitResult&)> then = nullptr);
  void Answered(const std::string& key, const std::string& task, const CommitResult& result);
  void LookAgain(const std::string& task);

  void TrySubmit(Submission submission);
  // The core was asked whether it can have handed out this ticket: its state is `now`, 0 if it cannot be had.
  void TicketAsked(Submission submission, std::uint64_t ticket, Zxid now);
  // There is a task of its id.
  void MeetKnown(Submission submission, const TaskView& task);
  void SendSubmission(Submission submission);
  void SendRerun(Submission submission, const TaskView& task, const worker::v1::TaskRecord& ended);
  // What a task that is submitted now waits for. `before` of a task that is run anew: when it was submitted first; only what is
  // older may be waited for, so that nothing waits for itself in the end.
  struct Awaited {
    std::vector<std::string> tasks;  // empty: nothing
    std::string never;               // not empty: one of them has ended as it should not, and which
    std::string behind;              // not empty: this one is still being asked about, and comes first
    std::optional<SubmitResult> refused;
  };
  [[nodiscard]] Awaited AwaitedBy(const task::v1::Policy& policy, std::optional<Zxid> before) const;
  // When it first may run, by the cluster's time of now. REFUSED: not before its deadline.
  [[nodiscard]] absl::Status SetStart(worker::v1::TaskRecord* record, bool awaits) const;
  // What a submission that is on its way waits for is not retired.
  void BeginAwaiting(const std::vector<std::string>& tasks);
  void EndAwaiting(const std::vector<std::string>& tasks);
  // Where a task that is about to be created runs, if it can at once: the scheduler counts it as there. Unpin once that is
  // answered.
  [[nodiscard]] std::optional<Target> PlaceNew(TaskRef ref, const worker::v1::TaskRecord& record);
  void Unpin(TaskRef ref, const std::string& id);
  void SubmissionAnswered(Submission submission, const CommitResult& result);
  void AnswerLater(Submission submission, SubmitResult result);
  // Why the queue takes no more; empty: it does.
  [[nodiscard]] std::string WhyFull(const std::string& queue) const;
  void TryChange(Change change);
  void FailCommands();

  [[nodiscard]] std::optional<Target> TargetOf(const std::string& worker) const;
  [[nodiscard]] bool in_flight(absl::string_view key) const { return in_flight_.contains(key); }

  base::Loop* const loop_;
  const PlannerOptions options_;
  const Hooks hooks_;
  View* view_ = nullptr;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::optional<Leading> lead_;

  absl::flat_hash_set<std::string> in_flight_;  // never iterated
  std::set<View::AssignmentKey> assignments_due_;
  std::set<std::string> orphans_due_;
  std::set<std::string> died_due_;
  std::set<std::string> awaiting_due_;             // tasks that wait for others
  std::map<std::string, TaskRef> dependents_due_;  // those that wait for this task, from that number on
  std::optional<TaskRef> all_awaiting_due_;        // all that wait for others, from that number on
  std::map<std::string, std::size_t> awaited_;     // by how many submissions that are on their way
  std::set<std::string> arrays_due_;
  std::map<std::string, std::set<std::uint32_t>, std::less<>> handing_out_;  // by array: elements on their way to being tasks
  std::set<std::string> rerunning_;                                          // ended tasks whose next life is on its way
  std::map<std::string, std::size_t> asked_about_;                           // submissions whose ticket the core is asked about
  std::map<std::string, Cancellation> cancellations_;
  std::map<std::string, std::vector<Submission>> submissions_behind_;  // of an id that is in flight
  std::uint64_t generation_ = 0;  // of the view's contents: answers of before a reset do not touch it
  bool turn_posted_ = false;
  base::Timer tick_;
  base::Timer release_;
  base::Timer overdue_;
  base::Timer place_;
  base::Timer schedule_;
  ScheduleClock clock_;
  UnderWay under_way_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_PLANNER_H_
