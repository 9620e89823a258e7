// drover-worker: runs the tasks that the pool's master assigns to it.
//
// Exit codes: 0 drained after SIGTERM or SIGINT; 1 it cannot work (its name is taken, another store, no reaper); 2 usage. A second
// signal ends it at once; its reaper then kills what runs and says so, as after a crash.
#include <cstdio>
#include <string>

#include "coord/process/logging.h"
#include "coord/process/options.h"
#include "worker/exec/reaper.h"
#include "worker/host/host.h"

namespace drover::worker {
namespace {

constexpr char kDefaultListen[] = "127.0.0.1:7420";

int FailWith(const absl::Status& status) {
  std::fprintf(stderr, "drover-worker: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Main(int argc, char** argv) {
  host::HostOptions flags;
  flags.slots = host::Processors();
  flags.work_dir = host::EnvironmentOr("TMPDIR", "/tmp");
  process::OptionSet options("drover-worker", "Runs the tasks that its pool's master assigns to it.");
  options.Addresses("--coord", &flags.coord, "Nodes of the coordination core");
  options.Text("--pool", &flags.pool, "The pool it works for");
  options.Text("--store", &flags.store, "Where the pool's application data is (file:/path); the first one given to a pool stands");
  options.Text("--name", &flags.name, "This worker's name, its own in the pool (default: the host's name)");
  options.Number("--slots", &flags.slots, "Tasks that it runs at the same time", 1, 4096);
  options.Pairs("--label", &flags.labels, "A property that tasks may ask for");
  options.Pairs("--resource", &flags.resources,
                "What its tasks may take together, like gpu=2 or memory=16Gi; cpu and memory are this host's unless given");
  options.Text("--work-dir", &flags.work_dir, "Where the tasks' directories are made");
  options.Time("--session-timeout", &flags.session_timeout, "Silence after which the core takes this worker for dead");
  options.Time("--drain-timeout", &flags.drain_timeout, "After SIGTERM: how long it waits for what runs");
  options.Time("--grace", &flags.grace, "Between SIGTERM and SIGKILL of a task that is to end");
  options.Time("--death-report-patience", &flags.death_report_patience,
               "If this process is killed: how long its reaper tries to tell the core, before it ends");
  flags.server.AddTo(&options, kDefaultListen);
  if (const auto code = options.Parse(argc, argv)) return *code;
  if (const absl::Status wrong = host::Check(flags); !wrong.ok()) return options.Refuse(std::string(wrong.message()));
  if (const absl::Status status = process::SetLogLevel(flags.server.log_level); !status.ok()) {
    return options.Refuse(std::string(status.message()));
  }
  flags.on_failure = [](const absl::Status& why) { FailWith(why); };
  const absl::Status status = host::Run(flags, {}, nullptr, nullptr);
  return status.ok() ? 0 : FailWith(status);
}

}  // namespace
}  // namespace drover::worker

int main(int argc, char** argv) {
  // First: the reaper must not have threads.
  if (const auto code = drover::worker::exec::RunIfReaper(argc, argv, drover::worker::host::ReportDeath)) return *code;
  return drover::worker::Main(argc, argv);
}
