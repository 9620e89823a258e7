#include "tests/bench/coord_bench.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"
#include "tests/bench/systems/system.h"

namespace drover::bench {
namespace {

constexpr int kTries = 3;

using Systems = std::vector<std::unique_ptr<System>>;

absl::Status ForEachKeyOf(System* system, const std::vector<std::string>& keys, Operation operation, const std::string& value) {
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<Clients> clients, system->Connect(1, 0));
  return base::Annotate(ForEachKey(clients.get(), keys, operation, value), system->name());
}

absl::StatusOr<Measurement> MeasureOnce(System* system, const Flags& flags, const Point& point,
                                        const std::vector<std::string>& keys, int repetition) {
  LoadSpec spec;
  spec.workload = point.workload;
  spec.window = point.load.window;
  spec.set_percent = flags.set_percent;
  spec.keys = &keys;
  spec.value = std::string(point.value_bytes, 'x');
  spec.warm_up = flags.warm_up;
  spec.measure = flags.measure;
  spec.seed = static_cast<std::uint64_t>(repetition) << 32;  // the same requests of every system
  // The same place for all systems: a client at a follower pays a hop more than one at the leader.
  DROVER_ASSIGN_OR_RETURN(const int leader, system->AwaitSettled(kSettleLimit));
  const int first = flags.at_follower ? leader + 1 : leader;
  DROVER_ASSIGN_OR_RETURN(std::unique_ptr<Clients> clients, system->Connect(point.load.clients, first));
  absl::StatusOr<Measurement> measurement = RunLoad(std::move(clients), spec);
  if (!measurement.ok()) return base::Annotate(measurement.status(), system->name());
  return measurement;
}

// A system that refuses requests (a busy machine may cost it its leader) is measured anew, and the report says so.
absl::StatusOr<Measurement> MeasureUntilWhole(System* system, const Flags& flags, const std::vector<std::string>& keys,
                                              int repetition, const std::function<void(absl::string_view)>& progress,
                                              Point* point) {
  absl::StatusOr<Measurement> measurement = absl::InternalError("not measured");
  for (int i = 0; i < kTries; ++i) {
    measurement = MeasureOnce(system, flags, *point, keys, repetition);
    if (measurement.ok() || absl::IsCancelled(measurement.status())) break;
    point->failures.emplace_back(measurement.status().message());
    progress(absl::StrCat("thrown away: ", measurement.status().message()));
  }
  return measurement;
}

// All systems at one place of the parameters, by turns, so that what changes on the machine meanwhile meets all of them.
absl::Status MeasurePlace(const Systems& systems, const Flags& flags, const Point& place, const std::vector<std::string>& keys,
                          const std::function<void(absl::string_view)>& progress, CoordReport* report) {
  std::vector<Point> points(systems.size(), place);
  for (int repetition = 0; repetition < flags.repetitions; ++repetition) {
    for (std::size_t i = 0; i < systems.size(); ++i) {
      points[i].system = systems[i]->name();
      DROVER_ASSIGN_OR_RETURN(const Measurement m,
                              MeasureUntilWhole(systems[i].get(), flags, keys, repetition, progress, &points[i]));
      points[i].repetitions.push_back(m);
      progress(absl::StrFormat("%s %dx%d, %d bytes, %s, %d of %d: %.0f/s, p50 %.0f us, p99 %.0f us", WorkloadName(place.workload),
                               place.load.clients, place.load.window, place.value_bytes, systems[i]->name(), repetition + 1,
                               flags.repetitions, m.per_second, m.p50_us, m.p99_us));
    }
  }
  for (Point& point : points) report->points.push_back(std::move(point));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CoordReport> RunCoordBench(const Flags& flags, const std::string& directory,
                                          const std::function<void(absl::string_view)>& progress) {
  CoordReport report;
  report.machine = DescribeMachine(directory);
  DROVER_ASSIGN_OR_RETURN(const Systems systems, MakeSystems(flags.systems, flags.nodes, directory));
  const std::vector<std::string> keys = KeyNames(static_cast<std::size_t>(flags.keys));
  for (const std::unique_ptr<System>& system : systems) {
    progress(absl::StrCat("starting ", system->nodes(), " of ", system->name()));
    DROVER_RETURN_IF_ERROR(system->Start());
    DROVER_RETURN_IF_ERROR(ForEachKeyOf(system.get(), {kKeyRoot}, Operation::kCreate, ""));
    DROVER_RETURN_IF_ERROR(ForEachKeyOf(system.get(), keys, Operation::kCreate, ""));
    report.systems.push_back(system->Facts());
  }
  for (const std::size_t value_bytes : flags.value_bytes) {
    for (const std::unique_ptr<System>& system : systems) {
      DROVER_RETURN_IF_ERROR(ForEachKeyOf(system.get(), keys, Operation::kSet, std::string(value_bytes, 'x')));
    }
    for (const Load& load : flags.loads) {
      for (const Workload workload : flags.workloads) {
        DROVER_RETURN_IF_ERROR(MeasurePlace(systems, flags, {workload, load, value_bytes, "", {}, {}}, keys, progress, &report));
      }
    }
  }
  return report;
}

}  // namespace drover::bench
