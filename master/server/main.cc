// drover-master: decides for one pool, or for several, each with an election of its own. Of several masters of a pool one is
// elected; the others are hot standbys and hand calls on to it.
//
// Exit codes: 0 after SIGTERM or SIGINT; 1 it cannot work (another store, an address in use); 2 usage.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/store/object_store.h"
#include "coord/base/random.h"
#include "coord/base/thread_executor.h"
#include "coord/process/file_limit.h"
#include "coord/process/http_server.h"
#include "coord/process/logging.h"
#include "coord/process/metrics.h"
#include "coord/process/options.h"
#include "coord/process/signals.h"
#include "coord/process/version.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "coord/transport/grpc_server.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"
#include "master/server/gateway.h"
#include "master/server/master.h"
#include "master/server/pool_master.h"

namespace drover::master::server {
namespace {

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";
constexpr base::Duration kStopPatience = std::chrono::seconds(2);

const process::Logger kLog("master.server");

struct Flags {
  std::vector<std::string> coord = {"127.0.0.1:7400"};
  std::vector<std::string> pools = {"default"};
  std::string store;
  std::string name;
  base::Duration session_timeout = std::chrono::seconds(6);
  // So that a master that was killed is replaced at once.
  base::Duration disconnect_grace = std::chrono::milliseconds(250);
  state::PlannerOptions planner;
  UploadAges uploads;
  process::ServerFlags server;
};

int FailWith(const absl::Status& status) {
  std::fprintf(stderr, "drover-master: %s\n", std::string(status.message()).c_str());
  return 1;
}

constexpr char kPoolPlace[] = "{pool}";

MasterOptions OptionsOf(const Flags& flags, const std::string& pool) {
  MasterOptions options;
  options.pool = pool;
  options.address = flags.server.advertise;
  options.id = flags.name.empty() ? options.address : flags.name;
  options.version = process::Version();
  options.session.endpoints = flags.coord;
  options.session.first_endpoint = base::SystemRandom().Next();
  options.session.timeout = flags.session_timeout;
  options.session.disconnect_grace = flags.disconnect_grace;
  options.session.name = absl::StrCat("master ", options.id.empty() ? flags.server.listen : options.id).substr(0, 128);
  options.planner = flags.planner;
  // Read by dev builds only.
  const char* hold = std::getenv("DROVER_FAULT_HOLD_COMMITS");
  if (hold != nullptr) options.committer.hold_file = hold;
  return options;
}

// Stops all of them; `done` follows the last.
void StopAll(const std::vector<std::unique_ptr<PoolMaster>>& pools, base::Task done) {
  const auto open = std::make_shared<std::size_t>(pools.size());
  const auto last = std::make_shared<base::Task>(std::move(done));
  for (const auto& pool : pools) {
    pool->master().Stop(kStopPatience, [open, last] {
      if (--*open == 0) (*last)();
    });
  }
}

int Run(const Flags& flags) {
  process::RaiseFileLimit(kLog);
  transport::CqLoop loop;
  process::Metrics metrics;
  base::SystemRandom random;
  std::atomic<bool> ready = false;
  int exit_code = 0;

  transport::ServerOptions server_options;
  server_options.listen = flags.server.listen;
  server_options.receive_bytes_max = (std::size_t{64} << 20) + (std::size_t{1} << 20);
  transport::Server server(&loop, server_options);
  transport::GrpcDialer dialer(&loop, kSessionMethod);
  base::ThreadExecutor disk(&loop, {.thread_name = "drover-store"});

  std::vector<std::unique_ptr<PoolMaster>> pools;
  std::unique_ptr<Gateway> gateway;
  PoolMaster::Seams seams{&loop, &dialer, &disk, &random, &metrics, nullptr, nullptr};
  seams.changed = [&] {
    ready = std::all_of(pools.begin(), pools.end(), [](const auto& pool) { return pool->master().ready(); });
    server.SetServing(kTaskServiceName, ready);
    if (gateway != nullptr) gateway->MastersChanged();
  };
  seams.failed = [&](const absl::Status& status) {
    exit_code = FailWith(status);
    loop.Stop();
  };
  std::vector<PoolParts> parts;
  for (const std::string& name : flags.pools) {
    const std::string store = absl::StrReplaceAll(flags.store, {{kPoolPlace, name}});
    pools.push_back(std::make_unique<PoolMaster>(seams, OptionsOf(flags, name), store, flags.uploads));
    parts.push_back(pools.back()->parts());
  }
  gateway = std::make_unique<Gateway>(&loop, parts, &random, TaskServiceOptions{.uploads = flags.uploads});
  gateway->Register(&server);
  if (const absl::Status status = server.Start(); !status.ok()) return FailWith(status);
  // The server's methods are registered before it starts, and the masters need its address.
  for (const auto& pool : pools) {
    if (flags.server.advertise.empty()) pool->master().SetAddress(server.address());
  }

  process::HttpServer http({.listen = flags.server.http,
                            .metrics = &metrics,
                            .healthy = process::LoopTurns([&loop] { return loop.BusyFor(); }, std::chrono::seconds(5)),
                            .ready = [&ready] {
                              return ready ? absl::OkStatus()
                                           : absl::UnavailableError("no session with the core, or no current view");
                            }});
  if (!flags.server.http.empty()) {
    if (const absl::Status status = http.Start(); !status.ok()) return FailWith(status);
  }
  const auto hook = loop.AtEndOfWakeup([&] {
    for (const auto& pool : pools) pool->ShowMetrics();
  });

  bool stopping = false;
  const process::Signals signals(&loop, [&](int signal) {
    if (std::exchange(stopping, true)) return loop.Stop();  // asked twice: at once
    kLog.Info("stopping", {{"signal", signal}});
    // Its successor is elected while calls that wait here are sent away.
    StopAll(pools, [&] { server.Shutdown(kStopPatience, [&loop] { loop.Stop(); }); });
  });
  kLog.Info("starting", {{"master", pools.front()->master().id()},
                         {"pool", absl::StrJoin(flags.pools, ",")},
                         {"address", server.address()},
                         {"http", flags.server.http.empty() ? std::string("none") : http.address()},
                         {"version", process::Version()}});
  for (const auto& pool : pools) pool->Start();
  loop.Run();
  // A store that does not answer may hold its thread, and so this process, for ever.
  if (exit_code != 0) std::_Exit(exit_code);
  gateway.reset();
  pools.clear();
  return 0;
}

// What is wrong with the pools; nothing: they will do.
std::optional<std::string> WrongPools(const Flags& flags) {
  for (const std::string& name : flags.pools) {
    if (!records::IsName(name)) return absl::StrCat("--pool: ", records::kNameRule);
    if (std::count(flags.pools.begin(), flags.pools.end(), name) > 1) return absl::StrCat("--pool: ", name, " is given twice");
  }
  if (flags.pools.size() > 1 && !flags.store.empty() && !absl::StrContains(flags.store, kPoolPlace)) {
    return absl::StrCat("--store: each pool needs a store of its own: say where its name goes, like file:/var/lib/drover/",
                        kPoolPlace);
  }
  return std::nullopt;
}

int Main(int argc, char** argv) {
  Flags flags;
  process::OptionSet options("drover-master", "Decides which worker of its pools runs which task.");
  options.Addresses("--coord", &flags.coord, "Nodes of the coordination core");
  options.Texts("--pool", &flags.pools, "A pool it decides for; it may be given several times");
  options.Text("--store", &flags.store,
               "Where the pool's application data is (file:/path, {pool} in it replaced by the pool's name); the first one given "
               "to a pool stands");
  options.Text("--name", &flags.name, "What people call this master (default: its address)");
  options.Time("--session-timeout", &flags.session_timeout, "Silence after which the core takes this master for dead");
  options.Time("--disconnect-grace", &flags.disconnect_grace, "The same after its link was seen to break");
  options.Time("--lost-after", &flags.planner.lost_after, "A started at-most-once task whose worker is away is LOST after this");
  options.Number("--waiting-max", &flags.planner.waiting_max,
                 "So many of the pool's tasks may wait, delayed ones too; more are refused for now", 1, records::kPoolWaitingMax);
  options.Time("--upload-age-max", &flags.uploads.submit_max, "A submission that refers to an older upload is refused");
  options.Time("--upload-kept", &flags.uploads.kept, "An upload that no submission followed is removed after this");
  flags.server.AddTo(&options, "127.0.0.1:7410");
  if (const std::optional<int> code = options.Parse(argc, argv)) return *code;
  if (const std::optional<std::string> wrong = WrongPools(flags)) return options.Refuse(*wrong);
  if (!flags.store.empty()) {
    const std::string url_of_one = absl::StrReplaceAll(flags.store, {{kPoolPlace, flags.pools.front()}});
    if (const absl::Status url = store::CheckUrl(url_of_one); !url.ok())
      return options.Refuse(absl::StrCat("--store: ", std::string(url.message())));
  }
  if (const absl::Status status = CheckAges(flags.uploads); !status.ok()) {
    return options.Refuse(absl::StrCat("--upload-kept: ", std::string(status.message())));
  }
  if (const absl::Status status = flags.server.Check(); !status.ok()) return options.Refuse(std::string(status.message()));
  if (const absl::Status status = process::SetLogLevel(flags.server.log_level); !status.ok()) {
    return options.Refuse(std::string(status.message()));
  }
  return Run(flags);
}

}  // namespace
}  // namespace drover::master::server

int main(int argc, char** argv) {
  return drover::master::server::Main(argc, argv);
}
