// What goes between the nodes besides the messages of the consensus core: forwarded batches, news of sessions, formation.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/hooks.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/node.h"

namespace drover::coord::server {

base::ConnectionEvents* Node::AcceptPeer(std::unique_ptr<base::Connection> connection, std::string address) {
  if (stopping_ || dead_) {
    connection->Close(absl::UnavailableError("this node is stopping"));
    return nullptr;
  }
  return links_.Accept(std::move(connection), std::move(address));
}

void Node::OnPeerFrame(PeerFrame frame) {
  if (dead_) return;
  const PeerHeader& header = frame.header;
  if (header.cluster.value != 0 && header.cluster != cluster_id()) {
    return Dismiss(header, absl::StrCat("it is of another cluster, ", header.cluster.value),
                   absl::StrCat(WhoThisIs(), ", and node ", header.from.value, " of cluster ", header.cluster.value));
  }
  if (header.cluster.value == 0) {
    // Of no cluster yet: what it says of itself counts for nothing but the answer.
    for (const PeerItem& item : frame.items) {
      if (const auto* hello = std::get_if<Hello>(&item)) OnHello(header, *hello);
    }
    return WantTurn();
  }
  if (header.from_incarnation.value == 0) {
    // A leader's question to whoever listens here.
    for (const PeerItem& item : frame.items) {
      if (const auto* hello = std::get_if<Hello>(&item)) OnMemberHello(header, *hello);
    }
    return WantTurn();
  }
  if (header.to != options_.id) {
    OnStranger(header, absl::StrCat("it takes this node for node ", header.to.value));
    return links_.Decline(header, absl::StrCat("node ", options_.id.value, " is there, not node ", header.to.value,
                                               ": start each node at its own address, or announce the new one (drover cluster "
                                               "member add ID=HOST:PORT)"));
  }
  MeetStranger(header, nullptr);
  HearLevels(header);
  for (PeerItem& item : frame.items) {
    if (auto* raft = std::get_if<RaftItem>(&item)) {
      const raft::Message message = MessageOf(header, std::move(*raft));
      const bool member = raft_.configuration().Names(header.from, header.from_incarnation);
      if (member && std::holds_alternative<raft::AppendReply>(message.body)) {
        copies_.OnAnswer(loop_->Now(), header.from, header.from_boot);
      }
      const absl::Status status = raft_.Step(message);
      if (absl::IsUnimplemented(status)) return EndOutdated(status);
      MeetStranger(header, &message);
      if (absl::IsFailedPrecondition(status)) OnStranger(header, status.message());
      if (absl::IsInvalidArgument(status)) observer_->OnDamage(status);
      if (absl::IsDataLoss(status)) return EndRolledBack(status);
    } else if (auto* forward = std::get_if<Forward>(&item)) {
      OnForward(header, std::move(*forward));
    } else if (const auto* touch = std::get_if<Touch>(&item)) {
      OnTouch(header, *touch);
    } else if (const auto* chunk = std::get_if<SnapshotChunk>(&item)) {
      OnSnapshotChunk(header, *chunk);
    } else if (const auto* taken = std::get_if<SnapshotAck>(&item)) {
      sender_.OnAck(header.from, *taken);
    } else if (const auto* hello = std::get_if<Hello>(&item)) {
      OnMemberHello(header, *hello);
    } else if (const auto* standing = std::get_if<Standing>(&item)) {
      OnStanding(header, *standing);
    } else if (const auto* ack = std::get_if<TouchAck>(&item)) {
      if (header.from != raft_leader_) continue;
      for (const Touches::Confirmed& confirmed : touches_.OnAck(*ack)) {
        ConfirmLocal(confirmed.session, confirmed.stream, confirmed.contact);
      }
    }
  }
  clock_.Heard(header.from, header.clock, loop_->Now());
  WantTurn();
}

std::string Node::WhoThisIs() const {
  return absl::StrCat("node ", options_.id.value, " is of cluster ", cluster_id().value, " with the members ",
                      TextOf(MembersOf(raft_.configuration())));
}

bool Node::IsAnother(base::NodeId id, base::Incarnation incarnation) const {
  const raft::Member* const member = raft_.configuration().Find(id);
  return member != nullptr && member->incarnation != incarnation;
}

void Node::Dismiss(const PeerHeader& from, absl::string_view why, absl::string_view word) {
  OnStranger(from, why);
  links_.Dismiss(from, word);
}

void Node::OnDismissed(base::NodeId peer, const absl::Status& why) {
  if (dead_) return;
  dismissals_.OnDismissed(loop_->Now(), peer, why.message());
  observer_->OnDismissed(peer, why.message());
}

// Nothing follows from it: the peer may be where another one was.
void Node::OnDeclined(base::NodeId peer, const absl::Status& why) {
  observer_->OnDismissed(peer, why.message());
}

// A node of another cluster's directory has no quorum among these members, and is refused by those it takes for its own. One that
// has a quorum, or had one a moment ago, is right whatever others say: a stranger ends no member.
void Node::EndIfForeign() {
  if (raft_leader_.value != 0) dismissals_.Clear();
  if (!Leaderless() || dead_) return;
  const absl::Status verdict = dismissals_.Verdict(loop_->Now(), raft_.configuration());
  if (verdict.ok()) return;
  dead_ = true;
  if (!on_refused_) return;
  on_refused_(absl::FailedPreconditionError(
      absl::StrCat("data directory ", options_.data_directory, " is of cluster ", cluster_id().value, ", and ", verdict.message(),
                   "; give this node its directory of that cluster, or the others theirs of this one; this one is kept as it "
                   "is")));
}

void Node::OnStranger(const PeerHeader& from, absl::string_view why) {
  observer_->OnStranger(from.from, links_.AddressOf(from), why);
}

void Node::OnLinkReset(base::NodeId peer, base::Incarnation incarnation) {
  // Who only bears a member's id says nothing about it by dying.
  if (dead_ || (incarnation != base::Incarnation() && IsAnother(peer, incarnation))) return;
  raft_.OnLinkReset(peer);
  if (peer == raft_leader_ && peer != options_.id) {
    FailHandedOver(absl::UnavailableError("the link to the leader broke: the outcome is unknown here; resume"));
    touches_.Restart(Attachments());
  }
  WantTurn();
}

void Node::OnLinkUp(base::NodeId) {
  WantTurn();  // what waits for the leader may go
}

void Node::OnBadFrame(const absl::Status& status) {
  observer_->OnDamage(status);
}

void Node::OnForward(const PeerHeader& header, Forward forward) {
  // Of an earlier term: the sender has learnt of the new one, or will, and takes the outcome for unknown.
  if (!Leads() || forward.term != raft_.term()) return;
  Inbox& inbox = inboxes_[header.from];
  const bool begins = inbox.boot != header.from_boot || forward.generation > inbox.generation;
  if (begins) inbox = Inbox{header.from_boot, forward.generation, 0, {}};
  if (forward.generation != inbox.generation || forward.sequence != inbox.sequence + 1) return;
  ++inbox.sequence;
  tree::BatchView view;
  if (!tree::BatchView::Parse(forward.commands.view(), &view)) {
    observer_->OnDamage(absl::InvalidArgumentError(absl::StrCat("node ", header.from.value, " forwards a malformed batch")));
    return;
  }
  // In the log it would end every node whose program does not know it, this one first.
  if (!view.OnlyKnownCommands()) {
    observer_->OnDamage(absl::InvalidArgumentError(
        absl::StrCat("node ", header.from.value, " forwards a command that this program does not know")));
    return;
  }
  inbox.batches.push_back({std::move(forward.commands), view.command_count, 0});
}

void Node::OnTouch(const PeerHeader& header, const Touch& touch) {
  if (!Leads()) return;
  const base::Instant now = loop_->Now();
  for (const Attachment& a : touch.attached) leases_.Attach(now, a.session, Place{header.from, StreamId(a.stream)}, a.attach);
  for (base::SessionId session : touch.contacts) leases_.Contact(now, session);
  for (const Attachment& a : touch.broken) leases_.LinkBroke(now, a.session, Place{header.from, StreamId(a.stream)});
  want_round_touches_.push_back({header.from, touch.sequence, touch.contacts});
}

// The other members of a restored cluster do not have the state, and so do not say that they belong to it; their list does. But
// while this node's own cluster has a leader, they may as well be members of that one that lost their directories.
bool Node::BeginsAnew(const Hello& hello) {
  if (hello.restored.value != 0) {
    if (hello.restored == cluster_id()) return false;
    renewal_ = Renewal{hello.restored, hello.members, loop_->Now()};
    return true;
  }
  return renewal_ && raft_leader_.value == 0 && hello.members == renewal_->members &&
         loop_->Now() - renewal_->heard < options_.renewal_window;
}

// A node that has no log asks who it is. The first entry's members may have it; anybody else's place is taken.
void Node::OnHello(const PeerHeader& header, const Hello& hello) {
  if (hello.reply || AwaitsHello(header.from)) return OnInvited(header, hello);
  if (BeginsAnew(hello)) {
    OnStranger(
        header,
        absl::StrCat("it is to be a member of cluster ", renewal_->cluster.value,
                     ", which begins with a restored state, and the data directory of this node is of cluster ", cluster_id().value,
                     ": if this node is to be a member of the new one, stop it, move its directory away and start it "
                     "with an empty one"));
    // Whoever has the state hears by this that this node is none of its members yet.
    if (hello.restored.value != 0) links_.Send(header.from, Hello{hello.round, true, 0, "", {}});
    return;
  }
  const absl::StatusOr<raft::Configuration> founding = Founding();
  if (founding.ok() && founding->Names(header.from, header.from_incarnation)) {
    links_.Send(header.from, Found{founding_});
  } else if (raft_.configuration().Names(header.from, header.from_incarnation) ||
             (DROVER_BREAK("wiped-node-votes") && raft_.configuration().Find(header.from) != nullptr)) {
    // Committed or not: whoever is to vote for it must begin first, and does no harm by it.
    links_.Send(header.from, Standing{raft_.configuration_index(), raft::EncodeConfiguration(raft_.configuration())});
  } else if (raft_.configuration().Find(header.from) == nullptr) {
    const std::string why =
        absl::StrCat("it was started with --initial-cluster ", hello.members, " and is no member of this cluster");
    Dismiss(header, why,
            absl::StrCat(WhoThisIs(), ", and node ", header.from.value, ", started with --initial-cluster ", hello.members,
                         ", is none of them: give it the list of its own cluster"));
  } else {
    other_lives_[header.from] = {header.from_incarnation, loop_->Now()};
    Dismiss(header, "it has the id of a member and another data directory",
            absl::StrCat(WhoThisIs(), "; node ", header.from.value,
                         " is one of them with another data directory: its own was lost or replaced. Give it back its own, as it "
                         "was last; or, if that is lost, leave it this one and let it in as a new member: drover cluster member "
                         "readmit ",
                         header.from.value, ". Until then the cluster goes on without it as long as most of the others run"));
  }
}

std::vector<PeerStatus> Node::PeerStatuses() const {
  std::vector<PeerStatus> statuses;
  const std::vector<raft::PeerState> followers = raft_.Peers();
  for (const raft::Member& member : raft_.configuration().members) {
    if (member.id == options_.id) continue;
    PeerStatus status{member.id, std::nullopt, links_.queued_bytes(member.id)};
    for (const raft::PeerState& follower : followers) {
      if (follower.id == member.id) status.lag_entries = raft_.log().last().value - follower.match.value;
    }
    statuses.push_back(status);
  }
  return statuses;
}

void Node::FlushLinks() {
  if (dead_) return;
  SetPeers();
  PeerHeader header;
  header.cluster = cluster_id();
  header.from = options_.id;
  header.from_incarnation = raft_.options().incarnation;
  header.from_boot = raft_.options().boot;
  header.clock = loop_->WallNow();
  header.address = OwnAddress();
  SayLevels(&header);
  links_.Flush(header, [this](base::NodeId peer) { return neighbours_.IncarnationOf(peer); });
}

// ---- sessions ----

Attachment Node::AttachmentOf(base::SessionId session, StreamId stream) const {
  const auto home = stream_of_.find(session);
  const bool newest = home != stream_of_.end() && home->second.stream == stream;
  return Attachment{session, stream.value, newest ? home->second.attach : 0};
}

std::vector<Attachment> Node::Attachments() const {
  std::vector<Attachment> attachments;
  attachments.reserve(stream_of_.size());
  for (const auto& [session, home] : stream_of_) attachments.push_back({session, home.stream.value, home.attach});
  return attachments;
}

void Node::Attached(base::SessionId session, StreamId stream, std::uint64_t attach) {
  Home& home = stream_of_[session];
  const StreamId older = std::exchange(home, Home{stream, attach}).stream;
  if (SessionStream* machine = FindMachine(older)) machine->OnReplaced();
  if (Leads()) {
    leases_.Attach(loop_->Now(), session, Place{options_.id, stream}, attach);
  } else {
    touches_.Attached(Attachment{session, stream.value, attach});
    WantTurn();
  }
}

void Node::Heard(StreamId stream, base::SessionId session) {
  const auto home = stream_of_.find(session);
  if (home == stream_of_.end() || home->second.stream != stream) return;  // the client is elsewhere by now
  if (Leads()) {
    leases_.Contact(loop_->Now(), session);
  } else {
    touches_.Heard(session);
  }
}

void Node::WantConfirmation(StreamId stream, base::SessionId session, std::uint64_t contact) {
  if (DROVER_BREAK("ack-contact-without-quorum")) return ConfirmLocal(session, stream, contact);
  if (Leads()) {
    want_round_contacts_.push_back({stream, session, contact});
  } else {
    touches_.Contact(session, stream, contact);
  }
  WantTurn();
}

void Node::LinkBroke(StreamId stream, base::SessionId session) {
  if (session.value == 0) return;
  if (Leads()) {
    leases_.LinkBroke(loop_->Now(), session, Place{options_.id, stream});
  } else {
    touches_.LinkBroke(AttachmentOf(session, stream));
    WantTurn();
  }
}

void Node::ConfirmLocal(base::SessionId session, StreamId stream, std::uint64_t contact) {
  SessionStream* machine = FindMachine(stream);
  if (machine != nullptr && machine->session() == session) machine->OnContactConfirmed(contact);
}

void Node::SendTouchesIfDue() {
  if (dead_ || Leads() || raft_leader_.value == 0 || touches_.empty() || !links_.connected(raft_leader_)) return;
  if (loop_->Now() - touched_at_ < options_.touch_interval) return;  // the next tick comes soon enough
  touched_at_ = loop_->Now();
  links_.Send(raft_leader_, touches_.Take());
}

}  // namespace drover::coord::server
