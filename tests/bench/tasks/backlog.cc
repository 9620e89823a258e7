#include "tests/bench/tasks/backlog.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "drover/client/task_client.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/statistics.h"
#include "tests/support/await.h"
#include "tests/support/cluster.h"

namespace drover::bench::tasks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 1'000;
constexpr int kConnections = 8;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::unique_ptr<client::TaskClient> Connect(const std::string& coords) {
  auto client = client::TaskClient::Create({.coord = absl::StrSplit(coords, ','), .request_timeout = std::chrono::minutes(5)});
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  return *std::move(client);
}

std::uint64_t Resident(const testing::Process& process) {
  const auto memory = ReadProcessMemory(process.pid());
  if (!memory.ok()) throw std::runtime_error(memory.status().ToString());
  return memory->resident_bytes;
}

}  // namespace

double SubmitBacklog(const std::string& coords, std::size_t count) {
  std::atomic<std::size_t> begun = 0;
  std::mutex mu;
  std::string failure;  // guarded by mu
  const Clock::time_point begin = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kConnections; ++i) {
    threads.emplace_back([&] {
      const auto client = Connect(coords);
      for (std::size_t first = begun.fetch_add(kBatch); first < count; first = begun.fetch_add(kBatch)) {
        std::vector<client::TaskSpec> specs(std::min(kBatch, count - first));
        for (client::TaskSpec& spec : specs) {
          spec.argv = {"sh", "-c", "echo done"};
          spec.labels = {{"nowhere", "yes"}};
        }
        const auto results = client->SubmitAll(&specs);
        const bool taken = results.ok() && std::all_of(results->begin(), results->end(), [](const client::SubmitResult& r) {
                             return r.outcome == client::SubmitOutcome::kAccepted;
                           });
        if (taken) continue;
        const std::lock_guard lock(mu);
        failure = results.ok() ? results->front().sentence : results.status().ToString();
        return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (!failure.empty()) throw std::runtime_error("a submission was refused: " + failure);
  return SecondsSince(begin);
}

BacklogReport MeasureBacklog(std::size_t count, const std::function<void(absl::string_view)>& progress) {
  testing::ClusterOptions options;
  options.coords = 3;
  options.masters = 2;
  options.workers = 1;
  options.master_flags = {"--waiting-max", absl::StrCat(2 * count)};
  testing::Cluster cluster(options);
  BacklogReport report;
  const int elected = cluster.AwaitElectedMaster();
  const int standby = 1 - elected;
  report.master_empty = Resident(cluster.master(elected));
  report.standby_empty = Resident(cluster.master(standby));
  report.node_empty = Resident(cluster.coord(cluster.AwaitCoordLeader()));
  progress(absl::StrCat("submitting ", count, " tasks that wait"));
  report.submit_s = SubmitBacklog(cluster.coord_addresses(), count);
  const auto follows = [&] { return cluster.MasterMetric(standby, "drover_master_tasks") >= static_cast<double>(count); };
  if (!testing::Await(follows)) throw std::runtime_error("the standby does not follow");
  report.master_full = Resident(cluster.master(elected));
  report.standby_full = Resident(cluster.master(standby));
  report.node_full = Resident(cluster.coord(cluster.AwaitCoordLeader()));

  const auto client = Connect(cluster.coord_addresses());
  const auto run = [&] {
    const Clock::time_point begin = Clock::now();
    const auto id = client->Submit({.argv = {"true"}, .priority = 9});
    if (!id.ok() || !client->Wait({*id}).ok()) throw std::runtime_error("a task did not run");
    return SecondsSince(begin);
  };
  progress("running tasks beside them");
  std::vector<double> runs;
  for (int i = 0; i < 20; ++i) runs.push_back(1'000 * run());
  report.run_ms = Summarize(runs).median;
  const Clock::time_point killed = Clock::now();
  cluster.master(elected).Kill();
  run();
  report.take_over_s = SecondsSince(killed);
  return report;
}

}  // namespace drover::bench::tasks
