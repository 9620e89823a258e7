// Snapshots: when one is taken, what the log drops after it, whom one is sent to, and what becomes of one that comes.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/log/snapshots.h"
#include "coord/server/node.h"

namespace drover::coord::server {

void Node::TickSnapshots() {
  if (dead_ || stopping_) return;
  const bool due = wants_snapshot_ || bytes_since_snapshot_ >= std::max(options_.snapshots.log_bytes, 2 * snapshot_bytes_);
  if (due && !taker_.active() && loop_->Now() >= next_snapshot_) BeginSnapshot();
  std::set<base::NodeId> needy;
  for (const raft::PeerState& peer : raft_.Peers()) {
    // One that is gone would hold on to a snapshot and the log behind it for nothing.
    if (peer.needs_snapshot && peer.silent < 2 * options_.raft.election_timeout) needy.insert(peer.id);
  }
  const raft::Index newest = snapshots_.empty() ? raft::Index() : snapshots_.back();
  // Only one from which the log leads on.
  const bool leads_on = newest >= raft_.log().terms().before();
  sender_.Tick(needy, leads_on ? newest : raft::Index());
  TickWantedSnapshots();
  CompactIfDue();
}

void Node::BeginSnapshot() {
  if (!snapshots_.empty() && snapshots_.back() == applied_) {
    // Another one of the same place could not be told from the last. An entry with nothing makes another place.
    if (Leads() && raft_.log().last() == applied_) static_cast<void>(raft_.Propose(raft::EntryKind::kNoop, {}));
    return;
  }
  log::SnapshotHead head;
  head.cluster = cluster_id();
  head.id = NextNotZero(random_);
  head.at = {applied_, raft_.log().TermAt(applied_).value_or(raft::Term()), configuration_index_, configuration_};
  DROVER_CHECK(head.at.term != raft::Term() && configuration_index_ != raft::Index()) << "applied " << applied_;
  head.founding = founding_;
  bytes_since_snapshot_ = 0;
  wants_snapshot_ = false;
  taker_.Begin(state_.get(), head);
}

void Node::OnSnapshotTaken(const SnapshotTaker::Taken& taken) {
  if (dead_) return;
  snapshots_.push_back(taken.index);
  snapshot_bytes_ = taken.bytes;
  observer_->OnSnapshotTaken(taken.index, taken.bytes, taken.nodes, taken.took);
  EndAwaitedSnapshots(taken.index);
  DropOldSnapshots();
  WantTurn();
}

// By its receiver's word, who may have begun anew.
void Node::OnSentSnapshotBad(raft::Index index) {
  if (dead_) return;
  observer_->OnSnapshotFailed(absl::DataLossError(absl::StrCat("the snapshot up to entry ", index.value, " is damaged")));
  ReplaceSnapshot(index);
}

void Node::OnSavedSnapshotBad(raft::Index index, const absl::Status& why) {
  if (dead_) return;
  observer_->OnSnapshotDamaged(why);
  ReplaceSnapshot(index);
}

// Another one is taken in its place, whatever the log has grown; of the same place, if nothing can be committed without whoever
// waits for it. It may not be all that the disk has lost.
void Node::ReplaceSnapshot(raft::Index index) {
  scrubber_.LookSoon();
  if (snapshots_.empty() || snapshots_.back() != index) return;
  snapshots_.pop_back();
  wants_snapshot_ = true;
}

void Node::OnSnapshotNotTaken(const absl::Status& status) {
  if (dead_) return;
  next_snapshot_ = loop_->Now() + options_.snapshots.retry;
  wants_snapshot_ = true;
  observer_->OnSnapshotFailed(status);
  EndAwaitedSnapshots(status);
}

void Node::DropOldSnapshots() {
  if (snapshots_.size() <= KeptSnapshots()) return;
  raft::Index keep = snapshots_[snapshots_.size() - KeptSnapshots()];
  if (const std::optional<raft::Index> sending = sender_.oldest()) keep = std::min(keep, *sending);
  snapshots_.erase(snapshots_.begin(), std::lower_bound(snapshots_.begin(), snapshots_.end(), keep));
  snapshot_seams_.executor->Submit(
      [files = snapshot_seams_.files, directory = snapshot_seams_.directory, keep] {
        // What is left over is removed with the next ones.
        static_cast<void>(log::RemoveSnapshotsBelow(files, directory, keep));
      },
      [] {});
}

// The log is needed from the oldest snapshot on. Until there are as many as are kept, nothing is dropped: the oldest is then the
// only one, and should it be damaged, the log alone can tell what it said.
void Node::CompactIfDue() {
  if (snapshots_.size() < KeptSnapshots()) return;
  raft::Index through = snapshots_[snapshots_.size() - KeptSnapshots()];
  const std::optional<raft::Index> sending = sender_.oldest();
  const bool break_it = DROVER_BREAK("compact-past-receiver");
  if (sending && !break_it) through = std::min(through, *sending);
  if (through <= compacted_ || raft_.Inspect().durable < through) return;
  compacted_ = through;
  log_writer_.Compact(through, [this](raft::Index first) {
    if (dead_) return;
    const raft::Index gone = std::min(first.Previous(), applied_);
    if (gone <= raft_.log().terms().before()) return;
    raft_.OnCompacted(gone);
    WantTurn();
  });
}

// What lies behind damage is of no use: then the newest one is all that is kept, and the log behind that.
std::size_t Node::KeptSnapshots() const {
  return damaged_ ? 1 : options_.snapshots.kept;
}

// What is in memory is right, whatever has become of the files: the identity is written anew, a snapshot is taken, and what is
// damaged is dropped with all that is older. A damaged segment that is still written to goes once it has ended, and another
// snapshot was taken.
void Node::OnScrubbed(const absl::Status& damage, base::Duration took) {
  if (dead_ || stopping_) return;
  damaged_ = !damage.ok();
  observer_->OnScrubbed(damage, took);
  wants_snapshot_ = wants_snapshot_ || damaged_;
  if (damaged_) log_writer_.MendIdentity();
  WantTurn();
}

void Node::OnSnapshotChunk(const PeerHeader& header, const SnapshotChunk& chunk) {
  // What is committed here already is not needed; its sender will hear so from Raft.
  if (chunk.index <= raft_.commit()) {
    links_.Send(header.from, SnapshotAck{chunk.id, chunk.size});
    return;
  }
  receiver_.OnChunk(header.from, chunk);
}

void Node::OnSnapshotNotReceived(const absl::Status& status) {
  if (dead_) return;
  observer_->OnSnapshotFailed(status);
  if (absl::IsUnimplemented(status)) EndOutdated(status);
}

void Node::OnSnapshotReceived(SnapshotReceiver::Received received) {
  if (dead_) return;
  const absl::StatusOr<bool> installed = raft_.Install(received.head.at);
  if (absl::IsUnimplemented(installed.status())) return EndOutdated(installed.status());
  if (!installed.ok()) return observer_->OnSnapshotFailed(installed.status());
  if (!*installed) {
    // The entries are here after all: one more snapshot, which goes with the next that are dropped. Or this node is no follower
    // now: its file would be ahead of what is applied.
    const bool ahead = received.head.at.index > applied_;
    snapshot_seams_.executor->Submit(
        [ahead, files = snapshot_seams_.files, path = snapshot_seams_.directory + "/" + log::SnapshotName(received.head.at.index),
         state = std::move(received.state)]() mutable {
          if (ahead) static_cast<void>(files->Remove(path));
          state.reset();
        },
        [] {});
    return WantTurn();
  }
  loaded_ = std::move(received.state);
  loaded_founding_ = std::move(received.head.founding);
  observer_->OnSnapshotInstalled(received.head.at.index, received.bytes, received.took);
  Perform(raft_.TakeOutput());
  WantTurn();
}

// The state is another one, without the events in between: clients come back and are told so.
void Node::Install(raft::Output& output) {
  if (!output.installed) return;
  const raft::SnapshotPoint& at = *output.installed;
  DROVER_CHECK(loaded_ != nullptr && at.index > applied_) << "a snapshot at " << at.index << ", applied " << applied_;
  taker_.Abort();
  std::move(snapshots_awaited_.begin(), snapshots_awaited_.end(), std::back_inserter(snapshots_wanted_));
  snapshots_awaited_.clear();
  const absl::Status behind = absl::UnavailableError("this node had fallen behind and took over a snapshot: resume");
  for (auto& [id, stream] : streams_) stream.machine->Close(behind);
  FailHandedOver(absl::UnavailableError("this node took over a snapshot: the outcome is unknown here; resume"));
  // A million nodes are not freed on the loop.
  snapshot_seams_.executor->Submit(
      [old = std::exchange(state_, std::move(loaded_)), freed = on_freed_]() mutable {
        old.reset();
        if (freed) freed();
      },
      [] {});
  history_.Reset(state_->last_zxid());
  applied_ = at.index;
  const raft::Configuration before = Committed();
  configuration_index_ = at.configuration_index;
  configuration_ = at.configuration;
  founding_ = loaded_founding_;
  snapshots_ = {at.index};
  bytes_since_snapshot_ = 0;
  wants_snapshot_ = false;
  snapshot_bytes_ = 0;
  for (StreamId id : waiting_) WantWork(id);
  ServeConfirmed();
  OnConfigurationApplied(before);
}

}  // namespace drover::coord::server
