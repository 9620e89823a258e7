#include "tests/bench/failover_bench.h"

#include <signal.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"
#include "tests/bench/steady_writer.h"
#include "tests/bench/systems/system.h"
#include "tests/support/await.h"

namespace drover::bench {
namespace {

using Clock = SteadyWriter::Clock;

constexpr int kKeys = 100;

// Stopped by a signal: all of its threads stand still.
bool Stopped(pid_t pid) {
  const std::string stat = testing::ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  const std::size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] == 'T';
}

// One kill: the leader is found, killed, replaced, and back again.
absl::StatusOr<Outage> KillOnce(System* system, SteadyWriter* writer, const Flags& flags) {
  DROVER_RETURN_IF_ERROR(system->AwaitSettled(kSettleLimit).status());
  DROVER_RETURN_IF_ERROR(Pause(flags.pause));
  DROVER_RETURN_IF_ERROR(writer->AwaitAcknowledged(flags.limit).status());
  DROVER_ASSIGN_OR_RETURN(const int leader, system->AwaitSettled(kSettleLimit));
  testing::Process& server = system->server(leader);

  const Clock::time_point begin = Clock::now();
  if (flags.stop) {
    server.Signal(SIGSTOP);
    if (!testing::Await([&server] { return Stopped(server.pid()); }, kSettleLimit)) {
      return absl::InternalError("the leader's process did not stop");
    }
  } else {
    server.Kill();
  }
  // Only writes made from here on count: the leader can acknowledge nothing any more.
  const absl::StatusOr<Clock::time_point> again = writer->AwaitAcknowledged(flags.limit);
  if (flags.stop) {
    server.Signal(SIGCONT);
  } else {
    server.Start();
  }
  if (!again.ok()) return again.status();
  return Outage{leader + 1, std::chrono::duration<double>(*again - begin).count()};
}

absl::StatusOr<FailoverResult> Measure(System* system, const Flags& flags, const std::function<void(absl::string_view)>& progress) {
  const std::vector<std::string> keys = KeyNames(kKeys);
  const std::string value(flags.value_bytes.front(), 'x');
  DROVER_ASSIGN_OR_RETURN(std::unique_ptr<Clients> clients, system->Connect(system->connections_of_writer(), 0));
  DROVER_RETURN_IF_ERROR(ForEachKey(clients.get(), {kKeyRoot}, Operation::kCreate, ""));
  DROVER_RETURN_IF_ERROR(ForEachKey(clients.get(), keys, Operation::kCreate, value));

  FailoverResult result;
  result.system = system->name();
  SteadyWriter writer(std::move(clients), keys, value, flags.rate);
  absl::Status status;
  for (int kill = 1; kill <= flags.kills && status.ok(); ++kill) {
    const absl::StatusOr<Outage> outage = KillOnce(system, &writer, flags);
    status = outage.status();
    if (!status.ok()) break;
    result.outages.push_back(*outage);
    progress(absl::StrFormat("%s: %d of %d, node %d: %.3f s", system->name(), kill, flags.kills, outage->leader, outage->seconds));
  }
  writer.Stop();
  result.writes_acknowledged = writer.acknowledged();
  result.writes_failed = writer.failed();
  if (!status.ok()) return base::Annotate(status, system->name());
  return result;
}

}  // namespace

absl::StatusOr<FailoverReport> RunFailoverBench(const Flags& flags, const std::string& directory,
                                                const std::function<void(absl::string_view)>& progress) {
  FailoverReport report;
  report.machine = DescribeMachine(directory);
  DROVER_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<System>> systems, MakeSystems(flags.systems, flags.nodes, directory));
  for (std::unique_ptr<System>& system : systems) {
    progress(absl::StrCat("starting ", system->nodes(), " of ", system->name()));
    DROVER_RETURN_IF_ERROR(system->Start());
    report.systems.push_back(system->Facts());
    DROVER_ASSIGN_OR_RETURN(FailoverResult result, Measure(system.get(), flags, progress));
    report.results.push_back(std::move(result));
    system.reset();  // its servers go before the next system's come
  }
  return report;
}

}  // namespace drover::bench
