// Commit(Plan): the one place where a master's decisions become effects.
//
// Each step of a plan is a small transaction of its own, sent on the session in order; one lost race never blocks the others. A
// plan is stamped with the epoch and view it was made in. Its steps carry that epoch as their guard and are sent on the session
// that holds it and on no other, so that whatever happened meanwhile, they commit under that epoch or not at all.
//
// Fault point (dev builds only): while the file `hold_file` exists, steps wait here, as they would in a process that is paused
// between deciding and sending.
//
// Threads: the session's loop. Completions never come from inside Commit. The session must outlive it.
#ifndef DROVER_MASTER_STATE_COMMITTER_H_
#define DROVER_MASTER_STATE_COMMITTER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::master::state {

enum class StepKind {
  kSubmit,
  kRerun,
  kAssign,
  kTakeBack,
  kGiveUp,
  kNoteLost,
  kCancel,
  kQuarantine,
  kRelease,
  kDependency,
  kOverdue,
  kRepair,
  kHorizon,
  kRetire,
  kDeleteDied,
  kQueue,
  kDrain,
  kSchedule,
  kFire,
  kHandOut,
  kFold,
  kEndArray,
};
inline constexpr std::size_t kStepKinds = 22;
// "submit", "assign" ...: a metric's label.
[[nodiscard]] absl::string_view StepKindName(StepKind kind);

enum class CommitOutcome {
  kDone,
  kGuardRefused,    // a compare did not hold: somebody else was faster, or this master is deposed
  kRefused,         // an operation was refused (a node that exists)
  kSessionExpired,  // refused: the session had ended before it was sent
  kUnknown,         // the session was lost with it in flight
};
inline constexpr std::size_t kCommitOutcomes = 5;
[[nodiscard]] absl::string_view CommitOutcomeName(CommitOutcome outcome);

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kDone;
  base::Zxid zxid;      // of the transaction if done
  absl::Status status;  // of kRefused, kSessionExpired and kUnknown
};

struct Step {
  StepKind kind = StepKind::kSubmit;
  std::string subject;  // the task or whatever it is about, for logs
  coord::Transaction transaction;
  absl::AnyInvocable<void(const CommitResult&)> done;
};

struct Plan {
  base::Zxid epoch;
  base::Zxid view;
  std::vector<Step> steps;
};

// Counts and log lines; called for every step that was answered.
class CommitObserver {
 public:
  virtual void OnStepAnswered(StepKind kind, const std::string& subject, base::Zxid epoch, const CommitResult& result) = 0;
  virtual void OnHeld(std::size_t /*steps*/) {}

 protected:
  ~CommitObserver() = default;
};

struct CommitterOptions {
  // Empty: no fault point. Ignored by release builds.
  std::string hold_file;
  base::Duration hold_poll = std::chrono::milliseconds(20);
};

class Committer {
 public:
  // `observer` may be null.
  Committer(base::Loop* loop, coord::Session* session, CommitterOptions options, CommitObserver* observer);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void Commit(Plan plan);

  // Steps held or sent and not answered.
  [[nodiscard]] std::size_t outstanding() const { return outstanding_; }
  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  struct Stamped {
    base::Zxid epoch;
    Step step;
  };
  [[nodiscard]] bool Holding() const;
  void Release();
  void Send(Stamped stamped);
  void Answered(Stamped stamped, absl::StatusOr<coord::TransactionResult> answer);

  coord::Session* const session_;
  const CommitterOptions options_;
  CommitObserver* const observer_;
  std::deque<Stamped> held_;
  std::size_t outstanding_ = 0;
  base::Timer poll_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_COMMITTER_H_
