// What a leader is asked for: another member, one less, another leader. One at a time; the next step follows when the last is
// committed.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/hooks.h"
#include "coord/base/host_port.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/node.h"

namespace drover::coord::server {
namespace {

// Of an address: as a configuration may hold it, with some room.
constexpr std::size_t kAddressBytesMax = 512;

// How long it is believed that a node speaks with the id of a member, and another data directory.
constexpr base::Duration kOtherLifeWindow = std::chrono::seconds(10);

// Why nobody answers where `change` says, as far as can be guessed. `member`: what is known of it.
std::string WhatIsMissing(const raft::Member* member, const MemberChange& change) {
  const std::string readmit = absl::StrCat(
      "if its data directory was lost, start it with an empty one and --join, and readmit it: drover cluster member readmit ",
      change.id.value);
  if (member != nullptr && change.kind == MemberChange::Kind::kReadmit && member->address == change.address) {
    return "if its data directory is still there, start it with that: then it is not to be readmitted; if it was lost, start it "
           "there, "
           "with an empty directory and --join";
  }
  if (member == nullptr || change.kind == MemberChange::Kind::kReadmit) {
    return "start it there, with an empty directory and --join";
  }
  if (member->address == change.address) return absl::StrCat("it is a member; see that it runs there, or, ", readmit);
  return absl::StrCat("a member that moves is started there with its own data directory, as it was at ", member->address, "; ",
                      readmit);
}

// An address that means something to others.
absl::Status CheckReachable(absl::string_view address) {
  const absl::StatusOr<base::HostPort> parsed = base::ParseHostPort(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->port == 0 || parsed->host.empty() || parsed->host == "0.0.0.0" || parsed->host == "::") {
    return absl::InvalidArgumentError(absl::StrCat(address, " is no address that other nodes could dial"));
  }
  if (address.size() > kAddressBytesMax) return absl::InvalidArgumentError("the address is too long");
  return absl::OkStatus();
}

}  // namespace

absl::Status Node::CheckLeads() const {
  if (stopping_ || dead_) return absl::UnavailableError("this node is stopping; nothing was done");
  if (Leads()) return absl::OkStatus();
  if (raft_leader_.value == 0) return absl::UnavailableError("no leader is known to this node; nothing was done");
  const raft::Member* const leader = raft_.configuration().Find(raft_leader_);
  return absl::UnavailableError(absl::StrCat("node ", raft_leader_.value,
                                             leader == nullptr ? "" : absl::StrCat(" at ", leader->address), " leads, not node ",
                                             options_.id.value, ": ask it; nothing was done"));
}

void Node::ConfirmLeads(ChangeDone done) {
  const absl::Status leads = CheckLeads();
  if (!leads.ok()) return done(leads);
  // A linearizable read: a leader that is cut off gets no answer to it, and one that was deposed meanwhile is told by the next one.
  Execute(base::Bytes::Adopt(tree::EncodeSync({})),
          [self = std::weak_ptr<Node*>(self_), done = std::move(done)](const absl::StatusOr<base::Bytes>& answer) {
            const auto node = self.lock();
            if (node == nullptr) return done(absl::UnavailableError("this node has ended"));
            done(answer.ok() ? (*node)->CheckLeads() : answer.status());
          });
}

absl::Status Node::CheckSettled() const {
  if (change_) return absl::AbortedError("another change of the members is in progress: try again when it is done");
  if (transfer_) return absl::AbortedError("leadership is being handed over: try again when that is done");
  // These two are over by themselves: whoever asks does so again, as of one that leads no longer.
  if (raft_.commit() < raft_.Inspect().first_of_term && !DROVER_BREAK("change-before-noop")) {
    return absl::UnavailableError("this leader has only begun, and does not know yet what is committed: try again in a moment");
  }
  // (A change waits until the level that this leader raises is committed.)
  if (raft_.configuration_index() > raft_.commit() && raft_.configuration_index() != raising_) {
    return absl::UnavailableError("a change of the members that an earlier leader began is in progress: try again in a moment");
  }
  return absl::OkStatus();
}

// A change that still waits for a node's answer has done nothing; whoever asked for it may have gone, or seen that the address was
// wrong.
void Node::GiveWay() {
  const bool waits = change_ && change_->invitation && !change_->proposed;
  if (waits) EndChange(absl::AbortedError("something else was asked for meanwhile; nothing was done"));
}

bool Node::Answers(base::NodeId member) const {
  if (member == options_.id) return true;
  for (const raft::PeerState& peer : raft_.Peers()) {
    if (peer.id == member) return peer.answered && peer.silent < options_.raft.election_timeout;
  }
  return false;
}

bool Node::HasOtherLife(const raft::Member& member) const {
  const auto heard = other_lives_.find(member.id);
  return heard != other_lives_.end() && heard->second.incarnation != member.incarnation &&
         loop_->Now() - heard->second.at < kOtherLifeWindow;
}

void Node::ChangeMember(MemberChange change, ChangeDone done, std::optional<base::Duration> patience) {
  absl::Status refused = CheckLeads();
  if (refused.ok() && change.id.value == 0) refused = absl::InvalidArgumentError("a member's id is 1 or more");
  if (refused.ok() && !change.address.empty()) refused = CheckReachable(change.address);
  if (refused.ok()) {
    GiveWay();
    refused = CheckSettled();
  }
  if (!refused.ok()) return done(refused);
  for (const raft::Member& other : raft_.configuration().members) {
    if (other.id == change.id || other.address != change.address) continue;
    return done(absl::FailedPreconditionError(absl::StrCat(change.address, " is the address of node ", other.id.value)));
  }
  const raft::Member* const member = raft_.configuration().Find(change.id);
  switch (change.kind) {
    case MemberChange::Kind::kAdd:
      if (change.address.empty()) return done(absl::InvalidArgumentError("the address of the new member is missing"));
      // Of another one, whoever is there is asked: it may have lost what made it a member.
      if (change.id == options_.id && member != nullptr && member->address == change.address) return done(absl::OkStatus());
      break;
    case MemberChange::Kind::kReadmit:
      if (change.id == options_.id && member != nullptr) {
        // It leads, so it has its own directory, and there is nobody to be asked.
        if (change.address.empty() || change.address == OwnAddress()) return done(absl::OkStatus());
        return done(absl::FailedPreconditionError(absl::StrCat("node ", change.id.value, " leads, at ", OwnAddress(),
                                                               ", with its own data directory; nothing was done")));
      }
      if (member != nullptr && change.address.empty()) change.address = member->address;
      if (change.address.empty()) {
        return done(absl::NotFoundError(absl::StrCat("node ", change.id.value, " is no member: give its address, too")));
      }
      break;
    case MemberChange::Kind::kPromote:
      if (member != nullptr && HasOtherLife(*member)) return done(OtherLife(change.id));
      break;
    case MemberChange::Kind::kRemove:
      break;
  }
  const base::Instant deadline =
      loop_->Now() + std::min(options_.invitation_patience, patience.value_or(options_.invitation_patience));
  change_ = std::make_unique<PendingChange>(PendingChange{std::move(change), deadline, std::move(done), nullptr, {}, {}, {}});
  WantTurn();
}

void Node::Invite() {
  const raft::Configuration members = WithOwnAddress(raft_.configuration());
  if (const absl::Status own = CheckReachable(members.Find(options_.id)->address); !own.ok()) {
    return EndChange(absl::FailedPreconditionError(absl::StrCat("the leader, node ", options_.id.value,
                                                                ", cannot be reached by others: ", own.message(),
                                                                "; start it with --advertise HOST:PORT first")));
  }
  if (dialer_ == nullptr) return EndChange(absl::FailedPreconditionError("this node was started without a way to others"));
  Invitation::Letter letter{cluster_id(),
                            options_.id,
                            change_->change.id,
                            change_->change.address,
                            TextOf(MembersOf(members)),
                            NextNotZero(random_),
                            raft_.configuration().feature_level,
                            options_.raft.feature_level_max};
  // Its end may be the end of this very object.
  const std::uint64_t round = letter.round;
  change_->invitation =
      std::make_unique<Invitation>(loop_, dialer_, options_.links, std::move(letter), [this, round](const absl::Status& why) {
        loop_->Post([self = std::weak_ptr<Node*>(self_), round, why] {
          const auto node = self.lock();
          PendingChange* const change = node ? (*node)->change_.get() : nullptr;
          const bool same = change != nullptr && change->invitation && change->invitation->letter().round == round;
          if (same) (*node)->EndChange(why);
        });
      });
}

// The address of a node that is alone is nobody's business but its own, and may be another one than when it began.
raft::Configuration Node::WithOwnAddress(raft::Configuration configuration) const {
  if (raft_.configuration().members.size() > 1) return configuration;
  for (raft::Member& member : configuration.members) {
    if (member.id == options_.id && !options_.address.empty()) member.address = options_.address;
  }
  return configuration;
}

std::string Node::WhyUnreached() const {
  if (change_->invitation == nullptr || change_->invitation->unreached().empty()) return "";
  return absl::StrCat(" (node ", options_.id.value,
                      ", which leads, does not reach that address: ", change_->invitation->unreached(), ")");
}

bool Node::AwaitsHello(base::NodeId from) const {
  return change_ && change_->change.id == from &&
         (change_->change.kind == MemberChange::Kind::kAdd || change_->change.kind == MemberChange::Kind::kReadmit);
}

void Node::OnInvited(const PeerHeader& header, const Hello& hello) {
  if (!change_ || !change_->invitation) return;
  const Invitation::Letter& letter = change_->invitation->letter();
  // What answers an earlier one says nothing of who is at this address.
  if (hello.round != letter.round) return;
  if (header.from != letter.to) {
    return EndChange(absl::FailedPreconditionError(
        absl::StrCat("node ", header.from.value, " is at ", letter.address, ", not node ", letter.to.value)));
  }
  if (hello.served && !raft_.configuration().Names(header.from, header.from_incarnation)) {
    DROVER_PROBE("server: who belonged to the cluster is not added with its directory of that time");
    return EndChange(UsedDirectory(header.from, letter.address));
  }
  const absl::Status knows = CheckKnowsLevel(header.from, header.feature_level_max, letter.address);
  if (!knows.ok()) {
    DROVER_PROBE("server: a program that is too old is not added");
    return EndChange(knows);
  }
  // Nobody who could be started again with an older program: it has yet to promise, and is asked again.
  const base::FeatureLevel promised = std::max(header.feature_level_promised, base::kFirstFeatureLevel);
  if (promised < raft_.configuration().feature_level) {
    DROVER_PROBE("server: who is to be added has yet to promise");
    return;
  }
  change_->promised = promised;
  change_->change.incarnation = header.from_incarnation;
  other_lives_[header.from] = {header.from_incarnation, loop_->Now()};  // whatever was heard before: this is who is there now
  change_->invitation.reset();
  WantTurn();
}

void Node::EndChange(const absl::Status& status) {
  const std::unique_ptr<PendingChange> change = std::exchange(change_, nullptr);
  change->done(status);
}

// Towards what was asked for, as far as it goes now.
void Node::AdvanceChange() {
  if (!change_ || dead_ || !Leads()) return;
  const MemberChange& change = change_->change;
  if (change_->proposed || raft_.configuration_index() > raft_.commit()) return;
  const bool asks = change.kind == MemberChange::Kind::kAdd || change.kind == MemberChange::Kind::kReadmit;
  // The level was raised since it answered.
  if (asks && change_->promised < raft_.configuration().feature_level) change_->change.incarnation = base::Incarnation();
  if (asks && change.incarnation.value == 0) {
    if (loop_->Now() >= change_->deadline) {
      return EndChange(absl::UnavailableError(absl::StrCat("node ", change.id.value, " does not answer at ", change.address, ": ",
                                                           WhatIsMissing(raft_.configuration().Find(change.id), change),
                                                           WhyUnreached(), "; nothing was done")));
    }
    if (change_->invitation == nullptr) Invite();
    return;
  }
  const absl::StatusOr<std::optional<raft::Configuration>> next = NextConfiguration(raft_.configuration(), change);
  if (!next.ok() || !*next) return EndChange(next.status());
  absl::Status allowed = change.kind == MemberChange::Kind::kPromote ? CheckCaughtUp(change.id) : absl::OkStatus();
  if (allowed.ok() && change.kind == MemberChange::Kind::kPromote) {
    const raft::Member& learner = *raft_.configuration().Find(change.id);
    const std::optional<base::FeatureLevel> known = levels_.KnownBy(learner);
    if (known) allowed = CheckKnowsLevel(learner.id, *known, learner.address);
  }
  if (allowed.ok()) allowed = CheckAnswering(**next);
  if (!allowed.ok()) return EndChange(allowed);
  change_->entry = raft::EncodeConfiguration(WithOwnAddress(**next));
  const absl::StatusOr<raft::Index> index = raft_.Propose(raft::EntryKind::kConfig, change_->entry);
  if (!index.ok()) return EndChange(absl::AbortedError(absl::StrCat(index.status().message(), ": try again in a moment")));
  change_->proposed = *index;
}

// Also of a leader that removed itself, and so leads no longer.
void Node::FinishChange() {
  if (!change_ || !change_->proposed || applied_ < *change_->proposed) return;
  const raft::Index proposed = *std::exchange(change_->proposed, std::nullopt);
  // If it is another leader's, the role changes in a moment.
  if (configuration_index_ != proposed || configuration_ != change_->entry) return;
  const MemberChange& change = change_->change;
  const bool more = change.kind == MemberChange::Kind::kReadmit && !Committed().Names(change.id, change.incarnation);
  if (!more) return EndChange(absl::OkStatus());
  WantTurn();
}

// Whoever has not answered this leader is not known to live, though its silence has only begun to be counted: a change that counted
// on it could never be committed, nor undone.
absl::Status Node::CheckAnswering(const raft::Configuration& next) const {
  std::set<base::NodeId> answering = {options_.id};
  bool undecided = false;
  for (const raft::PeerState& peer : raft_.Peers()) {
    if (peer.silent >= options_.raft.election_timeout) continue;
    if (peer.answered) answering.insert(peer.id);
    undecided = undecided || !peer.answered;
  }
  const absl::Status quorum = CheckQuorum(next, answering);
  if (quorum.ok() || !undecided) return quorum;
  return absl::UnavailableError("this leader has only begun, and does not know yet which members answer: try again in a moment");
}

// One that is far behind would count as a voter long before its word helps to commit anything.
absl::Status Node::CheckCaughtUp(base::NodeId learner) const {
  for (const raft::PeerState& peer : raft_.Peers()) {
    if (peer.id != learner) continue;
    if (peer.silent >= options_.raft.election_timeout) {
      return absl::AbortedError(absl::StrCat("node ", learner.value, " does not answer: try again when it does"));
    }
    const std::uint64_t behind = raft_.log().last().value - std::min(peer.match, raft_.log().last()).value;
    // What made it a learner it must have itself: as long as it has acknowledged nothing it may not even have begun.
    if (peer.match < configuration_index_ && behind <= options_.promotion_lag_max) {
      return absl::AbortedError(absl::StrCat("node ", learner.value,
                                             " has not yet acknowledged that it belongs to the cluster, and is ", behind,
                                             " entries behind: try again when it has"));
    }
    if (behind <= options_.promotion_lag_max && !peer.needs_snapshot) break;
    return absl::AbortedError(absl::StrCat("node ", learner.value, " is ", behind, " entries behind, and may be ",
                                           options_.promotion_lag_max, ": try again when it has caught up"));
  }
  return absl::OkStatus();
}

void Node::TransferLeadership(base::NodeId to, ChangeDone done) {
  absl::Status refused = CheckLeads();
  if (refused.ok() && to == options_.id) return done(absl::OkStatus());
  if (refused.ok()) {
    GiveWay();
    refused = CheckSettled();
  }
  if (!refused.ok()) return done(refused);
  const base::NodeId target = to.value == 0 ? Successor() : to;
  const raft::Member* const member = raft_.configuration().Find(target);
  if (to.value == 0 && target.value == 0) {
    refused = absl::FailedPreconditionError("no other voter answers");
  } else if (member == nullptr) {
    refused = absl::NotFoundError(absl::StrCat("node ", target.value, " is no member"));
  } else if (!member->voter) {
    refused = absl::FailedPreconditionError(absl::StrCat("node ", target.value, " is a learner: promote it first"));
  } else if (!Answers(target)) {
    refused = absl::FailedPreconditionError(absl::StrCat("node ", target.value, " does not answer"));
  } else if (log_writer_.disk_full() && !OthersHaveSpace()) {
    refused = absl::FailedPreconditionError(absl::StrCat(
        "the disk of node ", options_.id.value,
        ", which leads, is full, and most others have not written down what it could not: their disks may be full, too, "
        "and then nobody could be elected and reads would end. Make space first"));
  } else {
    refused = raft_.TransferLeadership(target);
  }
  if (!refused.ok()) return done(refused);
  transfer_ = std::make_unique<PendingTransfer>(PendingTransfer{target, {}, std::move(done)});
  WantTurn();
}

// The voter that answers and has the most.
base::NodeId Node::Successor() const {
  base::NodeId best;
  raft::Index match;
  for (const raft::PeerState& peer : raft_.Peers()) {
    const raft::Member* member = raft_.configuration().Find(peer.id);
    const bool alive = peer.silent < options_.raft.election_timeout / 2;
    if (member == nullptr || !member->voter || !alive || peer.match < match) continue;
    best = peer.id;
    match = peer.match;
  }
  return best;
}

// Enough voters for an election without this one, whose vote would find no space, have written down what it could not. Handed on to
// one that nobody can vote for, the leadership would be lost, and the reads with it.
bool Node::OthersHaveSpace() const {
  std::size_t able = 0;
  for (const raft::PeerState& peer : raft_.Peers()) {
    const raft::Member* member = raft_.configuration().Find(peer.id);
    able += member != nullptr && member->voter && Answers(peer.id) && peer.match >= full_since_ ? 1 : 0;
  }
  return able > raft_.Inspect().voters / 2;
}

void Node::AdvanceTransfer() {
  if (!transfer_) return;
  const auto end = [this](const absl::Status& status) {
    const std::unique_ptr<PendingTransfer> transfer = std::exchange(transfer_, nullptr);
    transfer->done(status);
  };
  const base::NodeId target = transfer_->target;
  if (raft_leader_ == target) return end(absl::OkStatus());
  if (Leads() && raft_.Inspect().transfer != target) {
    return end(absl::AbortedError(
        absl::StrCat("node ", target.value, " did not take over in time; node ", options_.id.value, " leads on")));
  }
  if (!Leads() && raft_leader_.value != 0) {
    return end(absl::AbortedError(absl::StrCat("node ", raft_leader_.value, " took over, not node ", target.value)));
  }
  if (Leads()) return;
  if (!transfer_->deposed) transfer_->deposed = loop_->Now();
  if (loop_->Now() - *transfer_->deposed >= options_.leaderless_patience) {
    end(absl::UnavailableError(absl::StrCat("node ", options_.id.value, " leads no longer, and who does is not known here yet")));
  }
}

}  // namespace drover::coord::server
