// What operators say: of queues, and of workers to be drained. Each is a node of its own.
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/codec.h"
#include "master/records/queue_settings.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"
#include "master/state/planner.h"

namespace drover::master::state {
namespace {

// Each is a race lost to another change of the same node.
constexpr int kTriesMax = 8;

}  // namespace

void Planner::TryChange(Change change) {
  const auto answer = [&](absl::Status status) {
    loop_->Post([done = std::move(change.done), status = std::move(status)]() mutable { done(std::move(status)); });
  };
  if (!planning() || ++change.tries > kTriesMax) return answer(absl::UnavailableError(kNotLeading));
  absl::StatusOr<coord::Transaction> transaction = change.decide();
  if (!transaction.ok()) return answer(transaction.status());
  Step step{change.kind, change.subject, *std::move(transaction), nullptr};
  step.done = [this, alive = alive_, change = std::move(change)](const CommitResult& result) mutable {
    if (result.outcome == CommitOutcome::kDone) return change.done(absl::OkStatus());
    if (!*alive) return change.done(absl::UnavailableError(kNotLeading));
    const bool raced =
        result.outcome == CommitOutcome::kGuardRefused || coord::RefusalOf(result.status) == coord::Code::kNodeExists;
    if (raced) return TryChange(std::move(change));  // the view shows by now who was faster
    change.done(absl::UnavailableError(
        absl::StrCat("it may not have been stored (", std::string(result.status.message()), "); try again")));
  };
  Plan plan{lead_->transitions.epoch().czxid, view_->zxid(), {}};
  plan.steps.push_back(std::move(step));
  lead_->committer->Commit(std::move(plan));
}

void Planner::SetQueue(task::v1::SetQueueRequest change, absl::AnyInvocable<void(QueueAnswer)> done) {
  const auto settings = std::make_shared<task::v1::QueueSettings>();
  const std::string name = change.name();
  const auto decide = [this, name, settings, change = std::move(change)]() -> absl::StatusOr<coord::Transaction> {
    if (!records::IsName(name)) return absl::InvalidArgumentError(absl::StrCat("bad queue: ", records::kNameRule));
    const QueueView* known = view_->FindQueue(name);
    if (known == nullptr && view_->queues().size() >= records::kQueuesMax) {
      return absl::FailedPreconditionError(absl::StrCat(records::kQueuesMax, " queues have settings: delete those of one first"));
    }
    *settings = records::Changed(known == nullptr ? task::v1::QueueSettings() : known->settings, change);
    if (absl::Status status = records::CheckQueueSettings(*settings); !status.ok()) return status;
    return lead_->transitions.SetQueue(name, *settings, known);
  };
  TryChange(
      {StepKind::kQueue, absl::StrCat("queue ", name), decide, [settings, done = std::move(done)](absl::Status status) mutable {
         done(status.ok() ? QueueAnswer(*settings) : QueueAnswer(std::move(status)));
       }});
}

void Planner::DeleteQueue(const std::string& name, absl::AnyInvocable<void(absl::Status)> done) {
  const auto decide = [this, name]() -> absl::StatusOr<coord::Transaction> {
    const QueueView* known = view_->FindQueue(name);
    if (known == nullptr) return absl::NotFoundError(absl::StrCat("queue ", records::Clip(name, 160), " has no settings"));
    return lead_->transitions.DeleteQueue(name, known->mzxid);
  };
  TryChange({StepKind::kQueue, absl::StrCat("queue ", name), decide, std::move(done)});
}

void Planner::DrainWorker(const std::string& worker, std::optional<base::Duration> patience, const std::string& reason,
                          absl::AnyInvocable<void(absl::Status)> done) {
  const auto decide = [this, worker, patience, reason]() -> absl::StatusOr<coord::Transaction> {
    const DrainView* known = view_->FindDrain(worker);
    if (known == nullptr && view_->FindWorker(worker) == nullptr) {
      return absl::NotFoundError(absl::StrCat("there is no worker ", records::Clip(worker, 160)));
    }
    const std::int64_t now_ms = hooks_.cluster_now_ms();
    worker::v1::Drain drain;
    if (patience.has_value()) drain.set_deadline_ms(now_ms + base::ToMillis(*patience));
    drain.set_reason(reason);
    drain.set_since_ms(known == nullptr ? now_ms : known->drain.since_ms());
    return lead_->transitions.SetDrain(worker, drain, known);
  };
  TryChange({StepKind::kDrain, absl::StrCat("worker ", worker), decide, std::move(done)});
}

void Planner::UndrainWorker(const std::string& worker, absl::AnyInvocable<void(absl::Status)> done) {
  const auto decide = [this, worker]() -> absl::StatusOr<coord::Transaction> {
    const DrainView* known = view_->FindDrain(worker);
    if (known == nullptr) return absl::NotFoundError(absl::StrCat("worker ", records::Clip(worker, 160), " is not drained"));
    return lead_->transitions.DeleteDrain(worker, known->mzxid);
  };
  TryChange({StepKind::kDrain, absl::StrCat("worker ", worker), decide, std::move(done)});
}

}  // namespace drover::master::state
