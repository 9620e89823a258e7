// What a node puts into the log, or hands to the leader to put there.
#include <utility>

#include "coord/base/check.h"
#include "coord/server/node.h"

namespace drover::coord::server {

base::WallTime Node::ClusterTime() const {
  std::vector<base::NodeId> others;
  for (const raft::Member& member : raft_.configuration().members) {
    if (member.voter && member.id != options_.id) others.push_back(member.id);
  }
  return clock_.Time(loop_->WallNow(), loop_->Now(), others);
}

bool Node::TakesWrites() const {
  return raft_leader_.value != 0 && !proposals_.backed_up() && !log_writer_.disk_full();
}

void Node::Propose(StreamId stream, const tree::Asker& asker, std::uint64_t seen, absl::string_view request) {
  proposals_.AddRequest(StreamWrite{stream}, asker, seen, request);
  WantTurn();
}

void Node::ProposeOpen(StreamId stream, const OpenView& open, absl::string_view address) {
  const std::uint64_t bits[2] = {random_->Next(), random_->Next()};
  tree::OpenSessionView view;
  view.secret = absl::string_view(reinterpret_cast<const char*>(bits), sizeof(bits));
  view.timeout_ms = open.timeout_ms;
  view.disconnect_grace_ms = open.disconnect_grace_ms;
  view.name = open.name;
  if (KnowsAccessControl()) view.address = address;
  proposals_.AddOpen(StreamOpening{stream}, view);
  WantTurn();
}

void Node::ExpireSilentSessions() {
  // While leadership is handed on nothing is proposed; whoever leads then gives every session its time again.
  if (dead_ || stopping_ || !Leads() || raft_.Inspect().transfer.value != 0) return;
  ProposeExpiry(raft_.term());
}

// `judged`: the term in which the silent ones were found to be; the expiry is void in any other.
void Node::ProposeExpiry(raft::Term judged) {
  const std::vector<base::SessionId> silent = leases_.TakeExpired(options_.expiries_per_entry_max);
  if (silent.empty()) return;
  tree::BatchBuilder batch(ClusterTime());
  batch.AddExpire(judged, silent);
  const absl::StatusOr<raft::Index> index = raft_.Propose(raft::EntryKind::kExpiry, batch.Finish());
  DROVER_CHECK(index.ok()) << index.status();  // not bounded
  observer_->OnExpiryProposed(silent.size());
}

void Node::ProposeTimeIfDue() {
  if (dead_ || stopping_ || !Leads() || leases_.size() == 0 || !TakesWrites()) return;
  const base::WallTime now = ClusterTime();
  if (now.value - last_proposed_time_.value < base::ToMillis(options_.time_entry_interval) || now <= state_->time()) return;
  last_proposed_time_ = now;
  // Refused when too much is not committed: then there are entries, with their time, under way.
  static_cast<void>(raft_.Propose(raft::EntryKind::kData, tree::BatchBuilder(now).Finish()));
}

void Node::ReapIfDue() {
  if (dead_ || stopping_ || !Leads() || !TakesWrites() || loop_->Now() < next_reap_) return;
  next_reap_ = loop_->Now() + options_.reap_every;
  if (state_->feature_level() < base::kMoreOperations) return;
  const base::WallTime now = ClusterTime();
  const std::vector<tree::Reaper::Due> due = reaper_.Next(state_->tree(), now);
  if (due.empty()) return;
  std::vector<tree::ReapedNodeView> nodes;
  nodes.reserve(due.size());
  for (const tree::Reaper::Due& node : due) nodes.push_back({node.path, node.czxid});
  tree::BatchBuilder batch(now);
  batch.AddReap(nodes);
  // Refused when too much is not committed: then in another round.
  if (raft_.Propose(raft::EntryKind::kData, batch.Finish()).ok()) observer_->OnReapProposed(due.size());
}

// Adds the leader's time, the one that counts.
bool Node::ProposeBatch(const ProposalQueue::Batch& batch) {
  std::string entry;
  entry.reserve(batch.commands.size() + 16);
  entry.append(batch.commands.view().data(), batch.commands.size());
  const base::WallTime now = ClusterTime();
  tree::AppendBatchTime(now, &entry);
  const std::size_t bytes = entry.size();
  const absl::StatusOr<raft::Index> index = raft_.Propose(raft::EntryKind::kData, base::Bytes::Adopt(std::move(entry)));
  if (!index.ok()) {
    observer_->OnRefused(Refusal::kUncommittedBytes);
    return false;  // again when something was committed; until then no stream hands in more
  }
  observer_->OnProposed(batch.count, bytes);
  proposed_at_.emplace_back(*index, loop_->Now());
  last_proposed_time_ = now;
  return true;
}

void Node::ProposeForwarded() {
  if (dead_ || !Leads()) return;
  for (auto& [node, inbox] : inboxes_) {
    while (!inbox.batches.empty()) {
      if (!ProposeBatch(inbox.batches.front())) return;
      inbox.batches.pop_front();
    }
  }
}

void Node::HandOverGathered() {
  while (!dead_ && raft_leader_.value != 0) {
    const ProposalQueue::Batch* batch = proposals_.Front();
    if (batch == nullptr) return;
    if (Leads()) {
      if (!ProposeBatch(*batch)) return;
    } else {
      const std::size_t under_way = proposals_.handed_over_bytes();
      if (under_way > 0 && under_way + batch->commands.size() > options_.forward_bytes) return;
      if (!links_.connected(raft_leader_)) return;
      links_.Send(raft_leader_, Forward{raft_.term(), generation_, ++forwarded_, batch->commands});
    }
    if (proposals_.handed_over_bytes() == 0) handed_over_at_ = loop_->Now();
    proposals_.HandOver();
  }
}

void Node::FailHandedOver(const absl::Status& status) {
  ++generation_;
  forwarded_ = 0;
  for (Waiter& waiter : proposals_.TakeHandedOver()) {
    if (auto* call = std::get_if<ExecuteDone>(&waiter)) {
      (*call)(status);
      continue;
    }
    const StreamId stream =
        std::holds_alternative<StreamWrite>(waiter) ? std::get<StreamWrite>(waiter).stream : std::get<StreamOpening>(waiter).stream;
    if (SessionStream* machine = FindMachine(stream)) machine->Close(status);
  }
}

}  // namespace drover::coord::server
