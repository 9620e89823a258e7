// How much memory a server takes for each znode.
#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/scale/parts.h"

namespace drover::bench {
namespace {

// What is bounded and no znode.
constexpr const char* kBuffers[] = {"drover_coord_history_bytes", "drover_coord_log_cache_bytes", "drover_coord_uncommitted_bytes"};
// What is left of the load (connections, garbage) goes meanwhile.
constexpr std::chrono::seconds kRest{5};

absl::Status Rest(System* system, ScaleCluster* cluster) {
  DROVER_RETURN_IF_ERROR(system->AwaitSettled(ScaleCluster::kSettleLimit).status());
  DROVER_RETURN_IF_ERROR(Pause(kRest));
  return cluster == nullptr ? absl::OkStatus() : cluster->AwaitNoSnapshot();
}

absl::StatusOr<double> BuffersOf(const ScaleCluster& cluster, int node) {
  double bytes = 0;
  for (const char* const buffer : kBuffers) {
    DROVER_ASSIGN_OR_RETURN(const double size, cluster.Metric(node, buffer));
    bytes += size;
  }
  return bytes;
}

}  // namespace

absl::StatusOr<MemoryResult> MeasureMemory(System* system, const Flags& flags, ScaleCluster* cluster) {
  MemoryResult result;
  result.system = system->name();
  DROVER_RETURN_IF_ERROR(Rest(system, cluster));
  for (int node = 0; node < system->nodes(); ++node) {
    DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system->server(node).pid()));
    NodeFootprint footprint;
    footprint.empty_bytes = static_cast<double>(memory.resident_bytes);
    result.nodes.push_back(footprint);
  }
  const auto begin = std::chrono::steady_clock::now();
  DROVER_RETURN_IF_ERROR(FillZnodes(system, flags));
  result.fill_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  DROVER_RETURN_IF_ERROR(Rest(system, cluster));
  for (int node = 0; node < system->nodes(); ++node) {
    NodeFootprint& footprint = result.nodes[static_cast<std::size_t>(node)];
    DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(system->server(node).pid()));
    footprint.full_bytes = static_cast<double>(memory.resident_bytes);
    footprint.peak_bytes = static_cast<double>(memory.peak_bytes);
    if (cluster == nullptr) continue;
    DROVER_ASSIGN_OR_RETURN(footprint.buffer_bytes, BuffersOf(*cluster, node));
  }
  return result;
}

}  // namespace drover::bench
