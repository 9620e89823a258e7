#include "tests/bench/scale/bench.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/machine.h"
#include "tests/bench/scale/cluster.h"
#include "tests/bench/scale/parts.h"

namespace drover::bench {
namespace {

bool Wanted(const Flags& flags, ScalePart part) {
  return std::find(flags.parts.begin(), flags.parts.end(), part) != flags.parts.end();
}

// Fills it on the way.
absl::Status MeasureMemoryOf(System* system, const Flags& flags, ScaleCluster* cluster,
                             const std::function<void(absl::string_view)>& progress, ScaleReport* report) {
  progress(absl::StrCat("filling ", system->name(), " with ", flags.znodes, " znodes"));
  DROVER_ASSIGN_OR_RETURN(MemoryResult memory, MeasureMemory(system, flags, cluster));
  progress(absl::StrFormat("%s: filled in %.0f s", system->name(), memory.fill_s));
  report->memory.push_back(std::move(memory));
  return absl::OkStatus();
}

absl::Status MeasureDrover(System* system, const Flags& flags, const std::function<void(absl::string_view)>& progress,
                           ScaleReport* report) {
  ScaleCluster cluster(system, progress);
  if (Wanted(flags, ScalePart::kMemory)) {
    DROVER_RETURN_IF_ERROR(MeasureMemoryOf(system, flags, &cluster, progress, report));
  } else {
    progress(absl::StrCat("filling drover with ", flags.znodes, " znodes"));
    DROVER_RETURN_IF_ERROR(FillZnodes(system, flags));
  }
  std::vector<std::string> keys;
  keys.reserve(flags.znodes);
  for (std::size_t i = 0; i < flags.znodes; ++i) keys.push_back(DeepKeyName(i));
  if (Wanted(flags, ScalePart::kSnapshotGap)) {
    DROVER_ASSIGN_OR_RETURN(report->gaps, MeasureSnapshotGap(&cluster, flags, keys));
  }
  if (Wanted(flags, ScalePart::kRestart)) {
    DROVER_ASSIGN_OR_RETURN(report->restarts, MeasureRestart(&cluster, flags, keys));
  }
  if (Wanted(flags, ScalePart::kCatchUp)) {
    DROVER_ASSIGN_OR_RETURN(report->catch_up, MeasureCatchUp(&cluster, flags, keys));
  }
  if (Wanted(flags, ScalePart::kAddNode)) {
    DROVER_ASSIGN_OR_RETURN(report->add_node, MeasureAddNode(&cluster, flags, keys));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ScaleReport> RunScaleBench(const Flags& flags, const std::string& directory,
                                          const std::function<void(absl::string_view)>& progress) {
  ScaleReport report;
  report.machine = DescribeMachine(directory);
  DROVER_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<System>> systems, MakeSystems(flags.systems, flags.nodes, directory));
  for (std::unique_ptr<System>& system : systems) {
    // Of the others only memory is measured.
    const bool drover = system->name() == "drover";
    if (!drover && !Wanted(flags, ScalePart::kMemory)) continue;
    progress(absl::StrCat("starting ", system->nodes(), " of ", system->name()));
    DROVER_RETURN_IF_ERROR(system->Start());
    report.systems.push_back(system->Facts());
    DROVER_RETURN_IF_ERROR(drover ? MeasureDrover(system.get(), flags, progress, &report)
                                  : MeasureMemoryOf(system.get(), flags, nullptr, progress, &report));
    system.reset();  // its servers go before the next system's come
  }
  return report;
}

}  // namespace drover::bench
