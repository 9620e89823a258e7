// What clients ask for: submissions and cancellations.
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/array.h"
#include "master/records/codec.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"
#include "master/records/time_bounds.h"
#include "master/state/planner.h"
#include "master/state/task_facts.h"

namespace drover::master::state {
namespace {

constexpr int kSubmitTriesMax = 8;

// "FAILED, exit code 1"
std::string StateText(const worker::v1::TaskRecord& record) {
  const std::string why(record.sentence());
  return absl::StrCat(task::v1::State_Name(record.state()), why.empty() ? "" : ", ", why);
}

}  // namespace

void Planner::Submit(std::string id, worker::v1::TaskRecord record, task::v1::IfExists if_exists,
                     absl::AnyInvocable<void(SubmitResult)> done) {
  TrySubmit({.id = std::move(id), .record = std::move(record), .done = std::move(done), .if_exists = if_exists});
}

void Planner::Retry(std::string id, std::uint64_t submission, absl::AnyInvocable<void(SubmitResult)> done) {
  worker::v1::TaskRecord record;
  record.set_submission(submission);
  TrySubmit({.id = std::move(id), .record = std::move(record), .done = std::move(done), .retry = true});
}

void Planner::AnswerLater(Submission submission, SubmitResult result) {
  loop_->Post([done = std::move(submission.done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void Planner::TrySubmit(Submission submission) {
  using Kind = SubmitResult::Kind;
  if (!planning() || ++submission.tries > kSubmitTriesMax) {
    AnswerLater(std::move(submission), {Kind::kUnavailable, kNotLeading});
    return;
  }
  if (lead_->committer->outstanding() >= options_.submissions_max) {
    AnswerLater(std::move(submission), {Kind::kOverloaded, "too many submissions are under way; try again in a second"});
    return;
  }
  if (in_flight(submission.id)) {
    submissions_behind_[submission.id].push_back(std::move(submission));
    return;
  }
  if (const TaskView* task = view_->Find(submission.id)) return MeetKnown(std::move(submission), *task);
  if (submission.retry) return AnswerLater(std::move(submission), {Kind::kNotFound, "no such task"});
  if (const auto ticket = records::TicketOf(submission.id)) {
    if (*ticket < view_->horizon()) {
      AnswerLater(std::move(submission),
                  {Kind::kTooOld, "a task of this id may have run and been retired; submit it under a new id"});
      return;
    }
    if (*ticket > view_->zxid().value) {
      // Another master may have handed it out a moment ago, or nobody ever did.
      ++asked_about_[submission.id];
      hooks_.sync(
          [this, alive = alive_, ticket = *ticket, submission = std::make_shared<Submission>(std::move(submission))](Zxid now) {
            if (!*alive) return submission->done({Kind::kUnavailable, kNotLeading});
            TicketAsked(std::move(*submission), ticket, now);
          });
      return;
    }
  }
  if (submission.record.program().empty() && !submission.record.has_program_object()) {
    // Its program was not stored, because the task was there; it went meanwhile. Submitted again, it will be stored.
    AnswerLater(std::move(submission), {Kind::kUnavailable, "the task of this id was retired a moment ago; try again"});
    return;
  }
  if (std::string why = WhyFull(submission.record.policy().queue()); !why.empty()) {
    return AnswerLater(std::move(submission), {SubmitResult::Kind::kFull, std::move(why)});
  }
  SendSubmission(std::move(submission));
}

void Planner::TicketAsked(Submission submission, std::uint64_t ticket, Zxid now) {
  using Kind = SubmitResult::Kind;
  const std::string id = submission.id;
  const auto asked = asked_about_.find(id);
  if (--asked->second == 0) asked_about_.erase(asked);
  if (now == Zxid()) {
    AnswerLater(std::move(submission), {Kind::kUnavailable, "the core cannot be asked now; try again"});
  } else if (ticket > now.value) {
    AnswerLater(std::move(submission), {Kind::kRefused, "ids of this form are generated from a ticket; choose another one"});
  } else {
    TrySubmit(std::move(submission));
  }
  if (!in_flight(id)) LookAgain(id);
}

std::string Planner::WhyFull(const std::string& queue) const {
  const std::size_t of_queue = view_->TallyOf(queue).waiting() + under_way_.Of(queue);
  const QueueView* settings = view_->FindQueue(queue);
  if (settings != nullptr && settings->settings.waiting_max() > 0 && of_queue >= settings->settings.waiting_max()) {
    return absl::StrCat("queue ", queue, " is full: ", settings->settings.waiting_max(), " of its tasks wait; try again later");
  }
  if (view_->tally().waiting() + under_way_.all() < options_.waiting_max) return "";
  return absl::StrCat("the pool is full: ", options_.waiting_max, " of its tasks wait; try again later");
}

void Planner::MeetKnown(Submission submission, const TaskView& task) {
  using Kind = SubmitResult::Kind;
  const auto answer = [&](Kind kind, std::string sentence) { AnswerLater(std::move(submission), {kind, std::move(sentence)}); };
  const auto known = task.Decode();
  if (!known.ok()) return answer(submission.retry ? Kind::kRefused : Kind::kConflict, "its record cannot be read");
  const worker::v1::TaskRecord& record = submission.record;
  // An earlier try did it.
  if (record.submission() != 0 && record.submission() == known->submission()) {
    return answer(submission.retry ? Kind::kDone : Kind::kExisted, "");
  }
  const bool failed = records::IsTerminal(known->state()) && known->state() != task::v1::SUCCEEDED;
  if (submission.retry) {
    if (const auto element = records::ParseElement(task.id)) {
      return answer(Kind::kRefused, absl::StrCat("it is an element: retry array ", element->array,
                                                 ", which runs those of its elements anew that did not succeed"));
    }
    if (failed) return SendRerun(std::move(submission), task, *known);
    return answer(Kind::kRefused, records::IsTerminal(known->state())
                                      ? "it has succeeded: submit it under another id to run it again"
                                      : absl::StrCat("it has not ended: ", StateText(*known)));
  }
  if (submission.if_exists == task::v1::USE_EXISTING) return answer(Kind::kExisted, "");
  if (submission.if_exists == task::v1::REJECT) {
    return answer(Kind::kConflict, absl::StrCat("there is a task of this id: ", StateText(*known)));
  }
  if (submission.if_exists == task::v1::RERUN_FAILED && failed) return SendRerun(std::move(submission), task, *known);
  const std::string difference = records::DifferenceOf(*known, record);
  if (difference.empty()) return answer(Kind::kExisted, "");
  answer(Kind::kConflict, absl::StrCat("another task has this id: ", difference));
}

absl::Status Planner::SetStart(worker::v1::TaskRecord* record, bool awaits) const {
  const std::int64_t now_ms = hooks_.cluster_now_ms();
  record->set_eligible_at(records::EligibleAt(record->policy(), now_ms));
  const bool waits = record->eligible_at() > now_ms;
  record->set_state(waits || awaits ? task::v1::WAITING : task::v1::READY);
  record->set_not_before(waits && !awaits ? record->eligible_at() : 0);
  record->set_awaits(awaits);
  const std::optional<records::TimeBound> bound = records::StartBound(*record);
  if (!bound || bound->at_ms > record->eligible_at()) return absl::OkStatus();
  return absl::FailedPreconditionError("its deadline is over before it may run");
}

void Planner::SendRerun(Submission submission, const TaskView& task, const worker::v1::TaskRecord& ended) {
  worker::v1::TaskRecord next = submission.record;
  // The submitted program may not be there: a retry of what is known stores nothing.
  if (submission.retry || next.spec_digest() == ended.spec_digest()) {
    *next.mutable_policy() = ended.policy();
    next.set_program(ended.program());
    if (ended.has_program_object()) *next.mutable_program_object() = ended.program_object();
    next.set_spec_digest(ended.spec_digest());
  } else if ((next.policy().has_array() || ended.policy().has_array()) &&
             !records::SameElements(next.policy().array(), ended.policy().array())) {
    return AnswerLater(std::move(submission),
                       {SubmitResult::Kind::kConflict, "the array of this id has other elements: submit it under another id"});
  } else if (next.program().empty() && !next.has_program_object()) {
    return AnswerLater(std::move(submission), {SubmitResult::Kind::kUnavailable, "the task has ended a moment ago; try again"});
  }
  if (std::string why = WhyFull(next.policy().queue()); !why.empty()) {
    return AnswerLater(std::move(submission), {SubmitResult::Kind::kFull, std::move(why)});
  }
  Awaited awaited = AwaitedBy(next.policy(), task.czxid);
  if (!awaited.behind.empty()) return submissions_behind_[awaited.behind].push_back(std::move(submission));
  if (awaited.refused.has_value()) return AnswerLater(std::move(submission), *std::move(awaited.refused));
  if (!awaited.never.empty() && submission.retry) {
    return AnswerLater(std::move(submission), {SubmitResult::Kind::kRefused, absl::StrCat("it would not run: ", awaited.never)});
  }
  next.set_submitted_at(loop_->WallNow().value);
  if (const absl::Status start = SetStart(&next, !awaited.tasks.empty()); !start.ok()) {
    return AnswerLater(std::move(submission), {SubmitResult::Kind::kRefused, std::string(start.message())});
  }
  records::SucceedTo(ended, &next);
  in_flight_.insert(submission.id);
  rerunning_.insert(submission.id);
  under_way_.Begin(next.policy().queue());
  BeginAwaiting(awaited.tasks);
  Plan plan{lead_->transitions.epoch().czxid, view_->zxid(), {}};
  Step step{StepKind::kRerun, submission.id, lead_->transitions.Rerun({task.id, task.mzxid, {}}, next, awaited.tasks), nullptr};
  step.done = [this, alive = alive_, queue = next.policy().queue(), awaited = std::move(awaited.tasks),
               submission = std::move(submission)](const CommitResult& result) mutable {
    if (!*alive) {
      submission.done({SubmitResult::Kind::kUnavailable, kNotLeading});
      return;
    }
    in_flight_.erase(submission.id);
    rerunning_.erase(submission.id);
    under_way_.End(queue);
    EndAwaiting(awaited);
    SubmissionAnswered(std::move(submission), result);
  };
  plan.steps.push_back(std::move(step));
  lead_->committer->Commit(std::move(plan));
}

std::optional<Target> Planner::PlaceNew(TaskRef ref, const worker::v1::TaskRecord& record) {
  if (record.state() != task::v1::READY || record.policy().has_array()) return std::nullopt;
  if (lead_->committer->outstanding() >= options_.in_flight_max) return std::nullopt;
  const auto facts = FactsOf(record, Zxid(std::numeric_limits<std::uint64_t>::max()), hooks_.cluster_now_ms());
  const std::optional<std::string> worker = Current().Place(ref, facts);
  if (!worker.has_value()) return std::nullopt;
  std::optional<Target> target = TargetOf(*worker);
  if (!target.has_value()) scheduler_->Forget(ref);
  return target;
}

void Planner::Unpin(TaskRef ref, const std::string& id) {
  if (view_->Find(id) == nullptr) scheduler_->Forget(ref);
  view_->Unpin(id);
}

void Planner::SendSubmission(Submission submission) {
  Awaited awaited = AwaitedBy(submission.record.policy(), std::nullopt);
  if (!awaited.behind.empty()) return submissions_behind_[awaited.behind].push_back(std::move(submission));
  if (awaited.refused.has_value()) return AnswerLater(std::move(submission), *std::move(awaited.refused));
  if (const absl::Status start = SetStart(&submission.record, !awaited.tasks.empty()); !start.ok()) {
    return AnswerLater(std::move(submission), {SubmitResult::Kind::kRefused, std::string(start.message())});
  }
  const TaskRef ref = view_->Pin(submission.id);
  const std::optional<Target> target = PlaceNew(ref, submission.record);
  in_flight_.insert(submission.id);
  under_way_.Begin(submission.record.policy().queue());
  BeginAwaiting(awaited.tasks);
  Plan plan{lead_->transitions.epoch().czxid, view_->zxid(), {}};
  Step step{StepKind::kSubmit, submission.id,
            lead_->transitions.Submit(submission.id, submission.record, target, awaited.tasks, loop_->WallNow().value), nullptr};
  step.done = [this, alive = alive_, generation = generation_, ref, awaited = std::move(awaited.tasks),
               submission = std::move(submission)](const CommitResult& result) mutable {
    if (!*alive) {
      submission.done({SubmitResult::Kind::kUnavailable, kNotLeading});
      return;
    }
    in_flight_.erase(submission.id);
    under_way_.End(submission.record.policy().queue());
    EndAwaiting(awaited);
    if (generation == generation_) Unpin(ref, submission.id);
    SubmissionAnswered(std::move(submission), result);
  };
  plan.steps.push_back(std::move(step));
  lead_->committer->Commit(std::move(plan));
}

void Planner::SubmissionAnswered(Submission submission, const CommitResult& result) {
  using Kind = SubmitResult::Kind;
  const std::string id = submission.id;
  switch (result.outcome) {
    case CommitOutcome::kDone:
      submission.done({Kind::kDone, ""});
      break;
    case CommitOutcome::kGuardRefused:
      // The worker went, or this master is deposed: by now it knows which.
      TrySubmit(std::move(submission));
      break;
    case CommitOutcome::kRefused: {
      const auto code = coord::RefusalOf(result.status);
      if (code == coord::Code::kNodeExists) {
        TrySubmit(std::move(submission));
      } else if (code == coord::Code::kResourceExhausted) {
        submission.done({Kind::kOverloaded, std::string(result.status.message())});
      } else {
        submission.done({Kind::kRefused, std::string(result.status.message())});
      }
      break;
    }
    case CommitOutcome::kSessionExpired:
    case CommitOutcome::kUnknown:
      submission.done({Kind::kUnavailable, "this master lost its session; try again with the same id"});
      break;
  }
  LookAgain(id);
}

void Planner::Cancel(std::string id, std::string reason, absl::AnyInvocable<void(CancelResult)> done) {
  if (!planning()) {
    loop_->Post([done = std::move(done)]() mutable { done({CancelResult::Kind::kUnavailable, kNotLeading}); });
    return;
  }
  Cancellation& cancellation = cancellations_[std::move(id)];
  if (cancellation.done.empty()) cancellation.reason = std::move(reason);
  cancellation.done.push_back(std::move(done));
  WakeUp();
}

void Planner::FailCommands() {
  for (auto& [id, cancellation] : std::exchange(cancellations_, {})) {
    for (auto& done : cancellation.done) {
      loop_->Post([done = std::move(done)]() mutable { done({CancelResult::Kind::kUnavailable, kNotLeading}); });
    }
  }
  for (auto& [id, submissions] : std::exchange(submissions_behind_, {})) {
    for (Submission& submission : submissions) AnswerLater(std::move(submission), {SubmitResult::Kind::kUnavailable, kNotLeading});
  }
}

}  // namespace drover::master::state
