// Members that come and go, and disks that are replaced.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/run/machines.h"

namespace drover::sim::run {

using coord::server::Node;
using std::chrono::milliseconds;

namespace {

// Whoever has only begun to lead is asked until it knows what is committed, or a little longer than an election takes.
constexpr base::Duration kAskedEvery = milliseconds(3);
constexpr base::Duration kAskedAgain = milliseconds(1'500);
// Of so many times that a node is started one comes after the disk should have been emptied, and was not.
constexpr std::uint64_t kForgets = 4;

}  // namespace

const coord::raft::Member* Machines::Member(int id) const {
  const coord::raft::Member* const member = invariants_.configuration().Find(base::NodeId(static_cast<std::uint64_t>(id)));
  const Node* const n = node(id);
  const bool other = member != nullptr && n != nullptr && n->raft().options().incarnation != member->incarnation;
  return other ? nullptr : member;
}

bool Machines::MembersRest() const {
  for (int id = 1; id <= size(); ++id) {
    if (lost(id) || At(id).asks > 0) return false;
    const Node* const n = node(id);
    if (n != nullptr && Member(id) != nullptr && n->raft().configuration() != invariants_.configuration()) return false;
    if (n == nullptr && Member(id) != nullptr) return false;
  }
  return true;
}

void Machines::ChangeMembers(int leader, base::Random* random, std::optional<std::size_t> wanted) {
  using coord::server::MemberChange;
  if (leader == 0 || node(leader) == nullptr) return;
  const coord::raft::Configuration now = node(leader)->raft().configuration();
  std::vector<int> learners, voters, others;
  for (int id = 1; id <= size(); ++id) {
    const coord::raft::Member* const member = now.Find(base::NodeId(static_cast<std::uint64_t>(id)));
    (member == nullptr ? others : member->voter ? voters : learners).push_back(id);
  }
  const auto pick = [random](const std::vector<int>& from) { return from[random->Below(from.size())]; };
  MemberChange change;
  int id = 0;
  base::Incarnation former;  // of the disk with which a node that was removed returns; 0: it has another one
  const bool more = wanted && voters.size() < *wanted;
  const bool less = wanted && voters.size() > *wanted;
  if (!learners.empty() && !less && (more || random->Below(3) > 0)) {
    change.kind = MemberChange::Kind::kPromote;
    id = pick(learners);
  } else if (!others.empty() && !less && (more || voters.size() < 2 || random->Below(2) == 0)) {
    id = pick(others);
    Machine& machine = At(id);
    if (machine.off) return;
    const bool waits = machine.member.process != nullptr && node(id) == nullptr;
    if (!waits) {
      // Of one that was a member once, the disk is of no use; but it may be a member again by a change that is still under way.
      if (machine.boots > 0 && !MembersRest()) return;
      if (machine.member.process != nullptr) Crash(id, Survival::kEverything, milliseconds(0));
      // Now and then somebody forgets to empty it.
      const bool forgets = machine.boots % kForgets == kForgets - 1;
      if (!forgets) NewDisk(&machine);
      machine.joins = true;
      if (!plan_.levels.empty() && !forgets) {
        const std::uint64_t above = base::kNewestFeatureLevel.value - base::kFirstFeatureLevel.value;
        const auto level = static_cast<std::uint32_t>(base::kFirstFeatureLevel.value + random->Below(above + 1));
        machine.level = random->Below(2) == 0 ? base::kNewestFeatureLevel : base::FeatureLevel(level);
      }
      Start(id);
      if (forgets && node(id) != nullptr) former = node(id)->raft().options().incarnation;
      // It has yet to promise the level, and cannot.
      if (!plan_.levels.empty() && random->Below(4) == 0) {
        FillDisk(id, random->Below(20), milliseconds(200 + random->Below(3'000)));
      }
    }
    change.address = PeerAddress(id);
  } else {
    if (voters.size() < 2 || lost_count() > 0) return;
    change.kind = MemberChange::Kind::kRemove;
    id = random->Below(3) == 0 ? leader : pick(random->Below(4) == 0 && !learners.empty() && !less ? learners : voters);
  }
  change.id = base::NodeId(static_cast<std::uint64_t>(id));
  static constexpr const char* kNames[] = {"add", "readmit", "promote", "remove"};
  const char* const name = kNames[static_cast<int>(change.kind)];
  journal_->Note("node ", leader, " is asked to ", name, " node ", id);
  Ask(leader, change, [this, name, id, leader, former](const absl::Status& status) {
    journal_->Note(name, " node ", id, ": ", status.ok() ? "done" : status.message());
    if (!status.ok() || former.value == 0 || node(leader) == nullptr) return;
    if (!node(leader)->raft().configuration().Names(base::NodeId(static_cast<std::uint64_t>(id)), former)) return;
    journal_->Fail(absl::InternalError(absl::StrCat("node ", id, " was removed, and added again with its disk of that time")));
  });
}

// A process that stands still takes the call, and acts on it later.
void Machines::Ask(int leader, const coord::server::MemberChange& change, std::function<void(const absl::Status&)> done) {
  ++At(leader).asks;
  AskAgain(leader, change, world_->Now() + kAskedAgain,
           [this, leader, process = At(leader).process, done = std::move(done)](const absl::Status& status) {
             if (At(leader).process == process) --At(leader).asks;
             done(status);
           });
}

void Machines::AskAgain(int leader, const coord::server::MemberChange& change, base::Instant until,
                        std::function<void(const absl::Status&)> done) {
  const std::uint64_t process = At(leader).process;
  const coord::raft::Term term = node(leader)->raft().term();
  At(leader).member.node()->ChangeMember(change, [this, leader, process, term, change, until,
                                                  done = std::move(done)](const absl::Status& status) mutable {
    if (!absl::IsUnavailable(status) || world_->Now() >= until) return done(status);
    world_->Schedule(nullptr, kAskedEvery, [this, leader, process, term, change, until, status, done = std::move(done)]() mutable {
      const Node* const n = node(leader);
      const bool leads = At(leader).process == process && n != nullptr && n->raft().leads() && n->raft().term() == term;
      if (healed_ || !leads) return done(status);
      AskAgain(leader, change, until, std::move(done));
    });
  });
}

void Machines::AskRemoval(int leader, int id) {
  if (node(leader) == nullptr) return;
  journal_->Note("node ", leader, " is asked to remove node ", id);
  Ask(leader, {coord::server::MemberChange::Kind::kRemove, base::NodeId(static_cast<std::uint64_t>(id)), "", {}},
      [this, id](const absl::Status& status) {
        journal_->Note("remove node ", id, ": ", status.ok() ? "done" : status.message());
      });
}

void Machines::AskPromotion(int leader, int id) {
  if (node(leader) == nullptr) return;
  Ask(leader, {coord::server::MemberChange::Kind::kPromote, base::NodeId(static_cast<std::uint64_t>(id)), "", {}},
      [this, id](const absl::Status& status) {
        journal_->Note("promote node ", id, ": ", status.ok() ? "done" : status.message());
      });
}

void Machines::AskHandOver(int leader, int to) {
  if (node(leader) == nullptr) return;
  journal_->Note("node ", leader, " is asked to hand over to node ", to);
  At(leader).member.node()->TransferLeadership(
      base::NodeId(static_cast<std::uint64_t>(to)), [this, to](const absl::Status& status) {
        journal_->Note("hand-over to node ", to, ": ", status.ok() ? "done" : status.message());
      });
}

std::vector<int> Machines::Voters(int of) const {
  std::vector<int> voters;
  if (of == 0 || node(of) == nullptr) return voters;
  for (const coord::raft::Member& member : node(of)->raft().configuration().members) {
    if (member.voter) voters.push_back(static_cast<int>(member.id.value));
  }
  return voters;
}

std::vector<int> Machines::Voters() const {
  std::vector<int> voters;
  for (const auto& member : invariants_.configuration().members) {
    if (member.voter) voters.push_back(static_cast<int>(member.id.value));
  }
  return voters;
}

// Whoever is away may have begun a change, too; but with an entry of this reign committed nobody can go on from it.
bool Machines::MayLose(int id) const {
  const coord::raft::Member* const member = Member(id);
  const int leader = Leader();
  if (member == nullptr || !member->voter || leader == 0 || lost_count() > 0) return false;
  for (const Machine& machine : machines_) {
    if (machine.asks > 0) return false;
  }
  const coord::raft::Raft& raft = node(leader)->raft();
  if (raft.commit() < raft.Inspect().first_of_term || raft.configuration() != invariants_.configuration()) return false;
  std::size_t answering = id == leader ? 0 : 1;
  for (const coord::raft::PeerState& peer : raft.Peers()) {
    const coord::raft::Member* const other = raft.configuration().Find(peer.id);
    const bool answers = peer.answered && peer.silent < raft.options().election_timeout / 2;
    answering += other != nullptr && other->voter && answers && peer.id != member->id ? 1 : 0;
  }
  const std::size_t voters = Voters().size();
  return voters >= 3 && answering >= (id == leader ? voters : voters - 1) / 2 + 1;
}

bool Machines::LoseAndReadmit(int id, base::Duration down_for) {
  if (!MayLose(id)) return false;
  Crash(id, Survival::kEverything, down_for);
  Wipe(id);
  // A founder's supervisor may start it as ever. (Who founded alone would do so again.)
  At(id).joins = plan_.nodes == 1 || id > plan_.nodes || world_->random().Below(2) == 0;
  AskReadmission(id);
  return true;
}

void Machines::AskReadmission(int id) {
  world_->Schedule(nullptr, milliseconds(500), [this, id] {
    if (healed_ || !lost(id)) return;
    AskReadmission(id);
    const int leader = Leader();
    if (leader == 0) return;
    const coord::server::MemberChange change{
        coord::server::MemberChange::Kind::kReadmit, base::NodeId(static_cast<std::uint64_t>(id)), PeerAddress(id), {}};
    Ask(leader, change, [this, id](const absl::Status& status) {
      journal_->Note("readmit node ", id, ": ", status.ok() ? "done" : status.message());
      if (status.ok()) At(id).lost = false;
    });
  });
}

}  // namespace drover::sim::run
