// drover-master: decides for one pool. Of several, one is elected; the others are hot standbys and hand calls on to it.
//
// Exit codes: 0 after SIGTERM or SIGINT; 1 it cannot work (another store, an address in use); 2 usage.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
#include "drover/coord/session.h"
#include "master/pool/pool_store.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"
#include "master/server/gateway.h"
#include "master/server/master.h"
#include "master/server/master_metrics.h"
#include "master/server/object_remover.h"
#include "master/server/orphan_sweeper.h"

namespace drover::master::server {
namespace {

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";
constexpr base::Duration kStopPatience = std::chrono::seconds(2);

const process::Logger kLog("master.server");

struct Flags {
  std::vector<std::string> coord = {"127.0.0.1:7400"};
  std::string pool = "default";
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

MasterOptions OptionsOf(const Flags& flags, const std::string& bound) {
  MasterOptions options;
  options.pool = flags.pool;
  options.address = flags.server.advertise.empty() ? bound : flags.server.advertise;
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

int Run(const Flags& flags) {
  process::RaiseFileLimit(kLog);
  transport::CqLoop loop;
  process::Metrics metrics;
  MasterMetrics master_metrics(&metrics);
  base::SystemRandom random;
  std::atomic<bool> ready = false;
  int exit_code = 0;

  transport::ServerOptions server_options;
  server_options.listen = flags.server.listen;
  server_options.receive_bytes_max = (std::size_t{64} << 20) + (std::size_t{1} << 20);
  transport::Server server(&loop, server_options);
  transport::GrpcDialer dialer(&loop, kSessionMethod);
  base::ThreadExecutor disk(&loop, {.thread_name = "drover-store"});

  // What the address is, is known once the server has started; calls that come before the master is there find nobody elected.
  std::unique_ptr<Master> master;
  pool::PoolStore store(
      &loop,
      {.path = records::PoolPaths(flags.pool).Store(),
       .url = flags.store,
       .fresh_marker = absl::StrCat(absl::Hex(random.Next()), absl::Hex(random.Next()))},
      [&](const std::string& url, bool create) { return store::OpenStore(url, &disk, {.create = create, .tend = true}); },
      [&] { return master->session(); });
  ObjectRemover remover(&store);

  MasterOptions options = OptionsOf(flags, "");
  std::unique_ptr<Gateway> gateway;
  bool store_asked = false;
  const auto fail = [&](const absl::Status& status) {
    exit_code = FailWith(status);
    loop.Stop();
  };
  Master::Hooks hooks;
  hooks.open_session = [&](const coord::SessionOptions& session) { return coord::Session::Open(&loop, &dialer, session); };
  hooks.commits = &master_metrics;
  hooks.changed = [&] {
    ready = master->ready();
    server.SetServing(kTaskServiceName, master->ready());
    if (gateway != nullptr) gateway->MastersChanged();
  };
  hooks.retired = [&](const std::string& id, const worker::v1::TaskRecord& record) { remover.Remove(id, record); };
  hooks.session_replaced = [&] {
    if (store_asked) return store.SessionReplaced();
    store_asked = true;
    // Posted: the master is not there yet while it opens its first session.
    loop.Post([&] {
      store.Use([&](const absl::StatusOr<store::ObjectStore*>& opened) {
        // A pool without a store is one whose tasks have small input and output; a store that is another one is a mistake.
        if (!opened.ok() && !store.none()) return fail(opened.status());
        if (!opened.ok()) return kLog.Info("the pool has no object store: only small input and output can be kept");
        kLog.Info("object store is open", {{"url", store.url()}});
      });
    });
  };
  // The server's methods are registered before it starts and the master needs its address: so the address is found first.
  master = std::make_unique<Master>(&loop, options, std::move(hooks));
  gateway = std::make_unique<Gateway>(&loop, master.get(), &store, &random, TaskServiceOptions{.uploads = flags.uploads});
  OrphanSweeper sweeper(&loop, master.get(), &store, flags.uploads);
  gateway->Register(&server);
  if (const absl::Status status = server.Start(); !status.ok()) return FailWith(status);
  if (flags.server.advertise.empty()) master->SetAddress(server.address());

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
  const auto hook = loop.AtEndOfWakeup([&] { master_metrics.Show(*master); });

  bool stopping = false;
  const process::Signals signals(&loop, [&](int signal) {
    if (std::exchange(stopping, true)) return loop.Stop();  // asked twice: at once
    kLog.Info("stopping", {{"signal", signal}});
    // Its successor is elected while calls that wait here are sent away.
    master->Stop(kStopPatience, [&] { server.Shutdown(kStopPatience, [&loop] { loop.Stop(); }); });
  });
  kLog.Info("starting", {{"master", master->id()},
                         {"pool", flags.pool},
                         {"address", server.address()},
                         {"http", flags.server.http.empty() ? std::string("none") : http.address()},
                         {"version", process::Version()}});
  master->Start();
  sweeper.Start();
  loop.Run();
  // A store that does not answer may hold its thread, and so this process, for ever.
  if (exit_code != 0) std::_Exit(exit_code);
  gateway.reset();
  master.reset();
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  process::OptionSet options("drover-master", "Decides which worker of its pool runs which task.");
  options.Addresses("--coord", &flags.coord, "Nodes of the coordination core");
  options.Text("--pool", &flags.pool, "The pool it decides for");
  options.Text("--store", &flags.store, "Where the pool's application data is (file:/path); the first one given to a pool stands");
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
  if (!records::IsName(flags.pool)) return options.Refuse(absl::StrCat("--pool: ", records::kNameRule));
  if (!flags.store.empty()) {
    if (const absl::Status url = store::CheckUrl(flags.store); !url.ok())
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
