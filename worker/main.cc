// drover-worker: runs the tasks that the pool's master assigns to it.
//
// Exit codes: 0 drained after SIGTERM or SIGINT; 1 it cannot work (its name is taken, another store, no reaper); 2 usage. A second
// signal ends it at once; its reaper then kills what runs and says so, as after a crash.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/store/object_store.h"
#include "coord/base/mutex.h"
#include "coord/base/random.h"
#include "coord/base/thread_executor.h"
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
#include "master/records/amount.h"
#include "master/records/requirement.h"
#include "master/records/task_id.h"
#include "worker/agent/agent.h"
#include "worker/agent/death_report.h"
#include "worker/exec/local_runner.h"
#include "worker/exec/reaper.h"

namespace drover::worker {
namespace {

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";
constexpr char kDefaultListen[] = "127.0.0.1:7420";

const process::Logger kLog("worker");

struct Flags {
  std::vector<std::string> coord = {"127.0.0.1:7400"};
  std::string pool = "default";
  std::string store;
  std::string name;
  std::uint32_t slots = std::max(1U, std::thread::hardware_concurrency());
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> resources;
  std::string work_dir;
  base::Duration session_timeout = std::chrono::seconds(6);
  base::Duration drain_timeout = agent::AgentOptions().drain_timeout;
  base::Duration grace = agent::AgentOptions().grace;
  base::Duration death_report_patience = agent::AgentOptions().death_report_patience;
  process::ServerFlags server;
};

std::string EnvironmentOr(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// This host's name and, unless it is the usual one, the port.
std::string DefaultName(const std::string& address) {
  char host[HOST_NAME_MAX + 1] = {};
  ::gethostname(host, sizeof host - 1);
  std::string name = host;
  for (char& c : name) {
    const char one[] = {'x', c, '\0'};
    if (!records::IsName(one)) c = '-';
  }
  if (!records::IsName(name)) name = "worker";
  const auto at = process::ParseHostPort(address);
  if (at.ok() && at->port != 7420) absl::StrAppend(&name, "-", at->port);
  return name.substr(0, records::kNameBytesMax);
}

// What was given, and of cpu and memory what this host has.
absl::StatusOr<std::map<std::string, std::int64_t>> ResourcesOf(const Flags& flags) {
  std::map<std::string, std::int64_t> resources;
  resources["cpu"] = std::int64_t{1000} * std::max(1U, std::thread::hardware_concurrency());
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) resources["memory"] = pages * page_bytes * 1000;
  for (const auto& [name, text] : flags.resources) {
    const absl::StatusOr<std::int64_t> amount = records::ParseAmount(text);
    if (!amount.ok()) return amount.status();
    resources[name] = *amount;
  }
  const google::protobuf::Map<std::string, std::int64_t> to_check(resources.begin(), resources.end());
  if (const absl::Status status = records::CheckResources(to_check); !status.ok()) return status;
  return resources;
}

// The usage errors that no single option shows; empty: none.
std::string Check(const Flags& flags) {
  if (!records::IsName(flags.pool)) return absl::StrCat("--pool: ", records::kNameRule);
  if (!flags.name.empty() && !records::IsName(flags.name)) return absl::StrCat("--name: ", records::kNameRule);
  for (const auto& [key, value] : flags.labels) {
    if (!records::IsLabelKey(key) || !records::IsLabelValue(value)) {
      return absl::StrCat("--label ", key, "=", value, ": keys are names that may have '/' in them, values have at most 63 bytes");
    }
  }
  if (const auto resources = ResourcesOf(flags); !resources.ok()) {
    return absl::StrCat("--resource: ", std::string(resources.status().message()));
  }
  if (flags.labels.size() > records::kLabelsMax) return absl::StrCat("--label: at most ", records::kLabelsMax);
  if (!flags.store.empty()) {
    if (const absl::Status url = store::CheckUrl(flags.store); !url.ok())
      return absl::StrCat("--store: ", std::string(url.message()));
  }
  if (const absl::Status server = flags.server.Check(); !server.ok()) return std::string(server.message());
  return "";
}

std::string RandomHex128() {
  base::SystemRandom random;
  return absl::StrCat(absl::Hex(random.Next(), absl::kZeroPad16), absl::Hex(random.Next(), absl::kZeroPad16));
}

// In the reaper's process, once the worker is gone and everything is dead.
void ReportDeath(absl::string_view bytes) {
  auto will = agent::DecodeLastWill(bytes);
  if (!will.ok()) return kLog.Error("the reaper cannot report", {{"status", will.status()}});
  transport::CqLoop loop;
  transport::GrpcDialer dialer(&loop, kSessionMethod);
  auto report = std::make_unique<agent::DeathReport>(&loop, &dialer, *std::move(will), [&] { loop.Stop(); });
  loop.Run();
}

// Copies the agent's counts into metrics at the end of each wake-up.
class Gauges {
 public:
  explicit Gauges(process::Metrics* metrics)
      : started_(metrics->Counter("drover_worker_programs_started_total", "Programs started")),
        refused_(metrics->Counter("drover_worker_outcomes_refused_total",
                                  "Commits refused, and programs stopped, because the attempt no longer stood")),
        again_(Ended(metrics, "again")),
        succeeded_(Ended(metrics, "succeeded")),
        failed_(Ended(metrics, "failed")),
        cancelled_(Ended(metrics, "cancelled")),
        lost_(Ended(metrics, "lost")),
        sessions_(metrics->Counter("drover_worker_sessions_total", "Sessions opened with the core")),
        reapers_(metrics->Counter("drover_worker_reapers_lost_total", "Reapers that died and were replaced")),
        attempts_(metrics->Gauge("drover_worker_attempts", "Attempts from assignment to committed outcome")) {}

  void Show(const agent::Agent& agent) {
    const agent::AgentCounters& now = agent.counters();
    Raise(started_, now.programs_started);
    Raise(refused_, now.refused);
    Raise(again_, now.again);
    Raise(succeeded_, now.succeeded);
    Raise(failed_, now.failed);
    Raise(cancelled_, now.cancelled);
    Raise(lost_, now.lost);
    Raise(sessions_, now.sessions);
    attempts_.Set(static_cast<double>(agent.attempts()));
  }
  void ReaperLost() { reapers_.Increment(); }

 private:
  static prometheus::Counter& Ended(process::Metrics* metrics, const char* how) {
    return metrics->Counter("drover_worker_attempts_ended_total", "Attempts whose end this worker committed", {{"outcome", how}});
  }
  static void Raise(prometheus::Counter& counter, std::uint64_t value) {
    const double more = static_cast<double>(value) - counter.Value();
    if (more > 0) counter.Increment(more);
  }

  prometheus::Counter& started_;
  prometheus::Counter& refused_;
  prometheus::Counter& again_;
  prometheus::Counter& succeeded_;
  prometheus::Counter& failed_;
  prometheus::Counter& cancelled_;
  prometheus::Counter& lost_;
  prometheus::Counter& sessions_;
  prometheus::Counter& reapers_;
  prometheus::Gauge& attempts_;
};

// Why the worker cannot serve, for /readyz, which is asked on other threads.
class Readiness {
 public:
  void Set(const absl::Status& status) {
    base::MutexLock lock(&mu_);
    status_ = status;
  }
  absl::Status Get() {
    base::MutexLock lock(&mu_);
    return status_;
  }

 private:
  base::Mutex mu_;
  absl::Status status_ ABSL_GUARDED_BY(mu_) = absl::UnavailableError("starting");
};

class Stopper final : public agent::AgentObserver {
 public:
  explicit Stopper(transport::CqLoop* loop) : loop_(loop) {}
  void OnStopped(const absl::Status& status) override {
    status_ = status;
    loop_->Stop();
  }
  [[nodiscard]] const absl::Status& status() const { return status_; }

 private:
  transport::CqLoop* const loop_;
  absl::Status status_;
};

int FailWith(const absl::Status& status) {
  std::fprintf(stderr, "drover-worker: %s\n", std::string(status.message()).c_str());
  return 1;
}

agent::AgentOptions OptionsOf(const Flags& flags, const std::string& bound) {
  agent::AgentOptions options;
  options.pool = flags.pool;
  options.address = flags.server.advertise.empty() ? bound : flags.server.advertise;
  options.name = flags.name.empty() ? DefaultName(options.address) : flags.name;
  options.slots = flags.slots;
  options.labels = flags.labels;
  options.resources = *ResourcesOf(flags);  // checked before
  options.version = process::Version();
  options.process_id = RandomHex128();
  options.session.endpoints = flags.coord;
  options.session.first_endpoint = base::SystemRandom().Next();
  options.session.timeout = flags.session_timeout;
  options.session.name = absl::StrCat("worker ", options.name);
  options.base_env = {{"PATH", EnvironmentOr("PATH", "/usr/local/bin:/usr/bin:/bin")},
                      {"HOME", EnvironmentOr("HOME", "/")},
                      {"LANG", EnvironmentOr("LANG", "C.UTF-8")}};
  options.drain_timeout = flags.drain_timeout;
  options.grace = flags.grace;
  options.death_report_patience = flags.death_report_patience;
  return options;
}

int Run(const Flags& flags) {
  transport::CqLoop loop;
  process::Metrics metrics;
  Gauges gauges(&metrics);
  Readiness readiness;

  auto runner = exec::LocalRunner::Create(&loop, {.work_root = flags.work_dir, .on_reaper_lost = [&] {
                                                    kLog.Error("the reaper died: its tasks are dead, a new one was started");
                                                    gauges.ReaperLost();
                                                  }});
  if (!runner.ok()) return FailWith(runner.status());

  transport::Server server(&loop, {.listen = flags.server.listen});
  if (absl::Status status = server.Start(); !status.ok()) return FailWith(status);
  process::HttpServer http({.listen = flags.server.http,
                            .metrics = &metrics,
                            .healthy = process::LoopTurns([&] { return loop.BusyFor(); }, std::chrono::seconds(5)),
                            .ready = [&] { return readiness.Get(); }});
  if (!flags.server.http.empty()) {
    if (absl::Status status = http.Start(); !status.ok()) return FailWith(status);
  }

  const agent::AgentOptions options = OptionsOf(flags, server.address());
  kLog.Info("starting", {{"worker", options.name},
                         {"pool", options.pool},
                         {"process", options.process_id},
                         {"address", options.address},
                         {"http", flags.server.http.empty() ? std::string("none") : http.address()},
                         {"reaper", (*runner)->reaper_pid()},
                         {"version", process::Version()}});

  transport::GrpcDialer dialer(&loop, kSessionMethod);
  base::ThreadExecutor disk(&loop, {.thread_name = "drover-store"});
  base::SystemRandom random;
  Stopper stopper(&loop);
  agent::Agent agent(
      {.loop = &loop,
       .open_session = [&](const coord::SessionOptions& session) { return coord::Session::Open(&loop, &dialer, session); },
       .runner = runner->get(),
       .open_store = [&](const std::string& url,
                         bool create) { return store::OpenStore(url, &disk, {.create = create, .tend = true}); },
       .store_url = flags.store,
       .fresh_marker = RandomHex128(),
       .random = &random,
       .observer = &stopper},
      options);

  bool signalled = false;
  const process::Signals signals(&loop, [&](int signal) {
    kLog.Info("signal", {{"signal", signal}});
    // The reaper does what is left to do, as after a crash.
    if (signalled) std::_Exit(1);
    signalled = true;
    agent.Drain();
  });
  const auto hook = loop.AtEndOfWakeup([&] {
    gauges.Show(agent);
    readiness.Set(agent.Ready());
  });
  agent.Start();
  loop.Run();
  const int code = stopper.status().ok() ? 0 : FailWith(stopper.status());
  // As after a second signal: what runs must be dead before the session is closed.
  if (agent.attempts() != 0) std::_Exit(code);
  if (code != 0) {
    runner->reset();  // no reaper is left behind
    // A store that does not answer may hold its thread, and so this process, for ever.
    std::_Exit(code);
  }
  kLog.Info("stopped", {{"worker", options.name}});
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  flags.work_dir = EnvironmentOr("TMPDIR", "/tmp");
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
  if (const std::string wrong = Check(flags); !wrong.empty()) return options.Refuse(wrong);
  if (const absl::Status status = process::SetLogLevel(flags.server.log_level); !status.ok()) {
    return options.Refuse(std::string(status.message()));
  }
  return Run(flags);
}

}  // namespace
}  // namespace drover::worker

int main(int argc, char** argv) {
  // First: the reaper must not have threads.
  if (const auto code = drover::worker::exec::RunIfReaper(argc, argv, drover::worker::ReportDeath)) return *code;
  return drover::worker::Main(argc, argv);
}
