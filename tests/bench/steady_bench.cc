#include "tests/bench/steady_bench.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"
#include "tests/bench/systems/system.h"
#include "tests/support/stalled_disk.h"

namespace drover::bench {
namespace {

// Stalls the disks of the followers by turns, evenly over the time that the load lasts. A thread of its own.
class Stalls {
 public:
  // `disks`: one a node, of which that of `leader` is left alone.
  Stalls(std::vector<testing::StalledDisk> disks, int leader, const Flags& flags)
      : thread_([disks = std::move(disks), leader, flags, this]() mutable {
          const int nodes = static_cast<int>(disks.size());
          for (int i = 0; i < flags.stalls; ++i) {
            const int follower = (leader + 1 + i % (nodes - 1)) % nodes;
            if (!Pause(flags.duration / flags.stalls - flags.stall).ok()) return;
            testing::StalledDisk& disk = disks[static_cast<std::size_t>(follower)];
            disk.Stall();
            const bool whole = Pause(flags.stall).ok();
            disk.GoOn();
            if (whole) ++made_;
          }
        }) {}

  // How many were made; waits for the last.
  int Join() {
    thread_.join();
    return made_;
  }

 private:
  int made_ = 0;
  std::thread thread_;
};

absl::StatusOr<SteadyResult> Measure(System* system, std::vector<testing::StalledDisk> disks, const Flags& flags,
                                     const std::function<void(absl::string_view)>& progress) {
  const std::vector<std::string> keys = KeyNames(static_cast<std::size_t>(flags.keys));
  LoadSpec spec;
  spec.workload = flags.workloads.front();
  spec.window = flags.loads.front().window;
  spec.set_percent = flags.set_percent;
  spec.keys = &keys;
  spec.value = std::string(flags.value_bytes.front(), 'x');
  spec.measure = flags.slice;
  {
    DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<Clients> clients, system->Connect(1, 0));
    DROVER_RETURN_IF_ERROR(ForEachKey(clients.get(), {kKeyRoot}, Operation::kCreate, ""));
    DROVER_RETURN_IF_ERROR(ForEachKey(clients.get(), keys, Operation::kCreate, spec.value));
  }

  SteadyResult result;
  result.system = system->name();
  DROVER_ASSIGN_OR_RETURN(const int leader, system->AwaitSettled(kSettleLimit));
  DROVER_ASSIGN_OR_RETURN(result.term_before, system->NewestTerm());
  Stalls stalls(std::move(disks), leader, flags);
  absl::Status status;
  const auto slices = static_cast<int>(flags.duration / flags.slice);
  for (int i = 0; i < slices && !Interrupted(); ++i) {
    spec.seed = static_cast<std::uint64_t>(i) << 32;
    absl::StatusOr<std::unique_ptr<Clients>> clients = system->Connect(flags.loads.front().clients, leader);
    const absl::StatusOr<Measurement> m = clients.ok() ? RunLoad(*std::move(clients), spec) : clients.status();
    if (m.ok()) {
      result.slices.push_back(*m);
      progress(absl::StrFormat("%s: slice %d of %d: %.0f/s, p50 %.0f us, p99 %.0f us", system->name(), i + 1, slices, m->per_second,
                               m->p50_us, m->p99_us));
    } else {
      result.failures.emplace_back(m.status().message());
      progress(absl::StrCat(system->name(), ": slice ", i + 1, " of ", slices, ": ", m.status().message()));
    }
  }
  result.stalls = stalls.Join();
  if (Interrupted()) return absl::CancelledError("interrupted");
  DROVER_ASSIGN_OR_RETURN(result.term_after, system->NewestTerm());
  return result;
}

}  // namespace

absl::StatusOr<SteadyReport> RunSteadyBench(const Flags& flags, const std::string& directory,
                                            const std::function<void(absl::string_view)>& progress) {
  SteadyReport report;
  report.machine = DescribeMachine(directory);
  std::vector<testing::StalledDisk> disks;
  for (int i = 0; flags.stalls > 0 && i < flags.nodes; ++i) disks.emplace_back(absl::StrCat(directory, "/stalled-", i + 1));
  DROVER_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<System>> systems, MakeSystems(flags.systems, flags.nodes, directory, disks));
  for (std::unique_ptr<System>& system : systems) {
    progress(absl::StrCat("starting ", system->nodes(), " of ", system->name()));
    DROVER_RETURN_IF_ERROR(system->Start());
    report.systems.push_back(system->Facts());
    absl::StatusOr<SteadyResult> result = Measure(system.get(), disks, flags, progress);
    if (!result.ok()) return base::Annotate(result.status(), system->name());
    report.results.push_back(*std::move(result));
    system.reset();  // its servers go before the next system's come
  }
  return report;
}

}  // namespace drover::bench
