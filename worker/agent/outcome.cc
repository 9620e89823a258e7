#include "worker/agent/outcome.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "coord/process/options.h"
#include "master/records/backoff.h"

namespace drover::worker::agent {
namespace {

using exec::Exit;
using exec::KilledBy;

// The program, or what it needs, failed: counted against its retries, if this is what it is retried after.
Outcome Failed(const v1::TaskRecord& record, task::v1::Reason reason, std::string sentence, bool may_retry = true) {
  Outcome outcome;
  outcome.end.state = task::v1::FAILED;
  outcome.end.reason = reason;
  outcome.end.sentence = std::move(sentence);
  outcome.counts_failure = true;
  outcome.again = may_retry && record.failures() < record.policy().retries();
  return outcome;
}

// As a shell tells it.
int ShellCode(const Exit& exit) {
  return exit.kind == Exit::Kind::kSignalled ? 128 + exit.signal : exit.code;
}

// Whoever names exit codes to retry after wants no retry after anything else that the program may do.
bool RetriesAfter(const task::v1::Policy& policy, const Exit& exit) {
  if (policy.retry_exit_codes().empty()) return true;
  const bool by_itself =
      exit.killed_by == KilledBy::kNobody && (exit.kind == Exit::Kind::kExited || exit.kind == Exit::Kind::kSignalled);
  const auto& codes = policy.retry_exit_codes();
  return by_itself && std::find(codes.begin(), codes.end(), static_cast<std::uint32_t>(ShellCode(exit))) != codes.end();
}

// A bound of the task as a whole: no retry helps.
Outcome OutOfTime(const records::TimeBound& bound) {
  Outcome outcome;
  outcome.end.state = task::v1::FAILED;
  outcome.end.reason = bound.reason;
  outcome.end.sentence = bound.sentence;
  return outcome;
}

// Not the program's fault: it runs again, unless it may have had its only start.
Outcome Interrupted(const v1::TaskRecord& record, bool started, task::v1::Reason reason, std::string sentence) {
  Outcome outcome;
  outcome.end.state = task::v1::LOST;
  outcome.end.reason = reason;
  outcome.end.sentence = std::move(sentence);
  outcome.again = !record.policy().at_most_once() || !started;
  return outcome;
}

Outcome Cancelled(const AttemptFacts& facts) {
  Outcome outcome;
  outcome.end.state = task::v1::CANCELLED;
  outcome.end.reason = task::v1::CANCELLED_BY_USER;
  outcome.end.sentence = facts.cancel_reason;
  return outcome;
}

Outcome OfExit(const v1::TaskRecord& record, const AttemptFacts& facts) {
  const Exit& exit = *facts.exit;
  const bool may_retry = RetriesAfter(record.policy(), exit);
  switch (exit.killed_by) {
    case KilledBy::kCancel:
      return Cancelled(facts);
    case KilledBy::kTimeLimit:
      if (facts.total_bound) return OutOfTime(*facts.total_bound);
      return Failed(record, task::v1::TIME_LIMIT,
                    absl::StrCat("over its time limit of ",
                                 process::FormatDuration(std::chrono::milliseconds(record.policy().time_limit_ms()))),
                    may_retry);
    case KilledBy::kSilence:
      return Failed(
          record, task::v1::HEARTBEAT,
          absl::StrCat("no sign of life for ", process::FormatDuration(std::chrono::milliseconds(record.policy().heartbeat_ms()))),
          may_retry);
    case KilledBy::kLease:
      return Interrupted(record, exit.kind != Exit::Kind::kNotStarted, task::v1::DISCONNECTED, "its worker lost the core");
    case KilledBy::kDrain:
      return Interrupted(record, true, task::v1::WORKER_LOST, "its worker was stopped or drained");
    case KilledBy::kRevoked:
    case KilledBy::kNobody:
      break;
  }
  switch (exit.kind) {
    case Exit::Kind::kNotStarted:
      if (IsShortage(exit)) return Interrupted(record, false, task::v1::COULD_NOT_START, exit.sentence);
      return Failed(record, task::v1::COULD_NOT_START, exit.sentence, may_retry);
    case Exit::Kind::kLost: {
      Outcome outcome = Interrupted(record, true, task::v1::WORKER_LOST, exit.sentence);
      outcome.counts_loss = true;
      return outcome;
    }
    case Exit::Kind::kSignalled:
      return Failed(record, task::v1::SIGNAL, absl::StrCat("killed by signal ", exit.signal), may_retry);
    case Exit::Kind::kExited:
      break;
  }
  if (exit.code != 0) {
    const std::string sentence = exit.sentence.empty() ? absl::StrCat("exit code ", exit.code) : exit.sentence;
    return Failed(record, task::v1::EXIT_CODE, sentence, may_retry);
  }
  if (exit.result_refused_bytes > 0) {
    return Failed(record, task::v1::STORE_FAILED,
                  absl::StrCat("its result has ", exit.result_refused_bytes, " bytes, at most ", exec::kResultBytesMax), may_retry);
  }
  Outcome outcome;
  outcome.end.state = task::v1::SUCCEEDED;
  return outcome;
}

// When it runs again; not at all where that would be too late.
void SetRetry(const v1::TaskRecord& record, const AttemptFacts& facts, Outcome* outcome) {
  const std::int64_t delay = records::RetryDelayMs(record.policy(), record.failures() + 1, facts.random);
  v1::TaskRecord ended = record;
  records::EndAttempt(&ended, outcome->end);
  const std::optional<records::TimeBound> bound = records::StartBound(ended);
  if (bound && bound->at_ms <= facts.cluster_now_ms + delay) {
    outcome->again = false;
    absl::StrAppend(&outcome->end.sentence, "; no time is left to run it again");
    return;
  }
  if (delay > 0) outcome->not_before_ms = facts.cluster_now_ms + delay;
}

}  // namespace

bool IsShortage(const Exit& exit) {
  if (exit.kind != Exit::Kind::kNotStarted || exit.killed_by != KilledBy::kNobody) return false;
  switch (exit.error) {
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
      return true;
    default:
      return false;
  }
}

Outcome DecideOutcome(const v1::TaskRecord& record, const AttemptFacts& facts) {
  Outcome outcome;
  if (facts.exit) {
    outcome = OfExit(record, facts);
    const bool by_the_program = facts.exit->killed_by == KilledBy::kNobody && facts.exit->kind != Exit::Kind::kLost &&
                                facts.exit->kind != Exit::Kind::kNotStarted;
    if (!facts.output_error.empty() && by_the_program) {
      outcome = Failed(record, task::v1::STORE_FAILED, absl::StrCat("its output is lost: ", facts.output_error));
    }
  } else if (facts.overdue) {
    outcome = OutOfTime(*facts.overdue);
  } else if (!facts.input_error.empty()) {
    outcome = Failed(record, task::v1::STORE_FAILED, facts.input_error);
  } else {
    outcome = Interrupted(record, false, task::v1::NONE, "returned by its worker, which stops or is drained");
  }
  // A cancelled task is not run again, and one that was interrupted is what the user wanted. What the program did by itself stands.
  if (facts.cancel && (outcome.again || outcome.end.state == task::v1::LOST)) outcome = Cancelled(facts);

  outcome.end.fence = facts.fence;
  outcome.end.started_at_ms = facts.started_at_ms;
  outcome.end.finished_at_ms = facts.finished_at_ms;
  if (facts.exit && facts.exit->kind == Exit::Kind::kExited) outcome.end.exit_code = facts.exit->code;
  if (facts.exit && facts.exit->kind == Exit::Kind::kSignalled) outcome.end.signal = facts.exit->signal;
  if (outcome.again && outcome.counts_failure) SetRetry(record, facts, &outcome);
  return outcome;
}

void ApplyOutcome(const Outcome& outcome, v1::TaskRecord* record) {
  if (outcome.counts_failure) record->set_failures(record->failures() + 1);
  if (outcome.counts_loss) record->set_losses(record->losses() + 1);
  records::EndAttempt(record, outcome.end);
  if (outcome.again && outcome.not_before_ms != 0) {
    records::BackToWaiting(record, outcome.end.reason, outcome.end.sentence, outcome.not_before_ms);
  } else if (outcome.again) {
    records::BackToReady(record, outcome.end.reason, outcome.end.sentence);
  } else {
    records::EndTask(record, outcome.end);
  }
}

}  // namespace drover::worker::agent
