// How long nothing is acknowledged while snapshots are taken.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/scale/parts.h"

namespace drover::bench {
namespace {

absl::StatusOr<GapRun> RunOnce(ScaleCluster* cluster, const Flags& flags, const std::vector<std::string>& keys, int repetition,
                               bool with_snapshot) {
  System& system = cluster->system();
  DROVER_RETURN_IF_ERROR(system.AwaitSettled(ScaleCluster::kSettleLimit).status());
  DROVER_RETURN_IF_ERROR(cluster->AwaitNoSnapshot());
  GapRun run;
  run.with_snapshot = with_snapshot;
  for (int node = 0; node < system.nodes(); ++node) {
    DROVER_RETURN_IF_ERROR(ForgetPeak(system.server(node).pid()));
    DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system.server(node).pid()));
    run.resident_bytes = std::max(run.resident_bytes, static_cast<double>(memory.resident_bytes));
  }
  LoadSpec spec = FullLoad(flags, keys);
  spec.seed = static_cast<std::uint64_t>(repetition) << 32;  // the same requests with and without
  absl::Status asked;
  if (with_snapshot) {
    spec.at_begin = [&] { asked = cluster->AskForSnapshots(); };
    spec.until = [&](std::uint64_t) { return !asked.ok() || cluster->SnapshotsTaken(); };
  }
  DROVER_ASSIGN_OR_RETURN(run.load, RunFullLoad(&system, spec));
  DROVER_RETURN_IF_ERROR(asked);
  for (int node = 0; node < system.nodes(); ++node) {
    DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system.server(node).pid()));
    run.peak_bytes = std::max(run.peak_bytes, static_cast<double>(memory.peak_bytes));
    if (!with_snapshot) continue;
    DROVER_ASSIGN_OR_RETURN(const double took, cluster->Metric(node, "drover_coord_snapshot_seconds"));
    run.snapshot_s = std::max(run.snapshot_s, took);
  }
  return run;
}

}  // namespace

absl::StatusOr<std::vector<GapRun>> MeasureSnapshotGap(ScaleCluster* cluster, const Flags& flags,
                                                       const std::vector<std::string>& keys) {
  DROVER_RETURN_IF_ERROR(cluster->RestartWithoutSnapshots());
  std::vector<GapRun> runs;
  for (int repetition = 0; repetition < flags.repetitions; ++repetition) {
    for (const bool with_snapshot : {false, true}) {
      DROVER_ASSIGN_OR_RETURN(const GapRun run, RunOnce(cluster, flags, keys, repetition, with_snapshot));
      cluster->Tell(absl::StrFormat("%s a snapshot, %d of %d: %.0f/s, p99 %.1f ms, largest gap %.1f ms%s",
                                    with_snapshot ? "with" : "without", repetition + 1, flags.repetitions, run.load.per_second,
                                    run.load.p99_us / 1e3, run.load.largest_gap_us / 1e3,
                                    with_snapshot ? absl::StrFormat(", taken in %.1f s", run.snapshot_s) : ""));
      runs.push_back(run);
    }
  }
  return runs;
}

}  // namespace drover::bench
