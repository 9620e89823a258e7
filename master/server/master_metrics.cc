#include "master/server/master_metrics.h"

#include "coord/process/logging.h"

namespace drover::master::server {
namespace {

static_assert(static_cast<std::size_t>(state::CommitOutcome::kDone) == 0);
const process::Logger kLog("master.state");

}  // namespace

MasterMetrics::MasterMetrics(process::Metrics* metrics, const std::string& pool)
    : leading_(metrics->Gauge("drover_master_leading", "1 while this master is the elected one", {{"pool", pool}})),
      epoch_(metrics->Gauge("drover_master_epoch", "Epoch under which it leads; 0 if it does not", {{"pool", pool}})),
      zxid_(metrics->Gauge("drover_master_view_zxid", "State of the tree that its view shows", {{"pool", pool}})),
      tasks_(metrics->Gauge("drover_master_tasks", "Task records in the tree", {{"pool", pool}})),
      finished_(metrics->Gauge("drover_master_tasks_finished", "Of these, ended", {{"pool", pool}})),
      waiting_(metrics->Gauge("drover_master_tasks_waiting", "Of these, waiting for a worker", {{"pool", pool}})),
      assigned_(metrics->Gauge("drover_master_assignments", "Assignments that stand", {{"pool", pool}})),
      workers_(metrics->Gauge("drover_master_workers", "Registered workers", {{"pool", pool}})),
      held_(metrics->Gauge("drover_master_commits_held", "Planned transitions held by the fault point of dev builds",
                           {{"pool", pool}})) {
  for (std::size_t k = 0; k < state::kStepKinds; ++k) {
    const std::string kind(state::StepKindName(static_cast<state::StepKind>(k)));
    done_[k] = &metrics->Counter("drover_master_transitions_total", "Transitions that this master committed",
                                 {{"pool", pool}, {"kind", kind}});
    for (std::size_t o = 1; o < state::kCommitOutcomes; ++o) {
      const std::string cause(state::CommitOutcomeName(static_cast<state::CommitOutcome>(o)));
      refused_[k][o] = &metrics->Counter("drover_master_transitions_refused_total", "Planned transitions that did not commit",
                                         {{"pool", pool}, {"kind", kind}, {"cause", cause}});
    }
  }
}

void MasterMetrics::OnStepAnswered(state::StepKind kind, const std::string& subject, base::Zxid epoch,
                                   const state::CommitResult& result) {
  using state::CommitOutcome;
  using state::StepKind;
  const std::string kind_name(state::StepKindName(kind));
  const std::string outcome(state::CommitOutcomeName(result.outcome));
  if (result.outcome == CommitOutcome::kDone) {
    done_[static_cast<std::size_t>(kind)]->Increment();
    // An assignment's zxid is the fence of the attempt.
    if (kind == StepKind::kAssign || kind == StepKind::kSubmit || kind == StepKind::kHandOut || kind == StepKind::kFold) {
      kLog.Debug(kind_name, {{"task", subject}, {"fence", result.zxid}, {"epoch", epoch}});
    } else if (kind != StepKind::kRetire) {
      kLog.Info(kind_name, {{"task", subject}, {"zxid", result.zxid}, {"epoch", epoch}});
    }
    return;
  }
  refused_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(result.outcome)]->Increment();
  kLog.Info("transition refused",
            {{"kind", kind_name}, {"task", subject}, {"cause", outcome}, {"epoch", epoch}, {"error", result.status}});
}

void MasterMetrics::OnHeld(std::size_t steps) {
  held_.Set(static_cast<double>(steps));
}

void MasterMetrics::Show(const Master& master) {
  leading_.Set(master.leading() ? 1 : 0);
  epoch_.Set(static_cast<double>(master.epoch().value));
  if (!master.ready()) return;
  const state::View& view = master.view();
  zxid_.Set(static_cast<double>(view.zxid().value));
  tasks_.Set(static_cast<double>(view.tasks()));
  finished_.Set(static_cast<double>(view.finished().size()));
  waiting_.Set(static_cast<double>(master.planner().waiting()));
  assigned_.Set(static_cast<double>(view.assignments().size()));
  workers_.Set(static_cast<double>(view.workers().size()));
}

}  // namespace drover::master::server
