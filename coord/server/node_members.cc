// Whom a node speaks to while members come and go, and how one learns that it is none any more.
#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "coord/base/hooks.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/node.h"
#include "coord/server/rolled_back.h"

namespace drover::coord::server {

raft::Configuration Node::Committed() const {
  return raft::DecodeConfiguration(configuration_.view()).value_or(raft::Configuration());
}

void Node::SetPeers() {
  if (members_known_ != std::pair(configuration_index_, raft_.configuration_index())) {
    members_known_ = {configuration_index_, raft_.configuration_index()};
    neighbours_.SetConfigurations(Committed(), raft_.configuration());
    levels_.Keep(raft_.configuration());
    was_member_ = was_member_ || neighbours_.Named(options_.id, raft_.options().incarnation);
    served_ = served_ || Committed().Names(options_.id, raft_.options().incarnation);
  }
  if (peers_version_ == neighbours_.version()) return;
  peers_version_ = neighbours_.version();
  links_.SetPeers(neighbours_.Addresses());
}

// Who speaks to this node and is not named by what it knows may be right: it may know more.
void Node::MeetStranger(const PeerHeader& header, const raft::Message* said) {
  if (header.from == options_.id || neighbours_.Named(header.from, header.from_incarnation)) return;
  if (neighbours_.Taken(header.from) && (said == nullptr || !IsOfPresentLife(*said))) return;
  neighbours_.Welcome(loop_->Now(), raft::Member{header.from, header.from_incarnation, header.address, false});
  SetPeers();
}

// Who leads is. And so is who campaigns and has all that this node has: an earlier life lacks what replaced it. Without an answer
// it could not be elected by those that were away while it was let in again, and perhaps nobody else can.
bool Node::IsOfPresentLife(const raft::Message& said) const {
  if (std::holds_alternative<raft::Append>(said.body)) {
    return said.envelope.term == raft_.term() && raft_.Inspect().leader == said.envelope.from;
  }
  if (DROVER_BREAK("strangers-cannot-ask")) return false;
  if (const auto* vote = std::get_if<raft::PreVote>(&said.body)) return raft_.UpToDate(vote->last_index, vote->last_term);
  if (const auto* vote = std::get_if<raft::Vote>(&said.body)) return raft_.UpToDate(vote->last_index, vote->last_term);
  return false;
}

std::string Node::OwnAddress() const {
  const raft::Member* const self = raft_.configuration().Find(options_.id);
  return self == nullptr || raft_.configuration().members.size() == 1 ? options_.address : self->address;
}

// ---- who has to go, and who may come ----

// In a cluster: a leader asks who is there, or a node without one asks whether it still belongs.
void Node::OnMemberHello(const PeerHeader& header, const Hello& hello) {
  if (hello.reply) return OnInvited(header, hello);
  if (header.from_incarnation.value == 0) {
    Hello reply = hello;
    reply.reply = true;
    reply.served = served_;
    return links_.Send(header.from, reply);
  }
  // Only who has applied something of the present reign, and so all that was committed before it, knows better than who asks.
  const bool knows = raft_.log().TermAt(applied_) == raft_.term() && configuration_index_ == raft_.configuration_index();
  if (raft_leader_.value == 0 || !knows) return;
  if (const raft::Member* member = raft_.configuration().Find(header.from);
      Leads() && member != nullptr && member->incarnation == header.from_incarnation &&
      copies_.OnAsked(loop_->Now(), header.from, header.from_boot, links_.AddressOf(header))) {
    return Dismiss(header, "it has a copy of the data directory of a member that runs elsewhere",
                   absl::StrCat(WhoThisIs(), "; node ", header.from.value, " runs at ", member->address,
                                " with the data directory of which this one has a copy: stop this one, and start it no more"));
  }
  if (neighbours_.IncarnationOf(header.from) == header.from_incarnation) return TellStanding(header.from);
  Dismiss(header, "it has the id of a member and an earlier data directory of it",
          absl::StrCat(WhoThisIs(), "; node ", header.from.value,
                       " is one of them with another data directory, which has taken the place of this one"));
}

void Node::TellStanding(base::NodeId to) {
  if (configuration_index_.value != 0) links_.Send(to, Standing{configuration_index_, configuration_});
}

// Who has a leader belongs to its cluster, whatever others say; but for that leader's own word.
void Node::OnStanding(const PeerHeader& header, const Standing& standing) {
  const bool leads = header.from == raft_leader_ && neighbours_.Named(header.from, header.from_incarnation);
  const absl::StatusOr<raft::Configuration> configuration = raft::DecodeConfiguration(standing.configuration.view());
  if (absl::IsUnimplemented(configuration.status())) return EndOutdated(configuration.status());
  if (!configuration.ok() || configuration->cluster != cluster_id() || (raft_leader_.value != 0 && !leads)) return;
  // What is older than what this node has applied says nothing new; what is older than its being let in speaks of an earlier life.
  if (standing.index < std::max(configuration_index_, let_in_)) return;
  if (configuration->Names(options_.id, raft_.options().incarnation)) return;
  Leave(*configuration);
}

void Node::AskForStanding() {
  if (!Leaderless() || dead_ || stopping_ || loop_->Now() - asked_standing_at_ < std::chrono::seconds(1)) return;
  asked_standing_at_ = loop_->Now();
  for (const auto& [id, address] : neighbours_.Addresses()) links_.Send(id, Hello{0, false, 0, "", {}});
}

// A configuration was applied: `before` was the last one.
void Node::OnConfigurationApplied(const raft::Configuration& before) {
  const raft::Configuration now = Committed();
  if (now.feature_level > before.feature_level) observer_->OnFeatureLevel(now.feature_level);
  if (started_ && now.members != before.members) observer_->OnMembers(now);
  if (raising_ && *raising_ <= applied_) raising_.reset();
  FinishChange();  // before the role changes: a leader that removed itself has done so
  SetPeers();
  if (Leads()) {
    for (const raft::Member& member : before.members) {
      // What a new leader applies may be long past.
      if (now.Find(member.id) != nullptr || raft_.configuration().Find(member.id) != nullptr) continue;
      neighbours_.Welcome(loop_->Now(), member);
      SetPeers();
      TellStanding(member.id);
    }
  }
  const base::Incarnation self = raft_.options().incarnation;
  // Who leads sends nothing of its removal to a member: whoever has that of a leader was let in again since.
  const base::NodeId leader = raft_.Inspect().leader;
  const bool follows = leader.value != 0 && leader != options_.id;
  if (was_member_ && !follows && !now.Names(options_.id, self) && !raft_.configuration().Names(options_.id, self)) Leave(now);
}

// It has forgotten what others count on, and so perhaps votes, too: it says nothing any more.
void Node::EndRolledBack(const absl::Status& lost) {
  if (std::exchange(dead_, true)) return;
  snapshot_seams_.executor->Submit(
      [files = snapshot_seams_.files, directory = options_.data_directory, lost] {
        static_cast<void>(MarkRolledBack(files, directory, lost.message()));
      },
      [self = std::weak_ptr<Node*>(self_), lost] {
        const auto node = self.lock();
        if (node == nullptr || !(*node)->on_refused_) return;
        (*node)->on_refused_(RolledBack((*node)->options_.data_directory, (*node)->options_.id, lost.message()));
      });
}

// What is still to be said goes out first; clients look for another node.
void Node::Leave(const raft::Configuration& without) {
  if (dead_ || leave_timer_.armed()) return;
  const bool replaced = without.Find(options_.id) != nullptr;
  const absl::Status why = absl::FailedPreconditionError(absl::StrCat(
      "node ", options_.id.value, " was ", replaced ? "readmitted with another data directory to" : "removed from", " cluster ",
      cluster_id().value, ", whose members are ", TextOf(MembersOf(without)), "; data directory ", options_.data_directory,
      " is of no use to it any more and is kept as it is. To bring this node back, give it an empty one and start it with --join"));
  Stop();
  leave_timer_.Set(options_.farewell, [this, why] {
    if (std::exchange(dead_, true)) return;
    if (on_refused_) on_refused_(why);
  });
}

}  // namespace drover::coord::server
