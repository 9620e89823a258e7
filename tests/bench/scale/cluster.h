// A Drover cluster under measurement with many znodes: its servers with other flags, their metrics, their snapshots.
//
// Main thread.
#ifndef DROVER_TESTS_BENCH_SCALE_CLUSTER_H_
#define DROVER_TESTS_BENCH_SCALE_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/systems/system.h"

namespace drover::bench {

class ScaleCluster {
 public:
  using Progress = std::function<void(absl::string_view)>;
  // What a settled cluster may take to be so again.
  static constexpr std::chrono::seconds kSettleLimit{600};

  // Not started. `system` must outlive it.
  ScaleCluster(System* system, Progress progress);

  [[nodiscard]] System& system() { return *system_; }
  void Tell(absl::string_view line) const { progress_(line); }

  // Ends all servers in order and starts them with these flags besides their own; settled when it returns.
  absl::Status RestartWith(const std::vector<std::string>& flags);
  // As they were started first.
  absl::Status RestartAsTheyWere() { return RestartWith({}); }
  // No snapshot is taken but those that are asked for.
  absl::Status RestartWithoutSnapshots();

  [[nodiscard]] absl::StatusOr<double> Metric(int node, absl::string_view name) const;
  // Whether /readyz says so.
  [[nodiscard]] bool Ready(int node) const;

  // Waits until no node takes a snapshot.
  absl::Status AwaitNoSnapshot();
  // Asks every node for a snapshot, and whether each has taken it since.
  absl::Status AskForSnapshots();
  [[nodiscard]] bool SnapshotsTaken() const;

 private:
  System* const system_;
  const Progress progress_;
  std::vector<std::vector<std::string>> commands_;  // as they were first
  std::vector<double> taken_;                       // snapshots of each node, when it was asked
};

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SCALE_CLUSTER_H_
