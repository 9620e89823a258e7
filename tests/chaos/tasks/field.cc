#include "tests/chaos/tasks/field.h"

#include <signal.h>

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace drover::chaos::tasks {

Field::Field(const PlanOptions& plan) {
  testing::ClusterOptions options;
  options.coords = plan.nodes;
  options.masters = plan.masters;
  options.workers = plan.workers;
  options.slots = 8;
  options.proxied = true;
  options.core_proxied = true;
  // Snapshots and compaction happen all the time.
  options.coord_flags = {"--snapshot-bytes", "4194304", "--segment-bytes", "1048576"};
  options.worker_flags = {"--drain-timeout", "3s", "--grace", "1s"};
  cluster_ = std::make_unique<testing::Cluster>(options);
}

testing::Process& Field::ProcessOf(const Hit& hit) {
  switch (hit.target) {
    case Target::kNode:
      return cluster_->coord(hit.index);
    case Target::kMaster:
      return cluster_->master(hit.index);
    case Target::kWorker:
      return cluster_->worker(hit.index);
  }
  throw std::logic_error("no such target");
}

template <typename Do>
void Field::ForLinks(const Hit& hit, Do act) {
  for (int node = 0; node < cluster_->coords(); ++node) {
    act(hit.target == Target::kMaster ? cluster_->master_proxy(hit.index, node) : cluster_->worker_proxy(hit.index, node));
  }
}

void Field::Begin(const Hit& hit) {
  testing::Process& process = ProcessOf(hit);
  testing::CoreNetwork& network = cluster_->core_network();
  const bool node = hit.target == Target::kNode;
  switch (hit.blow) {
    case Blow::kKill:
      down_.emplace(hit.target, hit.index);
      return process.Kill();
    case Blow::kStop:
      down_.emplace(hit.target, hit.index);
      return process.Signal(SIGTERM);
    case Blow::kPause:
      return process.Signal(SIGSTOP);
    case Blow::kCut:
      if (node) return network.Isolate(hit.index);
      return ForLinks(hit, [](testing::Proxy& proxy) { proxy.Cut(); });
    case Blow::kDeaf:
      if (!node) return ForLinks(hit, [](testing::Proxy& proxy) { proxy.CutToClient(); });
      for (int other = 0; other < cluster_->coords(); ++other) {
        if (other != hit.index) network.Silence(other, hit.index);
      }
      return;
    case Blow::kMute:
      if (!node) return ForLinks(hit, [](testing::Proxy& proxy) { proxy.CutToServer(); });
      for (int other = 0; other < cluster_->coords(); ++other) {
        if (other != hit.index) network.Silence(hit.index, other);
      }
      return;
  }
}

void Field::End(const Hit& hit) {
  testing::Process& process = ProcessOf(hit);
  switch (hit.blow) {
    case Blow::kKill:
    case Blow::kStop:
      if (process.running()) process.Kill();  // it had more to end than there was time for
      process.Start();
      down_.erase({hit.target, hit.index});
      return;
    case Blow::kPause:
      return process.Signal(SIGCONT);
    case Blow::kCut:
    case Blow::kDeaf:
    case Blow::kMute:
      // Of nodes one is hit at a time.
      if (hit.target == Target::kNode) return cluster_->core_network().Heal();
      return ForLinks(hit, [](testing::Proxy& proxy) { proxy.Heal(); });
  }
}

void Field::CheckRunning() {
  const auto check = [this](Target target, const char* what, int count) {
    for (int i = 0; i < count; ++i) {
      testing::Process& process = ProcessOf({.target = target, .index = i});
      if (process.running() || down_.count({target, i}) > 0) continue;
      throw std::runtime_error(
          absl::StrCat(what, " ", i + 1, " has ended by itself, with exit code ", process.Wait(), ": ", process.Log()));
    }
  };
  check(Target::kNode, "node", cluster_->coords());
  check(Target::kMaster, "master", cluster_->masters());
  check(Target::kWorker, "worker", cluster_->workers());
}

std::vector<std::string> Field::coords() {
  std::vector<std::string> addresses;
  for (int i = 0; i < cluster_->coords(); ++i) addresses.push_back(cluster_->coord_address(i));
  return addresses;
}

std::vector<pid_t> Field::Programs() const {
  std::vector<pid_t> programs;
  const std::string directory = absl::StrCat("TMPDIR=", cluster_->path("work"), "/");
  for (const pid_t pid : testing::Processes()) {
    const std::string environment = testing::ReadFile(absl::StrCat("/proc/", pid, "/environ"));
    if (environment.find(directory) != std::string::npos && testing::Alive(pid)) programs.push_back(pid);
  }
  return programs;
}

}  // namespace drover::chaos::tasks
