// What a node tells of itself: metrics, and the few events worth a line in the log. The node decides nothing by it.
#ifndef DROVER_COORD_SERVER_OBSERVER_H_
#define DROVER_COORD_SERVER_OBSERVER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/output.h"
#include "coord/raft/raft.h"
#include "coord/server/start_progress.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::server {

// Another member, as this node sees it.
struct PeerStatus {
  base::NodeId node;
  std::optional<std::uint64_t> lag_entries;  // of the log, not known to be on its disk; the leader alone knows
  std::size_t queued_bytes = 0;              // for it, not yet taken by the transport
};

struct NodeStatus {
  base::NodeId node;
  base::ClusterId cluster;
  raft::RoleName role = raft::RoleName::kFollower;
  base::NodeId leader;
  raft::Term term;
  raft::Index commit;
  raft::Index applied;
  base::Zxid last_zxid;
  std::uint64_t log_bytes = 0;
  raft::Index log_first;                  // of the entries that are still in the log
  raft::Index snapshot;                   // the newest durable one's last entry; 0: none yet
  bool snapshot_under_way = false;        // one is being taken
  std::uint64_t snapshot_sent_bytes = 0;  // to members that were too far behind, in all
  std::size_t sessions = 0;
  std::size_t nodes = 0;
  std::size_t tree_bytes = 0;
  std::size_t watches = 0;
  std::size_t streams = 0;
  std::size_t history_bytes = 0;
  std::size_t uncommitted_bytes = 0;
  base::Duration uncommitted_for{0};  // of a leader: how long nothing was committed although something waits for it
  std::size_t waiting_writes = 0;     // of this node's clients, not yet applied
  base::Duration disk_busy_for{0};    // how long the batch under way on the disk has taken so far
  std::vector<PeerStatus> peers;      // of the newest configuration, by id
  std::uint64_t peer_items_dropped = 0;
  std::size_t log_cache_bytes = 0;  // payloads of entries held in memory for the other nodes
  bool disk_full = false;
  base::FeatureLevel feature_level;      // of the cluster, as far as this node has applied
  base::FeatureLevel feature_level_max;  // that this program knows
  bool serving = false;  // leads, and the no-op of its term is committed; or follows, and has applied what it knows to be committed
};

enum class Refusal {
  kUncommittedBytes,  // a batch waited: too much is not committed yet
  kDiskFull,          // a unary write or the opening of a session, while the log finds no space; all else, if another node leads
  kStreams,           // a stream too many
  kUnaryCalls,        // a unary call too many
  kSlowReader,        // a stream closed: answers and events were not read
  kProtocol,          // a stream closed: its client broke the protocol
};

// Loop thread. Must be quick and call nothing of the node.
class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  // While the data directory is read, before OnStarted.
  virtual void OnStartProgress(const StartProgress&) {}
  // The log is replayed as far as it is known to be committed, and the node begins.
  virtual void OnStarted() {}
  // Raft wants this done, and nothing of it is done yet.
  virtual void OnOutput(const raft::Raft&, const raft::Output&) {}
  // A quorum round was asked for.
  virtual void OnRoundAsked(const raft::Raft&, std::uint64_t /*context*/) {}
  virtual void OnRole(const raft::RoleChange&) {}
  // The cluster was raised to this level.
  virtual void OnFeatureLevel(base::FeatureLevel) {}
  // Other members, voters or addresses are committed.
  virtual void OnMembers(const raft::Configuration&) {}
  virtual void OnSessionOpened(const tree::Session&) {}
  virtual void OnSessionEnded(base::SessionId, tree::SessionEnd) {}
  virtual void OnExpiryProposed(std::size_t /*sessions*/) {}
  virtual void OnReapProposed(std::size_t /*nodes*/) {}
  virtual void OnProposed(std::size_t /*commands*/, std::size_t /*bytes*/) {}
  // One batch of entries is durable, this long after it was handed to the disk.
  virtual void OnPersisted(std::size_t /*entries*/, std::size_t /*bytes*/, base::Duration) {}
  // The log found no space (true), or finds it again (false): told at each change.
  virtual void OnDiskFull(bool /*full*/) {}
  // A proposal was committed, this long after it was proposed.
  virtual void OnCommitted(base::Duration) {}
  // Around the application of entries: time does not pass on the loop's clock meanwhile.
  virtual void BeginApply() {}
  virtual void EndApply(std::size_t /*entries*/) {}
  // A snapshot of this node's own is durable: bytes of its file, and how long it took.
  virtual void OnSnapshotTaken(raft::Index, std::uint64_t /*bytes*/, std::uint64_t /*nodes*/, base::Duration) {}
  // One that came from another node has taken the place of this node's state.
  virtual void OnSnapshotInstalled(raft::Index, std::uint64_t /*bytes*/, base::Duration) {}
  // One of this node's own was found to be damaged, or gone, when it was to be given to somebody. The node goes on, takes another
  // one, and reads all files soon (OnScrubbed).
  virtual void OnSnapshotDamaged(const absl::Status&) {}
  // One was not taken, or not received; nothing is lost by it.
  virtual void OnSnapshotFailed(const absl::Status&) {}
  // All files of the data directory were read again: OK, or what is damaged. The node goes on, and mends it.
  virtual void OnScrubbed(const absl::Status& /*damage*/, base::Duration) {}
  virtual void OnRead() {}
  virtual void OnReceived(std::size_t /*bytes*/) {}
  virtual void OnSent(std::size_t /*bytes*/) {}
  virtual void OnRefused(Refusal) {}
  // Another node speaks to this one, and should not: of another cluster, of an incarnation that is no member. Each time; `address`
  // is its end of the link as the transport spells it, empty if not known.
  virtual void OnStranger(base::NodeId, const std::string& /*address*/, absl::string_view /*why*/) {}
  // A peer says why it does not listen to this node.
  virtual void OnDismissed(base::NodeId /*by*/, absl::string_view /*why*/) {}
  // A node without a cluster: what it waits for. Told when it begins to wait, and at each change.
  virtual void OnWaiting(absl::string_view /*for_what*/) {}
  // Something that must not be: an entry that no leader writes.
  virtual void OnDamage(const absl::Status&) {}
  // Now and then, for gauges.
  virtual void OnStatus(const NodeStatus&) {}
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_OBSERVER_H_
