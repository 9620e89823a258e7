#include "master/state/take_back.h"

#include "absl/strings/str_cat.h"
#include "master/records/record_limits.h"

namespace drover::master::state {

TakeBackDecision DecideTakeBack(const TakeBackFacts& facts) {
  using Kind = TakeBackDecision::Kind;
  const worker::v1::TaskRecord& record = *facts.record;
  const worker::v1::Assignment& assignment = *facts.assignment;
  TakeBackDecision decision;
  if (facts.worker_stands) {
    if (assignment.lost_since() != 0) decision.kind = Kind::kNoteLost;
    return decision;
  }
  const bool at_most_once = record.policy().at_most_once();
  const bool started = at_most_once && record.state() == task::v1::RUNNING;
  decision.relies_on_died = facts.died;
  decision.end = {.state = task::v1::LOST, .reason = task::v1::WORKER_LOST, .fence = facts.fence, .finished_at_ms = facts.wall_ms};

  if (assignment.cancel() && (facts.died || !started)) {
    decision.kind = Kind::kEnd;
    decision.end.state = task::v1::CANCELLED;
    decision.end.reason = task::v1::CANCELLED_BY_USER;
    decision.end.sentence = assignment.cancel_reason();
    return decision;
  }
  if (!started) {
    decision.count_loss = facts.died && !at_most_once;
    if (decision.count_loss && record.losses() + 1 >= records::kLossesQuarantine) {
      decision.kind = Kind::kEnd;
      decision.end.state = task::v1::FAILED;
      decision.end.reason = task::v1::WORKER_LOST_LIMIT;
      decision.end.sentence = absl::StrCat("given up: ", record.losses() + 1, " attempts were lost with the process that ran them");
      return decision;
    }
    decision.kind = Kind::kReady;
    decision.sentence = absl::StrCat("worker ", facts.worker, facts.died ? " died" : " was lost");
    return decision;
  }
  if (facts.died) {
    decision.kind = Kind::kEnd;
    decision.count_loss = true;
    decision.end.sentence = absl::StrCat("worker ", facts.worker, " died while it ran; it runs at most once, so not again");
    return decision;
  }
  if (assignment.lost_since() == 0) {
    decision.kind = Kind::kNoteLost;
    decision.since_ms = facts.now_ms;
    return decision;
  }
  const std::int64_t due = assignment.lost_since() + facts.lost_after_ms;
  if (facts.passed_ms < due) {
    decision.kind = Kind::kWait;
    decision.again_at_ms = due;
    return decision;
  }
  decision.kind = Kind::kEnd;
  decision.end.sentence =
      absl::StrCat("worker ", facts.worker, " has been away for ", facts.lost_after_ms / 1000, " s; nobody knows how it ended");
  return decision;
}

}  // namespace drover::master::state
