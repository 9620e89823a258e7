#include "coord/server/prometheus_observer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/log/inspect.h"
#include "coord/server/initial_cluster.h"

namespace drover::coord::server {
namespace {

constexpr char kPeerLag[] = "drover_coord_peer_lag_entries";
constexpr char kPeerQueued[] = "drover_coord_peer_queued_bytes";

double Seconds(base::Duration d) {
  return std::chrono::duration<double>(d).count();
}

base::Duration Now() {
  return std::chrono::duration_cast<base::Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

PrometheusObserver::PrometheusObserver(process::Metrics* metrics, std::function<void(const NodeStatus&)> on_status)
    : metrics_(metrics),
      on_status_(std::move(on_status)),
      proposals_(metrics->Counter("drover_coord_proposals_total", "Entries proposed for the log")),
      commands_(metrics->Counter("drover_coord_commands_total", "Writes and session openings in the proposed entries")),
      proposed_bytes_(metrics->Counter("drover_coord_proposed_bytes_total", "Bytes of the proposed entries")),
      log_writes_(metrics->Counter("drover_coord_log_writes_total", "Batches written to the log and synced")),
      log_written_bytes_(metrics->Counter("drover_coord_log_written_bytes_total", "Payload bytes written to the log")),
      applied_entries_(metrics->Counter("drover_coord_applied_entries_total", "Entries applied since the start")),
      reads_(metrics->Counter("drover_coord_reads_total", "Reads answered")),
      received_bytes_(metrics->Counter("drover_coord_received_bytes_total", "Bytes of frames received on session streams")),
      sent_bytes_(metrics->Counter("drover_coord_sent_bytes_total", "Bytes of frames sent on session streams")),
      sessions_opened_(metrics->Counter("drover_coord_sessions_opened_total", "Sessions opened")),
      sessions_closed_(metrics->Counter("drover_coord_sessions_closed_total", "Sessions closed by their clients")),
      sessions_expired_(metrics->Counter("drover_coord_sessions_expired_total", "Sessions expired")),
      expiries_proposed_(metrics->Counter("drover_coord_expiries_proposed_total", "Sessions whose expiry this node proposed")),
      reaps_proposed_(metrics->Counter("drover_coord_reaps_proposed_total",
                                       "Containers and nodes with a time to live whose deletion this node proposed")),
      refused_uncommitted_(Refused("uncommitted_bytes")),
      refused_disk_full_(Refused("disk_full")),
      refused_streams_(Refused("streams")),
      refused_unary_(Refused("unary_calls")),
      refused_slow_(Refused("slow_reader")),
      refused_protocol_(Refused("protocol")),
      strangers_total_(metrics->Counter("drover_coord_strangers_total", "What nodes said to this one that should not speak to it")),
      elections_(metrics->Counter("drover_coord_elections_total", "Elections that this node began")),
      leader_changes_(
          metrics->Counter("drover_coord_leader_changes_total", "Leaders that this node came to know, itself included")),
      peer_dropped_(metrics->Counter("drover_coord_peer_items_dropped_total",
                                     "Messages to other nodes dropped: no link, or too much queued")),
      snapshots_taken_(metrics->Counter("drover_coord_snapshots_taken_total", "Snapshots taken by this node")),
      snapshots_installed_(metrics->Counter("drover_coord_snapshots_installed_total",
                                            "Snapshots of other nodes that took the place of this one's state")),
      snapshots_failed_(
          metrics->Counter("drover_coord_snapshots_failed_total", "Snapshots not taken, not received, or found to be damaged")),
      scrubs_(metrics->Counter("drover_coord_scrubs_total", "Times that all files of the data directory were read again")),
      damaged_(metrics->Gauge("drover_coord_damaged", "1 while the last scrub had found damage, or some was met since")),
      fsync_seconds_(metrics->Histogram("drover_coord_fsync_seconds", "Writing and syncing one batch of the log, queueing included",
                                        process::LatencyBounds())),
      commit_seconds_(
          metrics->Histogram("drover_coord_commit_seconds", "From proposing an entry to its commit", process::LatencyBounds())),
      apply_seconds_(metrics->Histogram("drover_coord_apply_seconds", "Applying the entries committed together, answers included",
                                        process::LatencyBounds())),
      is_leader_(metrics->Gauge("drover_coord_is_leader", "1 while this node leads")),
      term_(metrics->Gauge("drover_coord_term", "Current term")),
      commit_index_(metrics->Gauge("drover_coord_commit_index", "Last committed entry")),
      applied_index_(metrics->Gauge("drover_coord_applied_index", "Last applied entry")),
      zxid_(metrics->Gauge("drover_coord_zxid", "Transactions of the tree so far")),
      sessions_(metrics->Gauge("drover_coord_sessions", "Live sessions")),
      streams_(metrics->Gauge("drover_coord_streams", "Session streams of this node")),
      watches_(metrics->Gauge("drover_coord_watches", "Watches of this node's streams")),
      nodes_(metrics->Gauge("drover_coord_nodes", "Nodes of the tree")),
      tree_bytes_(metrics->Gauge("drover_coord_tree_bytes", "Size of the tree as its limit counts it")),
      log_bytes_(metrics->Gauge("drover_coord_log_bytes", "Space that the log takes on the disk")),
      history_bytes_(metrics->Gauge("drover_coord_history_bytes", "Size of the event history")),
      uncommitted_bytes_(metrics->Gauge("drover_coord_uncommitted_bytes", "Bytes proposed and not committed")),
      waiting_writes_(metrics->Gauge("drover_coord_waiting_writes", "Writes of this node's clients that are not applied yet")),
      disk_busy_seconds_(
          metrics->Gauge("drover_coord_disk_busy_seconds", "How long the batch under way on the disk has taken so far")),
      log_cache_bytes_(metrics->Gauge("drover_coord_log_cache_bytes", "Entries held in memory for the other nodes")),
      disk_full_(metrics->Gauge("drover_coord_disk_full", "1 while the log finds no space")),
      log_first_index_(metrics->Gauge("drover_coord_log_first_index", "First entry that is still in the log")),
      snapshot_index_(metrics->Gauge("drover_coord_snapshot_index", "Last entry in the newest snapshot")),
      snapshot_sent_bytes_(metrics->Gauge("drover_coord_snapshot_sent_bytes", "Sent in pieces of snapshots since the start")),
      snapshot_under_way_(metrics->Gauge("drover_coord_snapshot_under_way", "1 while a snapshot is being taken")),
      snapshot_seconds_(metrics->Gauge("drover_coord_snapshot_seconds", "How long the newest snapshot took")),
      feature_level_(metrics->Gauge("drover_coord_feature_level", "Feature level that the cluster is at")),
      feature_level_max_(metrics->Gauge("drover_coord_feature_level_max", "Highest feature level that this program knows")) {}

prometheus::Counter& PrometheusObserver::Refused(const char* reason) {
  return metrics_->Counter("drover_coord_refusals_total", "What was refused or put off", {{"reason", reason}});
}

void PrometheusObserver::OnRole(const raft::RoleChange& change) {
  const bool leads = change.role == raft::RoleName::kLeader;
  if (change.role == raft::RoleName::kCandidate) elections_.Increment();
  if (change.leader.value != 0 && change.leader != leader_) leader_changes_.Increment();
  if (change.leader.value != 0) leader_ = change.leader;
  log_.Info(leads ? "became leader" : "follows", {{"term", change.term}, {"leader", change.leader}});
}

void PrometheusObserver::OnFeatureLevel(base::FeatureLevel level) {
  log_.Info("the feature level was raised: no program that does not know it can be a member any more", {{"level", level}});
}

void PrometheusObserver::OnMembers(const raft::Configuration& members) {
  InitialMembers voters;
  InitialMembers learners;
  for (const raft::Member& member : members.members) (member.voter ? voters : learners).emplace_back(member.id, member.address);
  log_.Info("the members are others, or elsewhere", {{"voters", TextOf(voters)}, {"learners", TextOf(learners)}});
}

void PrometheusObserver::OnSessionOpened(const tree::Session& session) {
  sessions_opened_.Increment();
  log_.Info("session opened", {{"session", session.id()},
                               {"name", session.name()},
                               {"timeout_ms", session.timeout_ms()},
                               {"disconnect_grace_ms", session.disconnect_grace_ms()}});
}

void PrometheusObserver::OnSessionEnded(base::SessionId session, tree::SessionEnd end) {
  const bool closed = end == tree::SessionEnd::kClosed;
  (closed ? sessions_closed_ : sessions_expired_).Increment();
  log_.Info(closed ? "session closed" : "session expired", {{"session", session}});
}

void PrometheusObserver::OnExpiryProposed(std::size_t sessions) {
  expiries_proposed_.Increment(static_cast<double>(sessions));
}

void PrometheusObserver::OnReapProposed(std::size_t nodes) {
  reaps_proposed_.Increment(static_cast<double>(nodes));
}

void PrometheusObserver::OnProposed(std::size_t commands, std::size_t bytes) {
  proposals_.Increment();
  commands_.Increment(static_cast<double>(commands));
  proposed_bytes_.Increment(static_cast<double>(bytes));
}

void PrometheusObserver::OnPersisted(std::size_t, std::size_t bytes, base::Duration took) {
  log_writes_.Increment();
  log_written_bytes_.Increment(static_cast<double>(bytes));
  fsync_seconds_.Observe(Seconds(took));
}

void PrometheusObserver::OnDiskFull(bool full) {
  if (full) {
    log_.Error("the disk is full: this node writes nothing down, deletes neither, until there is space; nothing is lost");
  } else {
    log_.Info("the disk has space again: this node goes on");
  }
}

void PrometheusObserver::OnCommitted(base::Duration took) {
  commit_seconds_.Observe(Seconds(took));
}

void PrometheusObserver::BeginApply() {
  apply_began_ = std::chrono::steady_clock::now();
}

void PrometheusObserver::EndApply(std::size_t entries) {
  applied_entries_.Increment(static_cast<double>(entries));
  apply_seconds_.Observe(Seconds(std::chrono::steady_clock::now() - apply_began_));
}

void PrometheusObserver::OnStartProgress(const StartProgress& progress) {
  start_progress_ = progress;
  const auto now = std::chrono::steady_clock::now();
  if (now - start_told_ < std::chrono::seconds(1)) return;
  start_told_ = now;
  log_.Info(progress.phase == StartPhase::kSnapshot ? "starting: reading the snapshot" : "starting: replaying the log",
            {{"percent", static_cast<int>(progress.percent)}});
}

void PrometheusObserver::OnSnapshotTaken(raft::Index index, std::uint64_t bytes, std::uint64_t nodes, base::Duration took) {
  snapshots_taken_.Increment();
  snapshot_seconds_.Set(Seconds(took));
  log_.Info("snapshot taken", {{"index", index}, {"bytes", bytes}, {"nodes", nodes}, {"seconds", Seconds(took)}});
}

void PrometheusObserver::OnSnapshotInstalled(raft::Index index, std::uint64_t bytes, base::Duration took) {
  snapshots_installed_.Increment();
  log_.Info("had fallen behind: snapshot of another node installed",
            {{"index", index}, {"bytes", bytes}, {"seconds", Seconds(took)}});
}

void PrometheusObserver::OnSnapshotFailed(const absl::Status& status) {
  snapshots_failed_.Increment();
  log_.Warning("snapshot failed: nothing is lost, another try follows", {{"error", status}});
}

void PrometheusObserver::OnSnapshotDamaged(const absl::Status& damage) {
  snapshots_failed_.Increment();
  TellDamage(damage);
}

void PrometheusObserver::OnScrubbed(const absl::Status& damage, base::Duration took) {
  scrubs_.Increment();
  if (!damage.ok()) return TellDamage(damage);
  damaged_.Set(0);
  log_.Info("all files were read again and are whole", {{"seconds", Seconds(took)}});
}

void PrometheusObserver::TellDamage(const absl::Status& damage) {
  damaged_.Set(1);
  log_.Error(
      "a file is damaged: this node goes on and mends it by a new snapshot; until all files are whole do not restart it, and "
      "look at its disk",
      {{"error", log::WithoutAdvice(damage)}});
}

void PrometheusObserver::OnRead() {
  reads_.Increment();
}

void PrometheusObserver::OnReceived(std::size_t bytes) {
  received_bytes_.Increment(static_cast<double>(bytes));
}

void PrometheusObserver::OnSent(std::size_t bytes) {
  sent_bytes_.Increment(static_cast<double>(bytes));
}

void PrometheusObserver::OnRefused(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUncommittedBytes:
      return refused_uncommitted_.Increment();
    case Refusal::kDiskFull:
      return refused_disk_full_.Increment();
    case Refusal::kStreams:
      return refused_streams_.Increment();
    case Refusal::kUnaryCalls:
      return refused_unary_.Increment();
    case Refusal::kSlowReader:
      return refused_slow_.Increment();
    case Refusal::kProtocol:
      return refused_protocol_.Increment();
  }
}

void PrometheusObserver::OnStranger(base::NodeId from, const std::string& address, absl::string_view why) {
  strangers_total_.Increment();
  const std::optional<std::uint64_t> untold = strangers_.OnNews(base::Instant(Now()), from, address);
  if (!untold) return;
  log_.Warning("a node speaks to this one and is not listened to",
               {{"from", from}, {"address", address}, {"why", why}, {"before", *untold}});
}

void PrometheusObserver::OnDismissed(base::NodeId by, absl::string_view why) {
  const std::optional<std::uint64_t> untold = dismissals_.OnNews(base::Instant(Now()), by, "");
  if (untold) log_.Warning("a node does not listen to this one", {{"node", by}, {"why", why}, {"before", *untold}});
}

void PrometheusObserver::OnWaiting(absl::string_view for_what) {
  log_.Info("no member of a cluster yet", {{"state", for_what}});
  const absl::MutexLock lock(&waiting_mutex_);
  waiting_ = std::string(for_what);
}

std::string PrometheusObserver::waiting() const {
  const absl::MutexLock lock(&waiting_mutex_);
  return waiting_;
}

void PrometheusObserver::OnDamage(const absl::Status& status) {
  log_.Error("malformed entry in the log", {{"error", status}});
}

void PrometheusObserver::OnStatus(const NodeStatus& status) {
  is_leader_.Set(status.role == raft::RoleName::kLeader ? 1 : 0);
  term_.Set(static_cast<double>(status.term.value));
  commit_index_.Set(static_cast<double>(status.commit.value));
  applied_index_.Set(static_cast<double>(status.applied.value));
  zxid_.Set(static_cast<double>(status.last_zxid.value));
  sessions_.Set(static_cast<double>(status.sessions));
  streams_.Set(static_cast<double>(status.streams));
  watches_.Set(static_cast<double>(status.watches));
  nodes_.Set(static_cast<double>(status.nodes));
  tree_bytes_.Set(static_cast<double>(status.tree_bytes));
  log_bytes_.Set(static_cast<double>(status.log_bytes));
  history_bytes_.Set(static_cast<double>(status.history_bytes));
  uncommitted_bytes_.Set(static_cast<double>(status.uncommitted_bytes));
  waiting_writes_.Set(static_cast<double>(status.waiting_writes));
  disk_busy_seconds_.Set(Seconds(status.disk_busy_for));
  ShowPeers(status);
  log_cache_bytes_.Set(static_cast<double>(status.log_cache_bytes));
  disk_full_.Set(status.disk_full ? 1 : 0);
  log_first_index_.Set(static_cast<double>(status.log_first.value));
  snapshot_index_.Set(static_cast<double>(status.snapshot.value));
  snapshot_under_way_.Set(status.snapshot_under_way ? 1 : 0);
  snapshot_sent_bytes_.Set(static_cast<double>(status.snapshot_sent_bytes));
  feature_level_.Set(static_cast<double>(status.feature_level.value));
  feature_level_max_.Set(static_cast<double>(status.feature_level_max.value));
  on_status_(status);
}

PrometheusObserver::PeerGauges PrometheusObserver::GaugesOf(base::NodeId peer) {
  const process::Metrics::Labels labels = {{"peer", absl::StrCat(peer.value)}};
  return {&metrics_->Gauge(kPeerLag, "Entries not known to be on that node's disk, as the leader knows; 0 elsewhere", labels),
          &metrics_->Gauge(kPeerQueued, "Bytes for that node that wait for the network", labels)};
}

// The gauges of a node that is no member any more go: what they say last would stand there for ever.
void PrometheusObserver::ShowPeers(const NodeStatus& status) {
  for (auto it = peers_.begin(); it != peers_.end();) {
    const auto is_it = [&it](const PeerStatus& peer) { return peer.node == it->first; };
    if (std::any_of(status.peers.begin(), status.peers.end(), is_it)) {
      ++it;
      continue;
    }
    metrics_->Remove(kPeerLag, it->second.lag_entries);
    metrics_->Remove(kPeerQueued, it->second.queued_bytes);
    it = peers_.erase(it);
  }
  for (const PeerStatus& peer : status.peers) {
    auto gauges = peers_.find(peer.node);
    if (gauges == peers_.end()) gauges = peers_.emplace(peer.node, GaugesOf(peer.node)).first;
    gauges->second.lag_entries->Set(static_cast<double>(peer.lag_entries.value_or(0)));
    gauges->second.queued_bytes->Set(static_cast<double>(peer.queued_bytes));
  }
  peer_dropped_.Increment(static_cast<double>(status.peer_items_dropped - peer_items_dropped_));
  peer_items_dropped_ = status.peer_items_dropped;
}

}  // namespace drover::coord::server
