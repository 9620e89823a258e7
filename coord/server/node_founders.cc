// A cluster that begins with a restored state begins with one voter: whoever has the state. The others have nothing yet, and two of
// them together must not be able to decide anything; so they are learners, and voters as soon as they have what the leader has.
#include <algorithm>

#include "coord/server/node.h"

namespace drover::coord::server {
namespace {

// Entries that a learner may be behind when it is made a voter: what is on its way under load.
constexpr std::uint64_t kBehindMax = 64;

}  // namespace

// One at a time: Raft refuses the next until the last is committed.
void Node::PromoteFounders() {
  if (dead_ || stopping_ || !Leads()) return;
  const raft::Configuration& members = raft_.configuration();
  const auto is_learner = [](const raft::Member& member) { return !member.voter; };
  if (std::none_of(members.members.begin(), members.members.end(), is_learner)) return;
  const absl::StatusOr<raft::Configuration> founding = Founding();
  if (!founding.ok()) return;
  for (const raft::PeerState& peer : raft_.Peers()) {
    const raft::Member* const founder = founding->Find(peer.id);
    const raft::Member* const member = members.Find(peer.id);
    if (founder == nullptr || founder->voter || member == nullptr || member->voter) continue;
    if (founder->incarnation != member->incarnation) continue;  // another one, that somebody has added since
    // What the log no longer has is in the snapshot, and the state that all began with is.
    const bool has_state = !peer.needs_snapshot && !peer.probing && peer.match >= raft_.log().terms().before();
    const bool is_near = peer.match.value + kBehindMax >= raft_.log().last().value;
    if (!has_state || !is_near || peer.silent >= options_.raft.election_timeout) continue;
    raft::Configuration next = members;
    for (raft::Member& m : next.members) m.voter = m.voter || m.id == peer.id;
    static_cast<void>(raft_.Propose(raft::EntryKind::kConfig, raft::EncodeConfiguration(next)));  // else at the next tick
    return;
  }
}

}  // namespace drover::coord::server
