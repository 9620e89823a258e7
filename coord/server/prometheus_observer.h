// A node's metrics and log lines. The names of the metrics are a promised surface (README.md lists them).
#ifndef DROVER_COORD_SERVER_PROMETHEUS_OBSERVER_H_
#define DROVER_COORD_SERVER_PROMETHEUS_OBSERVER_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coord/process/logging.h"
#include "coord/process/metrics.h"
#include "coord/server/observer.h"
#include "coord/server/strangers.h"

namespace drover::coord::server {

class PrometheusObserver final : public NodeObserver {
 public:
  // `metrics` must outlive it. `on_status` is told what OnStatus is.
  PrometheusObserver(process::Metrics* metrics, std::function<void(const NodeStatus&)> on_status);

  // Any thread.
  [[nodiscard]] StartProgress start_progress() const { return start_progress_; }
  // As told by OnWaiting last.
  [[nodiscard]] std::string waiting() const;

  void OnStartProgress(const StartProgress& progress) override;
  void OnRole(const raft::RoleChange& change) override;
  void OnFeatureLevel(base::FeatureLevel level) override;
  void OnMembers(const raft::Configuration& members) override;
  void OnSessionOpened(const tree::Session& session) override;
  void OnSessionEnded(base::SessionId session, tree::SessionEnd end) override;
  void OnExpiryProposed(std::size_t sessions) override;
  void OnReapProposed(std::size_t nodes) override;
  void OnProposed(std::size_t commands, std::size_t bytes) override;
  void OnPersisted(std::size_t entries, std::size_t bytes, base::Duration took) override;
  void OnDiskFull(bool full) override;
  void OnCommitted(base::Duration took) override;
  void BeginApply() override;
  void EndApply(std::size_t entries) override;
  void OnSnapshotTaken(raft::Index index, std::uint64_t bytes, std::uint64_t nodes, base::Duration took) override;
  void OnSnapshotInstalled(raft::Index index, std::uint64_t bytes, base::Duration took) override;
  void OnSnapshotDamaged(const absl::Status& damage) override;
  void OnSnapshotFailed(const absl::Status& status) override;
  void OnScrubbed(const absl::Status& damage, base::Duration took) override;
  void OnRead() override;
  void OnReceived(std::size_t bytes) override;
  void OnSent(std::size_t bytes) override;
  void OnRefused(Refusal refusal) override;
  void OnStranger(base::NodeId from, const std::string& address, absl::string_view why) override;
  void OnDismissed(base::NodeId by, absl::string_view why) override;
  void OnWaiting(absl::string_view for_what) override;
  void OnDamage(const absl::Status& status) override;
  void OnStatus(const NodeStatus& status) override;

 private:
  void TellDamage(const absl::Status& damage);
  struct PeerGauges {
    prometheus::Gauge *lag_entries, *queued_bytes;
  };
  [[nodiscard]] prometheus::Counter& Refused(const char* reason);
  [[nodiscard]] PeerGauges GaugesOf(base::NodeId peer);
  void ShowPeers(const NodeStatus& status);

  process::Metrics* const metrics_;
  const std::function<void(const NodeStatus&)> on_status_;
  const process::Logger log_{"coord.server"};
  std::chrono::steady_clock::time_point apply_began_;
  std::atomic<StartProgress> start_progress_{};
  std::chrono::steady_clock::time_point start_told_ = std::chrono::steady_clock::now();  // at most one line a second
  Strangers strangers_{Strangers::Options()};
  Strangers dismissals_{Strangers::Options()};  // the same rule for what others say of this node
  mutable absl::Mutex waiting_mutex_;
  std::string waiting_ ABSL_GUARDED_BY(waiting_mutex_);
  base::NodeId leader_;                   // as told last
  std::uint64_t peer_items_dropped_ = 0;  // of these the counter tells
  std::map<base::NodeId, PeerGauges> peers_;

  prometheus::Counter &proposals_, &commands_, &proposed_bytes_;
  prometheus::Counter &log_writes_, &log_written_bytes_, &applied_entries_;
  prometheus::Counter &reads_, &received_bytes_, &sent_bytes_;
  prometheus::Counter &sessions_opened_, &sessions_closed_, &sessions_expired_, &expiries_proposed_, &reaps_proposed_;
  prometheus::Counter &refused_uncommitted_, &refused_disk_full_, &refused_streams_, &refused_unary_, &refused_slow_,
      &refused_protocol_, &strangers_total_;
  prometheus::Counter &elections_, &leader_changes_, &peer_dropped_;
  prometheus::Counter &snapshots_taken_, &snapshots_installed_, &snapshots_failed_;
  prometheus::Counter& scrubs_;
  prometheus::Gauge& damaged_;
  prometheus::Histogram &fsync_seconds_, &commit_seconds_, &apply_seconds_;
  prometheus::Gauge &is_leader_, &term_, &commit_index_, &applied_index_, &zxid_;
  prometheus::Gauge &sessions_, &streams_, &watches_, &nodes_, &tree_bytes_, &log_bytes_, &history_bytes_, &uncommitted_bytes_,
      &waiting_writes_, &disk_busy_seconds_, &log_cache_bytes_, &disk_full_, &log_first_index_, &snapshot_index_,
      &snapshot_sent_bytes_, &snapshot_under_way_, &snapshot_seconds_, &feature_level_, &feature_level_max_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_PROMETHEUS_OBSERVER_H_
