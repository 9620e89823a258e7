#include "coord/raft/invariants.h"

#include "absl/strings/str_cat.h"

namespace drover::coord::raft {
namespace {

absl::Status StateViolated(absl::string_view what) {
  return absl::InternalError(absl::StrCat("raft invariant violated: ", what));
}

}  // namespace

absl::Status CheckState(const State& state) {
  if (state.commit > state.last) return StateViolated("commit index is beyond the log");
  if (state.durable > state.last) return StateViolated("durable beyond the log");
  if (state.last_term > state.hard_state.term) return StateViolated("an entry of a later term than the node's own");
  if (state.held_first > state.commit.Next()) return StateViolated("an uncommitted entry is not in memory");
  if (state.held_first.value + state.held_entries != state.last.value + 1)
    return StateViolated("the entries in memory are not the log's end");
  if (state.role != RoleName::kLeader) {
    if (state.uncommitted_bytes != 0 || state.waiting_reads != 0 || state.first_of_term.value != 0 || state.transfer.value != 0) {
      return StateViolated("leader's data outside of a leader");
    }
    if (state.role != RoleName::kFollower && state.leader.value != 0) return StateViolated("a candidate that knows a leader");
    return absl::OkStatus();
  }
  if (state.first_of_term.value == 0 || state.first_of_term > state.last) return StateViolated("a leader without its no-op");
  if (state.last_term != state.hard_state.term) return StateViolated("the leader's last entry is not of its term");
  if (state.voters == 1 && state.voter && state.commit > state.durable) {
    return StateViolated("a sole voter committed what its own disk does not have");
  }
  if (state.commit == state.last && state.uncommitted_bytes != 0)
    return StateViolated("uncommitted bytes without an uncommitted entry");
  return absl::OkStatus();
}

absl::Status CheckStep(const State& before, const State& after) {
  if (after.hard_state.term < before.hard_state.term) return StateViolated("the term went back");
  if (after.hard_state.term == before.hard_state.term) {
    if (before.hard_state.vote.value != 0 && after.hard_state.vote != before.hard_state.vote)
      return StateViolated("two votes in one term");
    if (before.leader.value != 0 && after.leader.value != 0 && before.leader != after.leader)
      return StateViolated("two leaders in one term");
  }
  if (after.commit < before.commit) return StateViolated("the commit index went back");
  if (after.last < before.commit) return StateViolated("a committed entry was truncated");
  const bool same_reign =
      before.role == RoleName::kLeader && after.role == RoleName::kLeader && before.hard_state.term == after.hard_state.term;
  if (same_reign) {
    if (after.last < before.last) return StateViolated("a leader shortened its log");
    if (after.durable < before.durable) return StateViolated("a leader's durable index went back");
    if (after.first_of_term != before.first_of_term) return StateViolated("a leader's no-op moved");
  }
  // Leader completeness in small: the first entry committed in a reign is the reign's own (or lies behind it).
  if (after.role == RoleName::kLeader && after.commit > before.commit && after.commit < after.first_of_term) {
    return StateViolated("a leader committed an entry of an earlier term by counting");
  }
  return absl::OkStatus();
}

}  // namespace drover::coord::raft
