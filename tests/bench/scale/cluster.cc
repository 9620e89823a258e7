#include "tests/bench/scale/cluster.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/metrics_page.h"

namespace drover::bench {
namespace {

constexpr char kTaken[] = "drover_coord_snapshots_taken_total";
constexpr char kUnderWay[] = "drover_coord_snapshot_under_way";
// A node looks every 50 ms whether one is due; so many looks in a row show that none is.
constexpr std::chrono::milliseconds kServingLook{200};
constexpr int kLooks = 5;

}  // namespace

ScaleCluster::ScaleCluster(System* system, Progress progress) : system_(system), progress_(std::move(progress)) {
  for (int node = 0; node < system_->nodes(); ++node) commands_.push_back(system_->server(node).argv());
}

absl::Status ScaleCluster::RestartWith(const std::vector<std::string>& flags) {
  for (int node = 0; node < system_->nodes(); ++node) system_->server(node).Terminate();
  for (int node = 0; node < system_->nodes(); ++node) {
    std::vector<std::string>& argv = system_->server(node).argv();
    argv = commands_[static_cast<std::size_t>(node)];
    argv.insert(argv.end(), flags.begin(), flags.end());
    system_->server(node).Start();
  }
  return system_->AwaitSettled(kSettleLimit).status();
}

absl::Status ScaleCluster::RestartWithoutSnapshots() {
  return RestartWith({"--snapshot-bytes", absl::StrCat(std::uint64_t{1} << 50)});
}

absl::StatusOr<double> ScaleCluster::Metric(int node, absl::string_view name) const {
  DROVER_ASSIGN_OR_RETURN(const Page page, FetchPage(system_->http_port(node), "/metrics"));
  return MetricOf(page.text, name);
}

bool ScaleCluster::Ready(int node) const {
  const absl::StatusOr<Page> page = FetchPage(system_->http_port(node), "/readyz");
  return page.ok() && page->code == 200;
}

absl::Status ScaleCluster::AwaitNoSnapshot() {
  for (int quiet = 0; quiet < kLooks; ++quiet) {
    DROVER_RETURN_IF_ERROR(Pause(kServingLook));
    for (int node = 0; node < system_->nodes(); ++node) {
      DROVER_ASSIGN_OR_RETURN(const double under_way, Metric(node, kUnderWay));
      if (under_way != 0) quiet = -1;
    }
  }
  return absl::OkStatus();
}

absl::Status ScaleCluster::AskForSnapshots() {
  taken_.clear();
  for (int node = 0; node < system_->nodes(); ++node) {
    DROVER_ASSIGN_OR_RETURN(const double taken, Metric(node, kTaken));
    taken_.push_back(taken);
  }
  for (int node = 0; node < system_->nodes(); ++node) system_->server(node).Signal(SIGUSR1);
  return absl::OkStatus();
}

bool ScaleCluster::SnapshotsTaken() const {
  for (int node = 0; node < system_->nodes(); ++node) {
    const absl::StatusOr<double> taken = Metric(node, kTaken);
    if (!taken.ok() || *taken <= taken_.at(static_cast<std::size_t>(node))) return false;
  }
  return true;
}

}  // namespace drover::bench
