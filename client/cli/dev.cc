// `drover dev`: a local cluster of real processes.
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/data_directory.h"
#include "client/cli/dev_cluster.h"
#include "client/cli/dev_plan.h"
#include "client/cli/exit_code.h"

namespace drover::cli {
namespace {

constexpr auto kStartTimeout = std::chrono::seconds(60);
// A worker that is told to stop lets its tasks finish for so long.
constexpr auto kStopGrace = std::chrono::seconds(5);

struct DevFlags {
  int coords = 1;
  int masters = 2;
  int workers = 3;
  int slots = 4;
  std::string data;
  bool restart = false;
  std::vector<std::string> command;
};

absl::StatusOr<std::string> OwnDirectory() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::InternalError(absl::StrCat("cannot tell where this program is: ", error.message()));
  return self.parent_path().string();
}

int Dev(const App& app, const DevFlags& flags) {
  if (flags.coords < 1 || flags.coords > 9) {
    return app.Usage("dev: --coords must be 1 to 9 (odd numbers make sense: a majority of them must live)");
  }
  DataDirectory data;
  if (absl::Status s = data.Open(flags.data); !s.ok()) return app.output.Fail(s);
  if (absl::Status s = CheckCoords(flags.coords, data.path()); !s.ok()) {
    return app.Usage(absl::StrCat("dev: ", std::string(s.message())));
  }
  auto binaries = OwnDirectory();
  if (!binaries.ok()) return app.output.Fail(binaries.status());

  DevOptions options;
  options.coords = flags.coords;
  options.masters = flags.masters;
  options.workers = flags.workers;
  options.slots = flags.slots;
  options.pool = app.globals.pool;
  options.data = data.path();
  options.binaries = *binaries;
  auto ports = PickPorts(DevIds(options), options.data);
  if (!ports.ok()) return app.output.Fail(ports.status());
  const std::map<std::string, std::string> environment = CurrentEnvironment();
  DevPlan plan = MakePlan(options, *ports, environment);
  const std::string coord = plan.coord;

  // With a command, standard output is the command's.
  Output to_stderr(app.output.format(), &std::cerr, &std::cerr);
  Output& output = flags.command.empty() ? app.output : to_stderr;
  DevCluster cluster(std::move(plan), options.pool, flags.restart, &output);
  if (absl::Status s = cluster.Start(kStartTimeout); !s.ok()) {
    cluster.Stop(kStopGrace);
    return absl::IsCancelled(s) ? static_cast<int>(kOk) : app.output.Fail(s);
  }
  Item exported;
  exported.id = coord;
  exported.json = {{"export", {{"DROVER_COORD", coord}}}};
  output.Line(absl::StrCat("export DROVER_COORD=", coord), exported);

  int code = kOther;
  if (flags.command.empty()) {
    output.Note("the cluster is ready; Ctrl-C stops it");
    code = cluster.Run(nullptr);
  } else {
    ChildSpec spec;
    spec.id = "command";
    spec.argv = flags.command;
    spec.environment = environment;
    spec.environment["DROVER_COORD"] = coord;
    spec.environment["DROVER_POOL"] = options.pool;
    // What leads to another cluster; a configuration file may, too.
    spec.environment.erase("DROVER_MASTER");
    spec.environment.erase("DROVER_CONFIG");
    spec.environment["PATH"] = absl::StrCat(*binaries, ":", spec.environment["PATH"]);
    Child command(std::move(spec));
    if (absl::Status s = command.Start(); !s.ok()) {
      code = app.output.Fail(kOther, s);
    } else {
      code = cluster.Run(&command);
    }
  }
  cluster.Stop(kStopGrace);
  return code;
}

}  // namespace

void AddDevCommand(process::OptionSet* root, Commands* commands) {
  process::OptionSet& options = root->Command("dev", "Runs a local cluster until Ctrl-C, or around a command");
  auto flags = std::make_shared<DevFlags>();
  options.Number("--coords", &flags->coords, "Coordination nodes", 1, 9);
  options.Number("--masters", &flags->masters, "Masters", 1, 16);
  options.Number("--workers", &flags->workers, "Workers", 0, 64);
  options.Number("--slots", &flags->slots, "Tasks that each worker runs at a time", 1, 1024);
  options.Text("--data", &flags->data, "Directory that keeps the cluster's state; without it nothing is kept");
  options.Flag("--restart", &flags->restart, "Start again what dies");
  options.Rest("COMMAND", &flags->command, "Run this with the cluster's environment, then stop everything and exit with its code",
               /*required=*/false);
  commands->push_back({&options, [flags](const App& app) { return Dev(app, *flags); }});
}

}  // namespace drover::cli
