// The master's numbers and its log of transitions. Names are a promised surface.
#ifndef DROVER_MASTER_SERVER_MASTER_METRICS_H_
#define DROVER_MASTER_SERVER_MASTER_METRICS_H_

#include <array>
#include <string>

#include "coord/process/metrics.h"
#include "master/server/master.h"
#include "master/state/committer.h"

namespace drover::master::server {

class MasterMetrics final : public state::CommitObserver {
 public:
  // Of one pool: its name is a label of each.
  MasterMetrics(process::Metrics* metrics, const std::string& pool);

  void OnStepAnswered(state::StepKind kind, const std::string& subject, base::Zxid epoch,
                      const state::CommitResult& result) override;
  void OnHeld(std::size_t steps) override;
  // Copies what the master shows into the gauges.
  void Show(const Master& master);

 private:
  std::array<prometheus::Counter*, state::kStepKinds> done_{};
  std::array<std::array<prometheus::Counter*, state::kCommitOutcomes>, state::kStepKinds> refused_{};
  prometheus::Gauge& leading_;
  prometheus::Gauge& epoch_;
  prometheus::Gauge& zxid_;
  prometheus::Gauge& tasks_;
  prometheus::Gauge& finished_;
  prometheus::Gauge& waiting_;
  prometheus::Gauge& assigned_;
  prometheus::Gauge& workers_;
  prometheus::Gauge& held_;
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_MASTER_METRICS_H_
