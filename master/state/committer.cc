#include "master/state/committer.h"

#include <unistd.h>

#include <utility>

#include "coord/base/check.h"

namespace drover::master::state {

absl::string_view StepKindName(StepKind kind) {
  switch (kind) {
    case StepKind::kSubmit:
      return "submit";
    case StepKind::kRerun:
      return "rerun";
    case StepKind::kAssign:
      return "assign";
    case StepKind::kTakeBack:
      return "take_back";
    case StepKind::kGiveUp:
      return "give_up";
    case StepKind::kNoteLost:
      return "note_lost";
    case StepKind::kCancel:
      return "cancel";
    case StepKind::kQuarantine:
      return "quarantine";
    case StepKind::kOverdue:
      return "overdue";
    case StepKind::kRelease:
      return "release";
    case StepKind::kDependency:
      return "dependency";
    case StepKind::kRepair:
      return "repair";
    case StepKind::kHorizon:
      return "horizon";
    case StepKind::kRetire:
      return "retire";
    case StepKind::kDeleteDied:
      return "delete_died";
    case StepKind::kQueue:
      return "queue";
    case StepKind::kDrain:
      return "drain";
    case StepKind::kSchedule:
      return "schedule";
    case StepKind::kFire:
      return "fire";
    case StepKind::kHandOut:
      return "hand_out";
    case StepKind::kFold:
      return "fold";
    case StepKind::kEndArray:
      return "end_array";
  }
  return "?";
}

absl::string_view CommitOutcomeName(CommitOutcome outcome) {
  switch (outcome) {
    case CommitOutcome::kDone:
      return "done";
    case CommitOutcome::kGuardRefused:
      return "guard";
    case CommitOutcome::kRefused:
      return "refused";
    case CommitOutcome::kSessionExpired:
      return "session_expired";
    case CommitOutcome::kUnknown:
      return "unknown";
  }
  return "?";
}

Committer::Committer(base::Loop* loop, coord::Session* session, CommitterOptions options, CommitObserver* observer)
    : session_(session), options_(std::move(options)), observer_(observer), poll_(loop) {}

Committer::~Committer() {
  *alive_ = false;
}

void Committer::Commit(Plan plan) {
  outstanding_ += plan.steps.size();
  const bool hold = Holding();
  for (Step& step : plan.steps) {
    DROVER_DCHECK(!step.transaction.compares.empty() && step.transaction.compares.front().value == plan.epoch.value)
        << "a step without its plan's epoch: " << step.subject;
    Stamped stamped{plan.epoch, std::move(step)};
    if (hold) {
      held_.push_back(std::move(stamped));
    } else {
      Send(std::move(stamped));
    }
  }
  if (!hold) return;
  if (observer_ != nullptr) observer_->OnHeld(held_.size());
  if (!poll_.armed()) poll_.Set(options_.hold_poll, [this] { Release(); });
}

bool Committer::Holding() const {
#ifdef DROVER_DEV
  // What came first stays first: nothing overtakes steps that are held.
  return !held_.empty() || (!options_.hold_file.empty() && ::access(options_.hold_file.c_str(), F_OK) == 0);
#else
  return false;
#endif
}

void Committer::Release() {
  if (::access(options_.hold_file.c_str(), F_OK) == 0) {
    poll_.Set(options_.hold_poll, [this] { Release(); });
    return;
  }
  std::deque<Stamped> released = std::move(held_);
  held_.clear();
  if (observer_ != nullptr) observer_->OnHeld(0);
  for (Stamped& stamped : released) Send(std::move(stamped));
}

void Committer::Send(Stamped stamped) {
  coord::Transaction transaction = std::move(stamped.step.transaction);
  session_->Commit(std::move(transaction),
                   [this, alive = alive_, stamped = std::move(stamped)](absl::StatusOr<coord::TransactionResult> answer) mutable {
                     if (*alive) Answered(std::move(stamped), std::move(answer));
                   });
}

void Committer::Answered(Stamped stamped, absl::StatusOr<coord::TransactionResult> answer) {
  --outstanding_;
  CommitResult result;
  if (answer.ok()) {
    result.zxid = answer->zxid;
    result.outcome = answer->succeeded ? CommitOutcome::kDone : CommitOutcome::kGuardRefused;
  } else {
    result.status = answer.status();
    result.outcome = coord::IsOutcomeUnknown(result.status)   ? CommitOutcome::kUnknown
                     : coord::IsSessionExpired(result.status) ? CommitOutcome::kSessionExpired
                                                              : CommitOutcome::kRefused;
  }
  if (observer_ != nullptr) observer_->OnStepAnswered(stamped.step.kind, stamped.step.subject, stamped.epoch, result);
  if (stamped.step.done) stamped.step.done(result);
}

}  // namespace drover::master::state
