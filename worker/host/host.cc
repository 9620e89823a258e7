#include "worker/host/host.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/store/object_store.h"
#include "coord/base/mutex.h"
#include "coord/base/random.h"
#include "coord/base/thread_executor.h"
#include "coord/process/http_server.h"
#include "coord/process/logging.h"
#include "coord/process/metrics.h"
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

namespace drover::worker::host {
namespace {

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";

const process::Logger kLog("worker");

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
absl::StatusOr<std::map<std::string, std::int64_t>> ResourcesOf(const HostOptions& options) {
  std::map<std::string, std::int64_t> resources;
  resources["cpu"] = std::int64_t{1000} * Processors();
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) resources["memory"] = pages * page_bytes * 1000;
  for (const auto& [name, text] : options.resources) {
    const absl::StatusOr<std::int64_t> amount = records::ParseAmount(text);
    if (!amount.ok()) return amount.status();
    resources[name] = *amount;
  }
  const google::protobuf::Map<std::string, std::int64_t> to_check(resources.begin(), resources.end());
  if (const absl::Status status = records::CheckResources(to_check); !status.ok()) return status;
  return resources;
}

std::string RandomHex128() {
  base::SystemRandom random;
  return absl::StrCat(absl::Hex(random.Next(), absl::kZeroPad16), absl::Hex(random.Next(), absl::kZeroPad16));
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

agent::AgentOptions OptionsOf(const HostOptions& host, const std::map<std::string, std::string>& extra_labels,
                              const std::string& bound) {
  agent::AgentOptions options;
  options.pool = host.pool;
  options.address = host.server.advertise.empty() ? bound : host.server.advertise;
  options.name = host.name.empty() ? DefaultName(options.address) : host.name;
  options.slots = host.slots;
  options.labels = host.labels;
  options.labels.insert(extra_labels.begin(), extra_labels.end());
  options.resources = *ResourcesOf(host);  // checked before
  options.version = process::Version();
  options.process_id = RandomHex128();
  options.session.endpoints = host.coord;
  options.session.first_endpoint = base::SystemRandom().Next();
  options.session.timeout = host.session_timeout;
  options.session.name = absl::StrCat("worker ", options.name);
  options.base_env = {{"PATH", EnvironmentOr("PATH", "/usr/local/bin:/usr/bin:/bin")},
                      {"HOME", EnvironmentOr("HOME", "/")},
                      {"LANG", EnvironmentOr("LANG", "C.UTF-8")}};
  options.drain_timeout = host.drain_timeout;
  options.grace = host.grace;
  options.death_report_patience = host.death_report_patience;
  return options;
}

}  // namespace

std::uint32_t Processors() {
  return std::max(1U, std::thread::hardware_concurrency());
}

std::string EnvironmentOr(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

absl::Status Check(const HostOptions& options) {
  const auto wrong = [](auto... parts) { return absl::InvalidArgumentError(absl::StrCat(parts...)); };
  if (!records::IsName(options.pool)) return wrong("--pool: ", records::kNameRule);
  if (!options.name.empty() && !records::IsName(options.name)) return wrong("--name: ", records::kNameRule);
  for (const auto& [key, value] : options.labels) {
    if (!records::IsLabelKey(key) || !records::IsLabelValue(value)) {
      return wrong("--label ", key, "=", value, ": keys are names that may have '/' in them, values have at most 63 bytes");
    }
  }
  if (const auto resources = ResourcesOf(options); !resources.ok()) {
    return wrong("--resource: ", std::string(resources.status().message()));
  }
  if (options.labels.size() > records::kLabelsMax) return wrong("--label: at most ", records::kLabelsMax);
  if (!options.store.empty()) {
    if (const absl::Status url = store::CheckUrl(options.store); !url.ok()) return wrong("--store: ", std::string(url.message()));
  }
  return options.server.Check();
}

void ReportDeath(absl::string_view bytes) {
  auto will = agent::DecodeLastWill(bytes);
  if (!will.ok()) return kLog.Error("the reaper cannot report", {{"status", will.status()}});
  transport::CqLoop loop;
  transport::GrpcDialer dialer(&loop, kSessionMethod);
  auto report = std::make_unique<agent::DeathReport>(&loop, &dialer, *std::move(will), [&] { loop.Stop(); });
  loop.Run();
}

void Stop::Request() {
  const std::lock_guard lock(mu_);
  requested_ = true;
  if (act_) act_();
}

void Stop::OnRequest(std::function<void()> act) {
  const std::lock_guard lock(mu_);
  act_ = std::move(act);
  if (requested_ && act_) act_();
}

absl::Status Run(const HostOptions& host, const std::map<std::string, std::string>& extra_labels, const WrapRunner& wrap,
                 Stop* stop) {
  transport::CqLoop loop;
  process::Metrics metrics;
  Gauges gauges(&metrics);
  Readiness readiness;

  auto programs = exec::LocalRunner::Create(&loop, {.work_root = host.work_dir, .on_reaper_lost = [&] {
                                                      kLog.Error("the reaper died: its tasks are dead, a new one was started");
                                                      gauges.ReaperLost();
                                                    }});
  if (!programs.ok()) return programs.status();
  const exec::LocalRunner* const reaper = programs->get();
  std::unique_ptr<exec::ProcessRunner> runner;
  if (wrap) {
    runner = wrap(&loop, *std::move(programs));
  } else {
    runner = *std::move(programs);
  }

  transport::Server server(&loop, {.listen = host.server.listen});
  if (absl::Status status = server.Start(); !status.ok()) return status;
  process::HttpServer http({.listen = host.server.http,
                            .metrics = &metrics,
                            .healthy = process::LoopTurns([&] { return loop.BusyFor(); }, std::chrono::seconds(5)),
                            .ready = [&] { return readiness.Get(); }});
  if (!host.server.http.empty()) {
    if (absl::Status status = http.Start(); !status.ok()) return status;
  }

  const agent::AgentOptions options = OptionsOf(host, extra_labels, server.address());
  kLog.Info("starting", {{"worker", options.name},
                         {"pool", options.pool},
                         {"process", options.process_id},
                         {"address", options.address},
                         {"http", host.server.http.empty() ? std::string("none") : http.address()},
                         {"reaper", reaper->reaper_pid()},
                         {"version", process::Version()}});

  transport::GrpcDialer dialer(&loop, kSessionMethod);
  base::ThreadExecutor disk(&loop, {.thread_name = "drover-store"});
  base::SystemRandom random;
  Stopper stopper(&loop);
  agent::Agent agent(
      {.loop = &loop,
       .open_session = [&](const coord::SessionOptions& session) { return coord::Session::Open(&loop, &dialer, session); },
       .runner = runner.get(),
       .open_store = [&](const std::string& url,
                         bool create) { return store::OpenStore(url, &disk, {.create = create, .tend = true}); },
       .store_url = host.store,
       .fresh_marker = RandomHex128(),
       .random = &random,
       .observer = &stopper},
      options);

  bool signalled = false;
  std::optional<process::Signals> signals;
  if (host.signals) {
    signals.emplace(&loop, [&](int signal) {
      kLog.Info("signal", {{"signal", signal}});
      // The reaper does what is left to do, as after a crash.
      if (signalled) std::_Exit(1);
      signalled = true;
      agent.Drain();
    });
  }
  const auto hook = loop.AtEndOfWakeup([&] {
    gauges.Show(agent);
    readiness.Set(agent.Ready());
  });
  agent.Start();
  if (stop != nullptr) {
    stop->OnRequest([&] { loop.PostFromAnyThread([&agent] { agent.Drain(); }); });
  }
  loop.Run();
  if (stop != nullptr) stop->OnRequest(nullptr);
  const absl::Status& status = stopper.status();
  const int code = status.ok() ? 0 : 1;
  if (!status.ok() && host.on_failure) host.on_failure(status);
  // As after a second signal: what runs must be dead before the session is closed.
  if (agent.attempts() != 0) std::_Exit(code);
  if (code != 0) {
    runner.reset();  // no reaper is left behind
    // A store that does not answer may hold its thread, and so this process, for ever.
    if (host.on_failure) std::_Exit(code);
    return status;
  }
  kLog.Info("stopped", {{"worker", options.name}});
  return absl::OkStatus();
}

}  // namespace drover::worker::host
