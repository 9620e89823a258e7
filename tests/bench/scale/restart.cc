// How long a node with many znodes takes to serve again.
#include <chrono>

#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/scale/parts.h"
#include "tests/support/await.h"

namespace drover::bench {
namespace {

constexpr std::chrono::milliseconds kSnapshotLook{100};

absl::StatusOr<double> EntriesBehindSnapshot(const ScaleCluster& cluster, int node) {
  DROVER_ASSIGN_OR_RETURN(const double applied, cluster.Metric(node, "drover_coord_applied_index"));
  DROVER_ASSIGN_OR_RETURN(const double snapshot, cluster.Metric(node, "drover_coord_snapshot_index"));
  return applied - snapshot;
}

// A snapshot on every node, and behind it as many entries as asked for.
absl::Status Prepare(ScaleCluster* cluster, const Flags& flags, const std::vector<std::string>& keys, int node) {
  DROVER_RETURN_IF_ERROR(cluster->AskForSnapshots());
  while (!cluster->SnapshotsTaken()) DROVER_RETURN_IF_ERROR(Pause(kSnapshotLook));
  LoadSpec spec = FullLoad(flags, keys);
  spec.window = 1;  // an entry holds what came together; so each holds little
  spec.warm_up = spec.measure = base::Duration(0);
  absl::Status status;
  spec.until = [&](std::uint64_t) {
    const absl::StatusOr<double> entries = EntriesBehindSnapshot(*cluster, node);
    status = entries.status();
    return !status.ok() || *entries >= static_cast<double>(flags.restart_entries);
  };
  DROVER_RETURN_IF_ERROR(RunFullLoad(&cluster->system(), spec).status());
  return status;
}

}  // namespace

absl::StatusOr<std::vector<RestartRun>> MeasureRestart(ScaleCluster* cluster, const Flags& flags,
                                                       const std::vector<std::string>& keys) {
  DROVER_RETURN_IF_ERROR(cluster->RestartWithoutSnapshots());
  System& system = cluster->system();
  DROVER_ASSIGN_OR_RETURN(const int leader, system.AwaitSettled(ScaleCluster::kSettleLimit));
  const int node = (leader + 1) % system.nodes();
  cluster->Tell("writing the log that a restart replays");
  DROVER_RETURN_IF_ERROR(Prepare(cluster, flags, keys, node));
  std::vector<RestartRun> runs;
  for (int repetition = 0; repetition < flags.repetitions; ++repetition) {
    DROVER_RETURN_IF_ERROR(system.AwaitSettled(ScaleCluster::kSettleLimit).status());
    RestartRun run;
    DROVER_ASSIGN_OR_RETURN(run.entries, EntriesBehindSnapshot(*cluster, node));
    system.server(node).Terminate();
    const auto begin = std::chrono::steady_clock::now();
    system.server(node).Start();
    const bool ready = testing::Await([&] { return Interrupted() || cluster->Ready(node) || !system.server(node).running(); },
                                      ScaleCluster::kSettleLimit);
    run.ready_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (Interrupted()) return absl::CancelledError("interrupted");
    if (!ready || !system.server(node).running()) return absl::UnavailableError("the node that was started does not serve");
    DROVER_ASSIGN_OR_RETURN(run.cpu_s, cluster->Metric(node, "process_cpu_seconds_total"));
    DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system.server(node).pid()));
    run.resident_bytes = static_cast<double>(memory.resident_bytes);
    cluster->Tell(absl::StrFormat("restart %d of %d: serves after %.2f s, %.0f entries replayed", repetition + 1, flags.repetitions,
                                  run.ready_s, run.entries));
    runs.push_back(run);
  }
  return runs;
}

}  // namespace drover::bench
