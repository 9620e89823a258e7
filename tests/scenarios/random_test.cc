// Random schedules of everything that a scenario can do, and the invariants of all machines after every step: one leader a term,
// logs that match, leaders that have what is committed, no second vote, no stale read; and in the end one leader and equal logs.
#include "coord/base/random.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/scenarios/cluster.h"

namespace drover::scenarios {
namespace {

using coord::raft::Configuration;
using coord::raft::EntryKind;
using coord::raft::Index;
using coord::raft::Member;
using coord::raft::Raft;
using coord::raft::Term;

constexpr base::ClusterId kCluster(300);

class Schedule {
 public:
  // `nodes` machines of which the last is no member at first.
  Schedule(std::uint64_t seed, std::size_t nodes) : random_(seed) {
    // Any packing: an entry a message, or many; windows of one Append, or many; what is not in memory is read from the disk.
    coord::raft::Options common;
    common.cluster = kCluster;
    common.append_bytes = std::size_t{1} << Below(12);
    common.window.appends = 1 + Below(8);
    common.window.bytes = std::size_t{1} << (4 + Below(10));
    common.cache_bytes = std::size_t{1} << Below(12);
    common.uncommitted_bytes_max = 500 + Below(5'000);
    common.pre_vote = Below(8) != 0;
    common.check_quorum = Below(8) != 0;
    Configuration members{kCluster, {}};
    for (std::size_t i = 1; i <= nodes; ++i) {
      coord::raft::Options options = common;
      options.id = base::NodeId(i);
      options.incarnation = base::Incarnation(100 + i);
      options.seed = seed * 100 + i;
      cluster_.Add(options, Disk());
      if (i < nodes) members.members.push_back(MemberOf(options, true));
    }
    for (auto& [id, machine] : cluster_.machines()) {
      if (members.Find(id) != nullptr) machine.disk = Disk({Term(1), base::NodeId()}, {FirstEntry(Term(1), members)}, Index(1));
      cluster_.Boot(&machine, Index(1));
    }
  }

  // One thing that may happen.
  void Step() {
    Cluster::Machine& machine = Any();
    const base::NodeId id = machine.options.id;
    const Link link(id, Any().options.id);
    switch (Below(47)) {
      case 0:
        if (machine.raft) cluster_.Crash(&machine);
        break;
      case 1:
      case 2:
        for (auto& [other, down] : cluster_.machines()) {
          if (!down.raft) cluster_.Boot(&down, Below(2) == 0 ? down.disk.commit() : Index(1 + Below(down.disk.commit().value + 1)));
        }
        break;
      case 3:
        machine.stalled = true;
        break;
      case 4:
      case 5:
        machine.stalled = false;
        cluster_.Persist(&machine, machine.disk.pending());
        break;
      case 6:
        cluster_.Persist(&machine, Below(machine.disk.pending() + 1));
        break;
      case 7:
        cluster_.network().Drop(link, 1 + Below(3));
        break;
      case 8:
        cluster_.network().Duplicate(link, 1 + Below(3));
        break;
      case 9:
        cluster_.network().Reverse(link);
        break;
      case 10:
        cluster_.network().Delay(link, 1 + Below(3));
        break;
      case 11:
        cluster_.network().Resume(link);
        break;
      case 12:
        cluster_.network().Cut(link);
        break;
      case 13:
      case 14:
        cluster_.network().OpenAll();
        break;
      case 15:
        if (Leader* leader = AnyLeader()) Change(leader);
        break;
      case 16:
        if (Leader* leader = AnyLeader()) {
          cluster_.Act(leader, [&](Raft* raft) { static_cast<void>(raft->TransferLeadership(id)); });
        }
        break;
      case 17:
        if (machine.raft && machine.persisted > 0) {
          const std::uint64_t again = 1 + Below(machine.persisted);
          cluster_.Act(&machine, [&](Raft* raft) { raft->OnPersisted(again); });
        }
        break;
      case 18:
        machine.holds_reads = !machine.holds_reads;
        if (!machine.holds_reads) cluster_.AnswerReads(&machine);
        break;
      case 19:
        if (machine.raft && link.second != id) cluster_.Act(&machine, [&](Raft* raft) { raft->OnLinkReset(link.second); });
        break;
      case 20:
      case 21:
        if (machine.raft) static_cast<void>(cluster_.ReadIndex(&machine, ++contexts_));
        break;
      case 44:
        Compact(&machine);
        break;
      case 45:
        if (const absl::StatusOr<bool> installed = cluster_.Install(Any(), &machine); installed.ok()) {
          installed_ += *installed ? 1 : 0;
        } else {
          ADD_FAILURE() << installed.status();
        }
        break;
      case 22:
        cluster_.Tick(&machine, std::chrono::milliseconds(Below(2'000)));
        break;
      case 23:
      case 24:
        for (auto& [other, ticked] : cluster_.machines()) cluster_.Tick(&ticked, std::chrono::milliseconds(Below(300)));
        break;
      case 25:
      case 26:
      case 27:
        if (Leader* leader = AnyLeader()) Propose(leader);
        break;
      default:
        Deliver();
        break;
    }
  }

  absl::Status Check() { return cluster_.Check(); }
  absl::Status Converge() {
    for (auto& [id, machine] : cluster_.machines()) {
      for (auto& [other, unused] : cluster_.machines()) cluster_.network().Resume({id, other});
    }
    return cluster_.Converge(std::chrono::seconds(120));
  }
  [[nodiscard]] std::uint64_t committed() const {
    std::uint64_t most = 0;
    for (const auto& [id, machine] : cluster_.machines()) most = std::max(most, machine.raft ? machine.raft->commit().value : 0);
    return most;
  }
  [[nodiscard]] std::uint64_t installed() const { return installed_; }
  [[nodiscard]] std::uint64_t term() const {
    std::uint64_t latest = 0;
    for (const auto& [id, machine] : cluster_.machines()) latest = std::max(latest, machine.raft ? machine.raft->term().value : 0);
    return latest;
  }

 private:
  using Leader = Cluster::Machine;

  std::uint64_t Below(std::uint64_t bound) { return random_.Below(bound); }
  Cluster::Machine& Any() {
    auto it = cluster_.machines().begin();
    std::advance(it, static_cast<std::ptrdiff_t>(Below(cluster_.machines().size())));
    return it->second;
  }
  Leader* AnyLeader() {
    std::vector<Leader*> leaders;
    for (auto& [id, machine] : cluster_.machines()) {
      if (machine.raft && machine.raft->leads()) leaders.push_back(&machine);
    }
    return leaders.empty() ? nullptr : leaders[Below(leaders.size())];
  }

  void Propose(Leader* leader) {
    for (std::uint64_t count = 1 + Below(6); count > 0; --count) {
      const EntryKind kind = Below(10) == 0 ? EntryKind::kExpiry : EntryKind::kData;
      std::string payload = absl::StrCat("p", ++proposed_);
      payload.resize(std::max<std::size_t>(payload.size(), Below(300)), '.');
      cluster_.Act(leader,
                   [&](Raft* raft) { static_cast<void>(raft->Propose(kind, base::Bytes::Adopt(std::move(payload))).status()); });
    }
  }

  void Compact(Cluster::Machine* machine) {
    const Index before = machine->disk.terms().before();
    const Index commit = std::min(machine->raft ? machine->raft->commit() : machine->disk.commit(), machine->disk.terms().last());
    if (machine->disk.pending() > 0 || commit <= before) return;
    cluster_.Compact(machine, Index(before.value + 1 + Below(commit.value - before.value)));
  }

  // One member comes, goes, or is promoted or demoted. At least one voter is left.
  void Change(Leader* leader) {
    Configuration next = leader->raft->configuration();
    const Cluster::Machine& subject = Any();
    const base::NodeId id = subject.options.id;
    const auto member = std::find_if(next.members.begin(), next.members.end(), [&](const Member& m) { return m.id >= id; });
    if (member == next.members.end() || member->id != id) {
      next.members.insert(member, MemberOf(subject.options, Below(2) == 0));
    } else if (Below(2) == 0) {
      member->voter = !member->voter;
    } else {
      next.members.erase(member);
    }
    const bool votes = std::any_of(next.members.begin(), next.members.end(), [](const Member& m) { return m.voter; });
    if (!votes) return;
    cluster_.Act(leader, [&](Raft* raft) {
      static_cast<void>(raft->Propose(EntryKind::kConfig, coord::raft::EncodeConfiguration(next)).status());
    });
  }

  void Deliver() {
    for (std::uint64_t count = 1 + Below(8); count > 0; --count) {
      const std::vector<Link> busy = cluster_.network().Busy();
      if (busy.empty()) return;
      const Link& link = busy[Below(busy.size())];
      cluster_.Deliver(link, 1 + Below(2));
      const Cluster::Machine* to = cluster_.Find(link.second);
      EXPECT_FALSE(absl::IsInvalidArgument(to->last_step)) << "a member sent what none sends: " << to->last_step;
    }
  }

  base::SeededRandom random_;
  Cluster cluster_;
  std::uint64_t contexts_ = 0;
  std::uint64_t proposed_ = 0;
  std::uint64_t installed_ = 0;
};

TEST(RandomSchedules, KeepEveryInvariantAndConverge) {
  std::uint64_t committed = 0, terms = 0, installed = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Schedule schedule(seed, 4 + seed % 3);
    for (int step = 0; step < 1'500; ++step) {
      schedule.Step();
      const absl::Status status = schedule.Check();
      ASSERT_TRUE(status.ok()) << "step " << step << ": " << status;
      if (HasFailure()) return;
    }
    const absl::Status status = schedule.Converge();
    ASSERT_TRUE(status.ok()) << "while all heals: " << status;
    committed += schedule.committed();
    terms += schedule.term();
    installed += schedule.installed();
  }
  // Else they went nowhere.
  EXPECT_GT(committed, 1'000U * 60);
  EXPECT_GT(terms, 1'000U * 4);
  EXPECT_GT(installed, 1'000U / 2);
  RecordProperty("installed", static_cast<int>(installed));
}

}  // namespace
}  // namespace drover::scenarios
