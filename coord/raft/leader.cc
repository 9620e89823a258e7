// What a leader does: replication, commitment, quorum rounds, changes of the configuration, hand-over.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/raft/raft.h"
#include "coord/raft/step_check.h"

namespace drover::coord::raft {
namespace {

// The value that a quorum of voters has reached: the quorum-th largest.
template <typename T>
T QuorumValue(std::vector<T> values) {
  const std::size_t quorum = values.size() / 2 + 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(quorum - 1), values.end(), std::greater<T>());
  return values[quorum - 1];
}

}  // namespace

// One progress for each member but itself.
void Raft::SyncPeers(Leader* leader) {
  const Configuration& members = configuration();
  for (auto peer = leader->peers.begin(); peer != leader->peers.end();) {
    peer = members.Find(peer->first) == nullptr ? leader->peers.erase(peer) : std::next(peer);
  }
  for (const Member& member : members.members) {
    if (member.id == options_.id || leader->peers.contains(member.id)) continue;
    Progress progress(log_.last().Next());
    progress.heard = now_;
    leader->peers.emplace(member.id, std::move(progress));
  }
}

void Raft::TickLeader(Leader* leader) {
  if (options_.check_quorum && !HearsQuorum(*leader)) {
    DROVER_PROBE("raft: leader without a quorum steps down");
    return BecomeFollower();
  }
  if (leader->transfer && now_ >= leader->transfer->until) {
    DROVER_PROBE("raft: transfer given up");
    leader->transfer.reset();
  }
  if (now_ < leader->heartbeat_at) return;
  leader->heartbeat_at = now_ + options_.heartbeat;
  for (const Member& member : configuration().members) {
    const auto peer = leader->peers.find(member.id);
    if (peer == leader->peers.end()) continue;
    // A probe that was lost would leave the member behind for ever.
    peer->second.ProbeAgain();
    SendHeartbeat(member, &peer->second);
  }
}

// Within the last election time-out; a new leader is given one.
bool Raft::HearsQuorum(const Leader& leader) const {
  if (now_ - leader.since < options_.election_timeout) return true;
  std::vector<base::Duration> heard;
  for (const Member& member : configuration().members) {
    if (!member.voter) continue;
    const auto peer = leader.peers.find(member.id);
    heard.push_back(peer == leader.peers.end() ? now_ : peer->second.heard);
  }
  return heard.empty() || now_ - QuorumValue(std::move(heard)) < options_.election_timeout;
}

absl::StatusOr<Index> Raft::Propose(EntryKind kind, base::Bytes payload) {
  StepCheck check(this);
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return absl::FailedPreconditionError("not the leader");
  if (leader->transfer && (leader->transfer->asked || kind == EntryKind::kConfig)) {
    return absl::UnavailableError("leadership is being handed over");
  }
  if (kind == EntryKind::kConfig) {
    absl::Status allowed = CheckConfiguration(*leader, payload.view());
    if (!allowed.ok()) return allowed;
  }
  if (kind == EntryKind::kData) {
    if (leader->uncommitted_bytes > 0 && leader->uncommitted_bytes + payload.size() > options_.uncommitted_bytes_max) {
      return absl::ResourceExhaustedError("too many bytes are not committed yet");
    }
    leader->uncommitted_bytes += payload.size();
  }
  AppendEntry(Entry{hard_state_.term, log_.last().Next(), kind, std::move(payload)});
  if (kind == EntryKind::kConfig) SyncPeers(leader);
  return log_.last();
}

// One at a time, and only by a leader that knows what is committed (the bug of the thesis' 4.1, found later).
absl::Status Raft::CheckConfiguration(const Leader& leader, absl::string_view payload) const {
  if (commit_ < leader.noop && !DROVER_BREAK("change-before-noop")) {
    return absl::FailedPreconditionError("this leader has not committed an entry of its term yet");
  }
  if (configuration_index() > commit_) return absl::FailedPreconditionError("a change of the configuration is under way");
  absl::StatusOr<Configuration> next = DecodeConfiguration(payload);
  if (!next.ok()) return absl::FailedPreconditionError(next.status().message());
  const Configuration& now = configuration();
  if (next->cluster != now.cluster) return absl::FailedPreconditionError("a configuration of another cluster");
  std::size_t changed = 0;
  std::size_t voters = 0;
  for (const Member& member : next->members) {
    voters += member.voter ? 1 : 0;
    const Member* before = now.Find(member.id);
    if (before != nullptr && before->incarnation != member.incarnation) {
      return absl::FailedPreconditionError("a member's incarnation cannot change: remove it first");
    }
    changed += (before != nullptr && before->voter) != member.voter ? 1 : 0;
  }
  for (const Member& member : now.members) changed += member.voter && next->Find(member.id) == nullptr ? 1 : 0;
  if (voters == 0) return absl::FailedPreconditionError("a configuration without voters");
  if (changed > 1) return absl::FailedPreconditionError("more than one voter changes at once");
  if (next->feature_level != now.feature_level) {
    if (next->feature_level != now.feature_level.Next() || next->feature_level > options_.feature_level_max) {
      return absl::FailedPreconditionError("the feature level rises by one, to what this program knows, and never falls");
    }
    if (next->members != now.members) return absl::FailedPreconditionError("the feature level and the members change at once");
  }
  return absl::OkStatus();
}

absl::Status Raft::OnAppendReply(const Envelope& envelope, const AppendReply& reply) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return absl::AbortedError("AppendReply to no leader");
  const auto peer = leader->peers.find(envelope.from);
  if (peer == leader->peers.end()) return absl::AbortedError("AppendReply of no member");
  Progress& progress = peer->second;
  // Of two processes the later one answers to a round that began after the earlier one was last heard; what the earlier one
  // answered to, it had been sent before. (It may take the later one a heartbeat longer to be known.)
  if (progress.boot.value != 0 && progress.boot != envelope.from_boot && reply.round <= progress.heard_in) {
    return absl::AbortedError("AppendReply of a process that has been replaced");
  }
  progress.heard = now_;
  progress.heard_in = leader->round;
  if (progress.boot != envelope.from_boot) {
    // Another process: what the one before had in memory is gone, and with a broken disk more than that. This answer tells where to
    // look.
    if (progress.boot.value != 0) progress.Forget(std::min(reply.received, log_.last()).Next());
    progress.boot = envelope.from_boot;
  }
  progress.round = std::max(progress.round, std::min(reply.round, leader->round));
  if (reply.accepted) {
    if (reply.match > log_.last() || reply.received > log_.last()) {
      return absl::InvalidArgumentError("AppendReply that acknowledges what was never sent");
    }
    progress.Accepted(reply.match, reply.received);
    AdvanceCommit();
  } else {
    // What lies before the log's beginning cannot be compared: the member's word is taken, and what it lacks turns out to be gone.
    const bool known = reply.conflict >= log_.terms().before();
    progress.Rejected(reply.received, known ? log_.terms().FindConflict(reply.conflict, reply.conflict_term) : reply.conflict);
  }
  if (std::holds_alternative<Leader>(role_)) ConfirmReads();
  return absl::OkStatus();
}

void Raft::AdvanceCommit() {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  std::vector<Index> matches;
  for (const Member& member : configuration().members) {
    if (!member.voter) continue;
    const auto peer = leader->peers.find(member.id);
    // Its own log counts as far as its own disk has it.
    matches.push_back(peer == leader->peers.end() ? durable_ : peer->second.match());
  }
  if (matches.empty()) return;
  const Index reached = QuorumValue(std::move(matches));
  // An entry of an earlier term commits only together with one of this term (Raft paper 5.4.2).
  const bool own_term = log_.TermAt(reached) == hard_state_.term;
  if (reached <= commit_ || (!own_term && !DROVER_BREAK("commit-old-term"))) return;
  const bool was_behind_noop = commit_ < leader->noop;
  CommitTo(reached);
  if (was_behind_noop) ConfirmReads();
  if (configuration_index() <= commit_ && !IsVoter()) {
    // Removed, or made a learner, by an entry that is now committed (Raft thesis 4.2.2). The voter that has the most campaigns at
    // once, so that nobody waits for an election time-out.
    DROVER_PROBE("raft: leader removed itself");
    FlushLeader();
    const Member* successor = nullptr;
    Index most;
    for (const Member& member : configuration().members) {
      const auto peer = leader->peers.find(member.id);
      if (!member.voter || peer == leader->peers.end() || peer->second.match() < most) continue;
      successor = &member;
      most = peer->second.match();
    }
    if (successor != nullptr) Send(successor->id, successor->incarnation, TimeoutNow{});
    BecomeFollower();
  }
}

void Raft::ConfirmReads() {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->reads.empty()) return;
  // Before its no-op is committed, a leader does not know how far the log is (Raft thesis 6.4).
  if (commit_ < leader->noop && !DROVER_BREAK("skip-readindex-noop")) return;
  std::vector<std::uint64_t> rounds;
  for (const Member& member : configuration().members) {
    if (!member.voter) continue;
    const auto peer = leader->peers.find(member.id);
    rounds.push_back(peer == leader->peers.end() ? leader->round : peer->second.round);
  }
  std::uint64_t confirmed = QuorumValue(std::move(rounds));
  if (DROVER_BREAK("stale-read")) confirmed = leader->round;
  std::size_t done = 0;
  for (; done < leader->reads.size(); ++done) {
    const Leader::Read& read = leader->reads[done];
    if (read.round == 0 || read.round > confirmed) break;
    if (read.from.value == 0) {
      output_.reads.push_back(ReadState{read.context, commit_});
    } else if (const Member* member = configuration().Find(read.from)) {
      Send(member->id, member->incarnation, ReadIndexReply{read.context, commit_});
    }
  }
  leader->reads.erase(leader->reads.begin(), leader->reads.begin() + static_cast<std::ptrdiff_t>(done));
}

absl::Status Raft::OnReadIndexAsk(const Envelope& envelope, const ReadIndexAsk& ask) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return absl::AbortedError("ReadIndexAsk to no leader");
  if (leader->reads.size() >= options_.reads_max) return absl::AbortedError("ReadIndexAsk: too many reads wait for a quorum");
  leader->reads.push_back({ask.context, envelope.from, 0});
  return absl::OkStatus();
}

// ---- sending ----

void Raft::FlushLeader() {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  // Each output is a round; all reads that came since the last one share it.
  ++leader->round;
  const bool asks = !leader->reads.empty() && leader->reads.back().round == 0;
  if (asks) {
    for (auto read = leader->reads.rbegin(); read != leader->reads.rend() && read->round == 0; ++read) read->round = leader->round;
    // A heartbeat that is among the messages already is of the round before.
    for (auto& [id, progress] : leader->peers) progress.sent_this_flush = false;
  }
  for (const Member& member : configuration().members) {
    const auto peer = leader->peers.find(member.id);
    if (peer == leader->peers.end()) continue;
    SendTo(member, &peer->second);
    // What is committed it hears at once, if nothing carried that: clients that are attached to it wait for it.
    if (peer->second.told < commit_ && !peer->second.probing() && peer->second.CanSend(options_.window)) {
      SendHeartbeat(member, &peer->second);
    }
    if (asks && member.voter && !peer->second.sent_this_flush) SendHeartbeat(member, &peer->second);
    peer->second.sent_this_flush = false;
  }
  DriveTransfer(leader);
  if (asks) ConfirmReads();  // a sole voter has confirmed itself
}

void Raft::SendTo(const Member& member, Progress* progress) {
  while (progress->next() <= log_.last() && progress->CanSend(options_.window)) {
    if (progress->next() <= log_.terms().before()) {
      DROVER_PROBE("raft: a follower needs what is compacted");
      progress->needs_snapshot = true;
      return;
    }
    if (progress->next() >= log_.held_first()) {
      SendEntries(member, progress, log_.Slice(progress->next(), log_.last(), options_.append_bytes));
      continue;
    }
    if (progress->probing()) {
      // Whether the logs agree at all is asked without reading the disk for it.
      SendHeartbeat(member, progress);
      progress->SentProbe();
      return;
    }
    // One at a time, and none that an earlier reign's could be taken for.
    if (log_reads_.contains(member.id)) return;
    log_reads_[member.id] = progress->next();
    output_.log_reads.push_back(LogRead{member.id, progress->next(), options_.append_bytes});
    return;
  }
}

Append Raft::AppendBehind(Index previous, const Progress& progress) const {
  Append append;
  append.previous_index = previous;
  append.previous_term = log_.TermAt(previous).value_or(Term());
  append.commit = commit_;
  append.round = std::get<Leader>(role_).round;
  append.held = progress.held();
  return append;
}

void Raft::SendEntries(const Member& member, Progress* progress, std::vector<Entry> entries) {
  Append append = AppendBehind(progress->next().Previous(), *progress);
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.payload.size();
  const Index last = entries.back().index;
  append.entries = std::move(entries);
  Send(member.id, member.incarnation, std::move(append));
  progress->Sent(last, bytes);
  progress->told = commit_;
  progress->sent_this_flush = true;
}

// Says that the leader lives, how far the log is committed, and where the sender believes the member's log to end: a loss on the
// way shows as an answer that this does not fit.
void Raft::SendHeartbeat(const Member& member, Progress* progress) {
  // One that waits for a snapshot shows by its answer to the log's beginning that it has it.
  const Index behind = progress->needs_snapshot ? log_.terms().before() : progress->next().Previous();
  Send(member.id, member.incarnation, AppendBehind(behind, *progress));
  progress->told = commit_;
  progress->sent_this_flush = true;
}

void Raft::OnLogRead(base::NodeId peer, std::vector<Entry> entries) {
  StepCheck check(this);
  const auto asked = log_reads_.find(peer);
  if (asked == log_reads_.end()) return;
  const Index first = asked->second;
  log_reads_.erase(asked);
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  const auto found = leader->peers.find(peer);
  if (found == leader->peers.end()) return;
  Progress& progress = found->second;
  // Asked for in an earlier reign, or before the place was found to be another one.
  if (first != progress.next() || progress.probing()) return;
  // Compacted meanwhile: the log's beginning tells.
  if (entries.empty()) return;
  if (entries.front().index != first) return;
  for (const Entry& entry : entries) {
    if (log_.TermAt(entry.index) != entry.term) return;
  }
  const Member* member = configuration().Find(peer);
  if (member != nullptr) SendEntries(*member, &progress, std::move(entries));
}

// ---- hand-over ----

absl::Status Raft::TransferLeadership(base::NodeId target) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return absl::FailedPreconditionError("not the leader");
  const Member* member = configuration().Find(target);
  if (member == nullptr || !member->voter) return absl::InvalidArgumentError(absl::StrCat("node ", target.value, " is no voter"));
  if (target == options_.id) {
    leader->transfer.reset();
    return absl::OkStatus();
  }
  if (leader->transfer && leader->transfer->target == target) return absl::OkStatus();
  leader->transfer = Leader::Transfer{target, now_ + options_.election_timeout, log_.last()};
  return absl::OkStatus();
}

// The target confirms the order before it obeys. From then on, and not before, this leader takes nothing new; when the target has
// all that there is, it may campaign.
void Raft::DriveTransfer(Leader* leader) {
  if (!leader->transfer || leader->transfer->granted) return;
  Leader::Transfer& transfer = *leader->transfer;
  const auto peer = leader->peers.find(transfer.target);
  const Member* member = configuration().Find(transfer.target);
  if (peer == leader->peers.end() || member == nullptr || !member->voter) {
    leader->transfer.reset();
    return;
  }
  if (!transfer.ordered && peer->second.match() >= transfer.needed) {
    transfer.ordered = true;
    Send(member->id, member->incarnation, TimeoutNow{.confirm = true});
  }
  if (transfer.asked && peer->second.match() == log_.last()) {
    transfer.granted = true;
    Send(member->id, member->incarnation, PreVoteReply{true, hard_state_.term.Next()});
  }
}

std::vector<PeerState> Raft::Peers() const {
  std::vector<PeerState> peers;
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return peers;
  for (const auto& [id, progress] : leader->peers) {
    peers.push_back({id, progress.match(), progress.next(), progress.probing(), progress.needs_snapshot, now_ - progress.heard,
                     progress.boot.value != 0});
  }
  return peers;
}

}  // namespace drover::coord::raft
