// What a follower does with what its leader sends.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/raft/raft.h"

namespace drover::coord::raft {
namespace {

// Only what a leader of `term` can have sent, and what this program knows.
absl::Status CheckAppend(const Append& append, Term term, base::FeatureLevel known) {
  Index index = append.previous_index;
  Term last = append.previous_term;
  for (const Entry& entry : append.entries) {
    index = index.Next();
    if (entry.index != index) return absl::InvalidArgumentError("Append whose entries have gaps");
    if (entry.term < last || entry.term > term) return absl::InvalidArgumentError("Append whose terms are out of order");
    if (!IsKnown(entry.kind)) {
      return absl::UnimplementedError(absl::StrCat("entry ", entry.index.value, " is of kind ", static_cast<int>(entry.kind),
                                                   ", which this program does not know: start a newer drover-coord"));
    }
    if (entry.kind == EntryKind::kConfig) {
      const absl::StatusOr<Configuration> decoded = DecodeConfiguration(entry.payload.view());
      if (absl::IsUnimplemented(decoded.status())) return decoded.status();
      if (!decoded.ok()) return absl::InvalidArgumentError(absl::StrCat("Append: ", decoded.status().message()));
      absl::Status level = base::CheckFeatureLevel("the cluster", decoded->feature_level, known);
      if (!level.ok()) return level;
    }
    last = entry.term;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Raft::OnAppend(const Envelope& envelope, const Append& append) {
  if (envelope.term < hard_state_.term) {
    // Tells a leader that was deposed, or a member that is stuck in an earlier term, so that it follows.
    SendDurable(envelope.from, envelope.from_incarnation,
                AppendReply{false, Index(), append.previous_index, commit_, Term(), append.round});
    return absl::AbortedError("Append of an earlier term");
  }
  absl::Status valid = CheckAppend(append, envelope.term, options_.feature_level_max);
  if (!valid.ok()) return valid;
  // What was acknowledged in a term may be truncated in a later one only.
  if (append.held > log_.last() && !DROVER_BREAK("wiped-node-votes")) {
    DROVER_PROBE("raft: a disk lost what was acknowledged");
    return absl::DataLossError(absl::StrCat("the leader, node ", envelope.from.value, ", has this node's word for entries up to ",
                                            append.held.value, ", and the log ends at ", log_.last().value));
  }
  if (std::holds_alternative<Leader>(role_)) return absl::InvalidArgumentError("Append of another leader of this very term");
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr) {
    BecomeFollower();
    follower = std::get_if<Follower>(&role_);
  }
  if (follower->leader.value != 0 && follower->leader != envelope.from) {
    return absl::InvalidArgumentError("Append of another leader of this very term");
  }
  follower->leader = envelope.from;
  follower->leader_incarnation = envelope.from_incarnation;
  follower->heard = now_;
  follower->campaign_at = now_ + RandomTimeout();
  follower->reset = false;
  follower->round = std::max(follower->round, append.round);
  impatient_until_ = base::Duration{};

  Index previous = append.previous_index;
  if (previous > commit_ && log_.TermAt(previous) != append.previous_term) {
    const Index agree = std::max(commit_, log_.terms().FindConflict(previous.Previous(), append.previous_term));
    SendDurable(envelope.from, envelope.from_incarnation,
                AppendReply{false, Index(), previous, agree, log_.TermAt(agree).value_or(Term()), append.round});
    return absl::AbortedError("Append does not fit the log");
  }
  // Up to `commit_` the logs are equal, whatever the message says about it.
  for (const Entry& entry : append.entries) {
    previous = entry.index;
    if (entry.index <= commit_ || log_.TermAt(entry.index) == entry.term) continue;
    if (entry.index <= log_.last()) TruncateFrom(entry.index);
    AppendEntry(entry);
  }
  follower->matched = std::max({follower->matched, previous, commit_});
  CommitTo(std::min(append.commit, follower->matched));
  const Index match = std::min(follower->matched, durable_);
  follower->acknowledged = std::max(follower->acknowledged, match);
  SendDurable(envelope.from, envelope.from_incarnation, AppendReply{true, match, follower->matched, Index(), Term(), append.round});
  return absl::OkStatus();
}

void Raft::AcknowledgeDurable() {
  auto& follower = std::get<Follower>(role_);
  if (follower.leader.value == 0) return;
  const Index match = std::min(follower.matched, durable_);
  if (match <= follower.acknowledged) return;
  follower.acknowledged = match;
  SendDurable(follower.leader, follower.leader_incarnation,
              AppendReply{true, match, follower.matched, Index(), Term(), follower.round});
}

absl::Status Raft::ReadIndex(std::uint64_t context) {
  if (auto* leader = std::get_if<Leader>(&role_)) {
    if (leader->reads.size() >= options_.reads_max) return absl::ResourceExhaustedError("too many reads wait for a quorum");
    leader->reads.push_back({context, base::NodeId(), 0});
    return absl::OkStatus();
  }
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader.value == 0) return absl::FailedPreconditionError("no leader is known");
  // Contexts begin anew in each process. On the wire they bear its nonce, so that an answer to an earlier one, which may be older
  // than what was committed since, is none to this.
  Send(follower->leader, follower->leader_incarnation, ReadIndexAsk{context ^ options_.boot.value});
  return absl::OkStatus();
}

absl::Status Raft::OnReadIndexReply(const Envelope& envelope, const ReadIndexReply& reply) {
  const auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != envelope.from) return absl::AbortedError("ReadIndexReply not from the leader");
  output_.reads.push_back(ReadState{reply.context ^ options_.boot.value, reply.index});
  return absl::OkStatus();
}

}  // namespace drover::coord::raft
