// How a node that was down comes back under full load.
#include <chrono>
#include <optional>

#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/scale/parts.h"

namespace drover::bench {
namespace {

using Clock = std::chrono::steady_clock;

// It has applied what the leader knew when it was asked.
bool CaughtUp(System* system, int leader, int node) {
  const absl::StatusOr<NodeState> ahead = system->State(leader);
  if (!ahead.ok()) return false;
  const absl::StatusOr<NodeState> behind = system->State(node);
  return behind.ok() && behind->applied >= ahead->known;
}

}  // namespace

absl::StatusOr<CatchUpResult> MeasureCatchUp(ScaleCluster* cluster, const Flags& flags, const std::vector<std::string>& keys) {
  DROVER_RETURN_IF_ERROR(cluster->RestartAsTheyWere());
  System& system = cluster->system();
  DROVER_ASSIGN_OR_RETURN(const int leader, system.AwaitSettled(ScaleCluster::kSettleLimit));
  const int node = (leader + 1) % system.nodes();
  CatchUpResult result;

  LoadSpec spec = FullLoad(flags, keys);
  DROVER_ASSIGN_OR_RETURN(result.all_up, RunFullLoad(&system, spec));
  DROVER_ASSIGN_OR_RETURN(const double had, cluster->Metric(node, "drover_coord_applied_index"));

  cluster->Tell("one node is down");
  system.server(node).Kill();
  spec.seed = 1;
  spec.until = [&](std::uint64_t answered) { return answered >= flags.missed_writes; };
  DROVER_ASSIGN_OR_RETURN(result.one_down, RunFullLoad(&system, spec));

  cluster->Tell("it comes back");
  spec.seed = 2;
  Clock::time_point begin;
  std::optional<Clock::time_point> caught_up;
  spec.measure = base::Duration(0);
  double known = 0;
  spec.at_begin = [&] {
    known = cluster->Metric(leader, "drover_coord_commit_index").value_or(0);
    begin = Clock::now();
    system.server(node).Start();
  };
  spec.until = [&](std::uint64_t) {
    if (!caught_up && CaughtUp(&system, leader, node)) caught_up = Clock::now();
    return caught_up.has_value() || !system.server(node).running();
  };
  DROVER_ASSIGN_OR_RETURN(result.catching_up, RunFullLoad(&system, spec));
  if (!caught_up) return absl::UnavailableError("the node that came back has ended, or another one leads");
  result.missed_entries = known - had;
  result.caught_up_s = std::chrono::duration<double>(*caught_up - begin).count();
  DROVER_ASSIGN_OR_RETURN(result.snapshots_installed, cluster->Metric(node, "drover_coord_snapshots_installed_total"));
  cluster->Tell(absl::StrFormat("caught up in %.1f s", result.caught_up_s));

  spec = FullLoad(flags, keys);
  spec.seed = 3;
  DROVER_ASSIGN_OR_RETURN(result.caught_up, RunFullLoad(&system, spec));
  DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system.server(node).pid()));
  result.resident_bytes = static_cast<double>(memory.resident_bytes);
  return result;
}

}  // namespace drover::bench
