// How a leader comes to be: pre-vote, vote, and the hand-over to a chosen member.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/raft/raft.h"

namespace drover::coord::raft {

bool Raft::UpToDate(Index last, Term last_term) const {
  return last_term > log_.last_term() || (last_term == log_.last_term() && last >= log_.last());
}

// Members that hear a leader do not help to depose it (Raft thesis 4.2.3).
bool Raft::StandsByLeader() const {
  if (!options_.check_quorum) return false;
  if (std::holds_alternative<Leader>(role_)) return true;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower != nullptr && follower->leader.value != 0 && !follower->reset &&
         now_ - follower->heard < options_.election_timeout;
}

std::size_t Raft::CountVoters(const std::set<base::NodeId>& of) const {
  std::size_t count = 0;
  for (const Member& member : configuration().members) count += member.voter && of.contains(member.id) ? 1 : 0;
  return count;
}

std::size_t Raft::Quorum() const {
  std::size_t voters = 0;
  for (const Member& member : configuration().members) voters += member.voter ? 1 : 0;
  return voters / 2 + 1;
}

void Raft::Campaign() {
  if (!options_.pre_vote) return BecomeCandidate(false);
  PreCandidate candidate;
  candidate.granted.insert(options_.id);
  if (Impatient()) {
    const auto repeat = static_cast<std::uint64_t>(options_.reset_repeat.count());
    candidate.campaign_at = now_ + options_.reset_repeat + base::Duration(static_cast<std::int64_t>(random_.Below(repeat + 1)));
  } else {
    candidate.campaign_at = now_ + RandomTimeout();
  }
  role_ = std::move(candidate);
  for (const Member& member : configuration().members) {
    if (member.voter && member.id != options_.id) Send(member.id, member.incarnation, PreVote{log_.last(), log_.last_term()});
  }
}

void Raft::BecomeCandidate(bool transfer) {
  SetHardState(HardState{hard_state_.term.Next(), options_.id});
  Candidate candidate;
  candidate.transfer = transfer;
  candidate.campaign_at = now_ + RandomTimeout();
  if (Impatient()) {
    // Two that campaigned at once try again soon, but not before a vote had time to be written.
    const auto spread = static_cast<std::uint64_t>(options_.reset_spread.count());
    candidate.campaign_at =
        now_ + 2 * options_.reset_spread + base::Duration(static_cast<std::int64_t>(random_.Below(2 * spread + 1)));
  }
  candidate.vote_write = hard_state_sequence_;
  role_ = std::move(candidate);
  // The requests promise nothing, so they need not wait for the vote to be written; counting the own one must.
  for (const Member& member : configuration().members) {
    if (!member.voter || member.id == options_.id) continue;
    Send(member.id, member.incarnation, Vote{log_.last(), log_.last_term(), transfer});
  }
}

absl::Status Raft::OnPreVote(const Envelope& envelope, const PreVote& vote) {
  if (vote.transfer) return OnConfirmation(envelope);
  const bool newer = envelope.term.Next() > hard_state_.term;
  const bool up_to_date = UpToDate(vote.last_index, vote.last_term) || DROVER_BREAK("no-prevote-log-check");
  const bool granted = newer && up_to_date && !StandsByLeader();
  Send(envelope.from, envelope.from_incarnation, PreVoteReply{granted, envelope.term.Next()});
  if (granted) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("PreVote refused: ", !newer        ? "of an earlier term"
                                                              : !up_to_date ? "the candidate's log is behind"
                                                                            : "the leader is alive"));
}

// Of a member that was told to campaign: does this leader still want it?
absl::Status Raft::OnConfirmation(const Envelope& envelope) {
  auto* leader = std::get_if<Leader>(&role_);
  const bool wanted = envelope.term == hard_state_.term && leader != nullptr && leader->transfer &&
                      leader->transfer->target == envelope.from && leader->transfer->ordered;
  if (!wanted) {
    DROVER_PROBE("raft: a hand-over that was given up is void");
    Send(envelope.from, envelope.from_incarnation, PreVoteReply{false, envelope.term.Next()});
    return absl::AbortedError("PreVote refused: no hand-over to this member is under way");
  }
  leader->transfer->asked = true;
  DriveTransfer(leader);
  return absl::OkStatus();
}

absl::Status Raft::OnPreVoteReply(const Envelope& envelope, const PreVoteReply& reply) {
  if (auto* follower = std::get_if<Follower>(&role_);
      follower != nullptr && follower->confirms && follower->leader == envelope.from && reply.asked == hard_state_.term.Next()) {
    follower->confirms = false;
    if (!reply.granted) return absl::AbortedError("PreVoteReply: the leader hands nothing over any more");
    BecomeCandidate(true);
    return absl::OkStatus();
  }
  auto* candidate = std::get_if<PreCandidate>(&role_);
  if (candidate == nullptr || reply.asked != hard_state_.term.Next()) return absl::AbortedError("PreVoteReply to no pre-candidate");
  if (!reply.granted) return absl::AbortedError("PreVoteReply: refused");
  candidate->granted.insert(envelope.from);
  if (CountVoters(candidate->granted) >= Quorum()) BecomeCandidate(false);
  return absl::OkStatus();
}

absl::Status Raft::OnVote(const Envelope& envelope, const Vote& vote) {
  if (envelope.term < hard_state_.term) {
    SendDurable(envelope.from, envelope.from_incarnation, VoteReply{false});
    return absl::AbortedError("Vote of an earlier term");
  }
  if (envelope.term > hard_state_.term) {
    if (StandsByLeader() && !vote.transfer) {
      DROVER_PROBE("raft: vote ignored for a living leader");
      return absl::AbortedError("Vote refused: the leader is alive");
    }
    AdoptTerm(envelope.term);
  }
  const bool free = hard_state_.vote.value == 0 || hard_state_.vote == envelope.from || DROVER_BREAK("vote-twice");
  const bool up_to_date = UpToDate(vote.last_index, vote.last_term);
  const bool has_more = up_to_date && (vote.last_term != log_.last_term() || vote.last_index != log_.last());
  if (std::holds_alternative<Candidate>(role_) && has_more) GiveWay();
  if (std::holds_alternative<PreCandidate>(role_) && free && up_to_date) BecomeFollower();
  auto* follower = std::get_if<Follower>(&role_);
  const bool granted = free && up_to_date && follower != nullptr && follower->leader.value == 0;
  if (granted) {
    if (hard_state_.vote != envelope.from) SetHardState(HardState{hard_state_.term, envelope.from});
    follower->campaign_at = now_ + RandomTimeout();
    if (Impatient()) follower->campaign_at = now_ + 4 * options_.reset_spread;
  }
  SendDurable(envelope.from, envelope.from_incarnation, VoteReply{granted});
  return granted ? absl::OkStatus() : absl::AbortedError("Vote refused");
}

// To a candidate of this very term that has more, and perhaps does not hear of this one's campaigns (whom this one knows by an
// earlier life is not asked for its vote): without pre-votes it would come too late in each term, as long as this one was the
// first.
void Raft::GiveWay() {
  DROVER_PROBE("raft: a candidate gives way to one that has more");
  BecomeFollower();
  auto& follower = std::get<Follower>(role_);
  follower.campaign_at += options_.election_timeout;
  if (Impatient()) follower.campaign_at = now_ + 4 * options_.reset_spread;
}

absl::Status Raft::OnVoteReply(const Envelope& envelope, const VoteReply& reply) {
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr) return absl::AbortedError("VoteReply to no candidate");
  (reply.granted ? candidate->granted : candidate->refused).insert(envelope.from);
  CountVotes();
  return absl::OkStatus();
}

void Raft::CountVotes() {
  const auto& candidate = std::get<Candidate>(role_);
  // Not by the others' votes alone: a leader whose term is not on its disk could win them in that term once more after a crash, and
  // put another entry in the place of one that was sent already.
  if (candidate.granted.contains(options_.id) && CountVoters(candidate.granted) >= Quorum()) return BecomeLeader();
  std::size_t voters = 0;
  for (const Member& member : configuration().members) voters += member.voter ? 1 : 0;
  if (CountVoters(candidate.refused) > voters - Quorum()) {
    const base::Duration campaign_at = candidate.campaign_at;
    BecomeFollower();
    std::get<Follower>(role_).campaign_at = campaign_at;
  }
}

absl::Status Raft::OnTimeoutNow(const Envelope& envelope, const TimeoutNow& order) {
  if (!IsVoter()) return absl::AbortedError("TimeoutNow to a member that is no voter");
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != envelope.from) return absl::AbortedError("TimeoutNow not from the leader");
  if (order.confirm) {
    follower->confirms = true;
    Send(envelope.from, envelope.from_incarnation, PreVote{log_.last(), log_.last_term(), true});
    return absl::OkStatus();
  }
  BecomeCandidate(true);
  return absl::OkStatus();
}

void Raft::BecomeLeader() {
  Leader leader;
  leader.since = now_;
  leader.heartbeat_at = now_ + options_.heartbeat;
  // Entries of earlier terms that are not committed count, too, so that the bound holds across leaders.
  for (Index index = commit_.Next(); index <= log_.last(); index = index.Next()) {
    const Entry& entry = log_.At(index);
    if (entry.kind == EntryKind::kData) leader.uncommitted_bytes += entry.payload.size();
  }
  leader.noop = log_.last().Next();
  role_ = std::move(leader);
  impatient_until_ = base::Duration{};
  SyncPeers(&std::get<Leader>(role_));
  AppendEntry(Entry{hard_state_.term, log_.last().Next(), EntryKind::kNoop, {}});
}

}  // namespace drover::coord::raft
