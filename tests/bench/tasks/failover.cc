#include "tests/bench/tasks/failover.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/tasks/backlog.h"
#include "tests/support/await.h"
#include "tests/support/cluster.h"

namespace drover::bench::tasks {
namespace {

using testing::Cluster;

constexpr int kNodes = 3;
constexpr int kWorkers = 4;

// By the clock that `date` reads, too.
double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool HitsWorkers(What what) {
  return what == What::kWorkerKill || what == What::kWorkerCut || what == What::kWorkerStop;
}

std::unique_ptr<Cluster> MakeCluster(What what) {
  testing::ClusterOptions options;
  options.coords = kNodes;
  options.masters = 3;
  options.workers = kWorkers;
  options.proxied = what == What::kWorkerCut;
  options.worker_flags = {"--drain-timeout", "0s"};
  return std::make_unique<Cluster>(options);
}

// A task runs on a worker, which is hit; how long until it runs on another one.
double HitWorker(Cluster* cluster, What what, int run) {
  const std::string starts = cluster->path(absl::StrCat("starts-", run));
  const auto submitted =
      cluster->Drover({"submit", "--", "sh", "-c", "echo $DROVER_WORKER $(date +%s.%N) >> " + starts + "; exec sleep 1000"});
  const auto count = [&] {
    const std::string text = testing::ReadFile(starts);
    return std::count(text.begin(), text.end(), '\n');
  };
  if (!testing::Await([&] { return count() == 1; })) throw std::runtime_error("not started: " + submitted.err);
  const int worker = testing::ReadFile(starts)[1] - '0';
  const double hit = Now();
  switch (what) {
    case What::kWorkerKill:
      cluster->worker(worker).Kill();
      break;
    case What::kWorkerCut:
      for (int node = 0; node < kNodes; ++node) cluster->worker_proxy(worker, node).Cut();
      break;
    default:
      cluster->worker(worker).Signal(SIGTERM);
  }
  if (!testing::Await([&] { return count() == 2; })) throw std::runtime_error("not started elsewhere");
  const std::string all = testing::ReadFile(starts);
  const double started = std::stod(all.substr(all.rfind(' ') + 1));
  // All as before.
  std::string id = submitted.out;
  while (!id.empty() && id.back() == '\n') id.pop_back();
  static_cast<void>(cluster->Drover({"cancel", id}));
  static_cast<void>(cluster->Drover({"wait", id}));
  if (what == What::kWorkerCut) {
    for (int node = 0; node < kNodes; ++node) cluster->worker_proxy(worker, node).Heal();
  } else {
    if (what == What::kWorkerStop) cluster->worker(worker).Wait();
    cluster->worker(worker).Start();
  }
  cluster->AwaitWorkers(kWorkers);
  return started - hit;
}

// How long after the elected master, or the core's leader, is killed a task that is submitted right then has started.
double HitHead(Cluster* cluster, What what) {
  const bool master = what == What::kMasterKill;
  const int head = master ? cluster->AwaitElectedMaster() : cluster->AwaitCoordLeader();
  testing::Process& process = master ? cluster->master(head) : cluster->coord(head);
  const double hit = Now();
  process.Kill();
  const testing::CommandResult ran = cluster->Drover({"run", "--priority", "9", "--", "date", "+%s.%N"});
  if (ran.exit_code != 0) throw std::runtime_error(ran.err);
  process.Start();
  if (!master) cluster->AwaitCoordsServing();
  // A standby takes over at once because it has followed all along: this one, too, has to have read what there is.
  const std::size_t live = static_cast<std::size_t>(cluster->MasterMetric(cluster->AwaitElectedMaster(), "drover_master_tasks"));
  const auto all_follow = [&] {
    for (int i = 0; i < cluster->masters(); ++i) {
      if (static_cast<std::size_t>(cluster->MasterMetric(i, "drover_master_tasks")) + 1 < live) return false;
    }
    return true;
  };
  if (!testing::Await(all_follow)) throw std::runtime_error("a standby does not follow");
  return std::stod(ran.out) - hit;
}

}  // namespace

const std::vector<NamedWhat>& AllWhats() {
  static const std::vector<NamedWhat> kAll = {
      {"worker-kill", What::kWorkerKill, "SIGKILL of a worker -> its task has started elsewhere"},
      {"worker-cut", What::kWorkerCut, "a worker is cut off -> its task has started elsewhere"},
      {"worker-stop", What::kWorkerStop, "SIGTERM of a worker that waits for nothing -> its task has started elsewhere"},
      {"master-kill", What::kMasterKill, "SIGKILL of the elected master -> a task submitted then has started"},
      {"core-kill", What::kCoreKill, "SIGKILL of the core's leader -> a task submitted then has started"},
  };
  return kAll;
}

std::vector<double> MeasureFailover(What what, const FailoverOptions& options,
                                    const std::function<void(absl::string_view)>& progress) {
  const std::unique_ptr<Cluster> cluster = MakeCluster(what);
  if (!HitsWorkers(what) && options.live > 0) {
    progress(absl::StrCat("submitting ", options.live, " tasks that wait"));
    static_cast<void>(SubmitBacklog(cluster->coord_addresses(), options.live));
  }
  std::vector<double> seconds;
  for (int run = 1; run <= options.runs; ++run) {
    seconds.push_back(HitsWorkers(what) ? HitWorker(cluster.get(), what, run) : HitHead(cluster.get(), what));
    progress(absl::StrFormat("%d of %d: %.3f s", run, options.runs, seconds.back()));
  }
  return seconds;
}

}  // namespace drover::bench::tasks
