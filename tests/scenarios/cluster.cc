#include "tests/scenarios/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"

namespace drover::scenarios {
namespace {

using coord::raft::Index;
using coord::raft::Message;
using coord::raft::Output;
using coord::raft::Raft;

constexpr base::Duration kStep = std::chrono::milliseconds(10);
constexpr std::size_t kMessagesMax = 2'000'000;  // more without a pause is a storm
constexpr std::size_t kOutputsMax = 100'000;
constexpr std::uint64_t kBootSpread = 0x9e3779b97f4a7c15;  // nonces that look like random ones

}  // namespace

coord::raft::Member MemberOf(const coord::raft::Options& options, bool voter) {
  return {options.id, options.incarnation, absl::StrCat("n", options.id.value, ":1"), voter};
}

coord::raft::Entry FirstEntry(coord::raft::Term term, const coord::raft::Configuration& members) {
  return {term, Index(1), coord::raft::EntryKind::kConfig, coord::raft::EncodeConfiguration(members)};
}

Cluster::Machine& Cluster::Add(const coord::raft::Options& options, Disk disk) {
  Machine& machine = machines_[options.id];
  machine.options = options;
  machine.disk = std::move(disk);
  return machine;
}

Cluster::Machine* Cluster::Find(base::NodeId id) {
  const auto found = machines_.find(id);
  return found == machines_.end() ? nullptr : &found->second;
}

void Cluster::Note(absl::Status status) {
  if (health_.ok()) health_ = std::move(status);
}

void Cluster::Boot(Machine* machine, Index commit) {
  ++machine->boots;
  coord::raft::Options options = machine->options;
  options.boot = base::BootNonce(kBootSpread * (options.id.value * 1000 + machine->boots));
  options.seed += 1000 * machine->boots;
  machine->raft = std::make_unique<Raft>(options, machine->disk.Recover(commit));
  machine->persisted = 0;
  machine->last_step = absl::OkStatus();
  Note(invariants_.Started(*machine->raft, machine->disk.log()));
  Drain(machine);
}

void Cluster::Crash(Machine* machine) {
  machine->raft.reset();
  machine->disk.Crash();
  machine->busy = false;
  machine->log_reads.clear();
  network_.DropTo(machine->options.id);
}

void Cluster::Wipe(Machine* machine) {
  machine->disk = Disk();
  machine->options.incarnation = base::Incarnation(machine->options.incarnation.value + 100);
}

void Cluster::Act(Machine* machine, const std::function<void(Raft*)>& event) {
  if (!machine->raft) return;
  event(machine->raft.get());
  Drain(machine);
}

void Cluster::Tick(Machine* machine, base::Duration elapsed) {
  Act(machine, [&](Raft* raft) { raft->Tick(elapsed); });
}

absl::Status Cluster::ReadIndex(Machine* machine, std::uint64_t context) {
  absl::Status answer;
  Act(machine, [&](Raft* raft) {
    answer = raft->ReadIndex(context);
    if (answer.ok()) invariants_.Asked(*raft, context);
  });
  return answer;
}

void Cluster::Deliver(const Link& link, std::size_t count) {
  Machine* to = Find(link.second);
  for (; count > 0; --count) {
    const std::optional<Message> message = network_.Take(link);
    if (!message) return;
    if (to == nullptr || !to->raft) continue;
    Act(to, [&](Raft* raft) { to->last_step = raft->Step(*message); });
  }
}

bool Cluster::Settle() {
  std::size_t delivered = 0;
  for (std::vector<Link> links = network_.Busy(); !links.empty(); links = network_.Busy()) {
    for (const Link& link : links) {
      Deliver(link, 1);
      if (++delivered > kMessagesMax) return false;
    }
    if (!health_.ok()) return true;
  }
  return true;
}

bool Cluster::Run(base::Duration time) {
  for (; time > base::Duration::zero() && health_.ok(); time -= kStep) {
    for (auto& [id, machine] : machines_) Tick(&machine, std::min(time, kStep));
    if (!Settle()) return false;
  }
  return true;
}

void Cluster::Persist(Machine* machine, std::size_t count) {
  for (; count > 0 && machine->raft && machine->disk.pending() > 0; --count) {
    machine->persisted = machine->disk.Complete();
    machine->raft->OnPersisted(machine->persisted);
  }
  Drain(machine);
}

void Cluster::AnswerReads(Machine* machine) {
  for (const coord::raft::LogRead& read : std::exchange(machine->log_reads, {})) {
    if (machine->raft) machine->raft->OnLogRead(read.peer, machine->disk.Read(read.first, read.bytes));
  }
  Drain(machine);
}

void Cluster::Compact(Machine* machine, Index through) {
  machine->disk.Compact(through);
  if (machine->raft) Act(machine, [&](Raft* raft) { raft->OnCompacted(through); });
}

absl::StatusOr<bool> Cluster::Install(const Machine& from, Machine* to) {
  const coord::raft::SnapshotPoint point = from.disk.snapshot();
  absl::StatusOr<bool> installed = false;
  if (point.index != Index()) Act(to, [&](Raft* raft) { installed = raft->Install(point); });
  return installed;
}

void Cluster::SendSnapshots() {
  for (auto& [id, machine] : machines_) {
    if (!machine.raft) continue;
    for (const coord::raft::PeerState& peer : machine.raft->Peers()) {
      Machine* const to = Find(peer.id);
      if (peer.needs_snapshot && to != nullptr && to->raft) Note(Install(machine, to).status());
    }
  }
}

void Cluster::Drain(Machine* machine) {
  if (!machine->raft || machine->busy) return;
  for (std::size_t i = 0;; ++i) {
    DROVER_CHECK(i < kOutputsMax) << "a machine that always wants something";
    Output output = machine->raft->TakeOutput();
    if (output.empty()) return;
    Note(invariants_.Took(*machine->raft, output));
    Perform(machine, std::move(output));
  }
}

void Cluster::Perform(Machine* machine, Output output) {
  if (output.write) machine->disk.Write(*output.write, machine->raft->commit());
  for (Message& message : output.messages) network_.Send(std::move(message));
  for (const coord::raft::LogRead& read : output.log_reads) {
    ++machine->log_reads_seen;
    const bool doubled = std::any_of(machine->log_reads.begin(), machine->log_reads.end(),
                                     [&](const coord::raft::LogRead& other) { return other.peer == read.peer; });
    if (doubled) Note(absl::InternalError("two reads of the log for one peer at a time"));
    machine->log_reads.push_back(read);
  }
  for (const coord::raft::ReadState& read : output.reads) machine->reads.push_back(read);
  if (!machine->stalled) {
    while (machine->disk.pending() > 0) {
      machine->persisted = machine->disk.Complete();
      machine->raft->OnPersisted(machine->persisted);
    }
  }
  if (!machine->holds_reads) {
    for (const coord::raft::LogRead& read : std::exchange(machine->log_reads, {})) {
      machine->raft->OnLogRead(read.peer, machine->disk.Read(read.first, read.bytes));
    }
  }
}

absl::Status Cluster::Check() {
  if (!health_.ok()) return health_;
  std::vector<coord::raft::ClusterInvariants::Disk> disks;
  for (const auto& [id, machine] : machines_) {
    disks.push_back({id, machine.options.incarnation, &machine.disk.terms()});
  }
  Note(invariants_.CheckDisks(disks));
  return health_;
}

absl::Status Cluster::Converge(base::Duration time) {
  network_.OpenAll();
  for (auto& [id, machine] : machines_) {
    machine.stalled = machine.busy = machine.holds_reads = false;
    if (!machine.raft && !machine.gone) Boot(&machine, machine.disk.commit());
    Persist(&machine, machine.disk.pending());
    AnswerReads(&machine);
  }
  for (; time > base::Duration::zero(); time -= kStep) {
    if (!Run(kStep)) return absl::DeadlineExceededError("messages without end");
    SendSnapshots();
    const absl::Status ok = Check();
    if (!ok.ok() || Converged().ok()) return ok;
  }
  return Converged();
}

absl::Status Cluster::Converged() {
  const Raft* leader = nullptr;
  for (const auto& [id, machine] : machines_) {
    if (!machine.raft || !machine.raft->leads()) continue;
    if (leader != nullptr) return absl::DeadlineExceededError("two nodes lead");
    leader = machine.raft.get();
  }
  if (leader == nullptr) return absl::DeadlineExceededError("no node leads");
  for (const coord::raft::Member& member : leader->configuration().members) {
    const Machine* machine = Find(member.id);
    if (machine == nullptr || machine->gone || machine->options.incarnation != member.incarnation) continue;
    const auto words = [&](absl::string_view what) {
      return absl::DeadlineExceededError(absl::StrCat("node ", member.id.value, " ", what));
    };
    if (!machine->raft) return words("is down");
    const coord::raft::State state = machine->raft->Inspect();
    if (state.leader != leader->options().id) return words("does not know the leader");
    if (state.last != leader->log().last() || state.last_term != leader->log().last_term())
      return words("does not have the whole log");
    if (state.commit != state.last) return words("does not know that all is committed");
    if (state.durable != state.last) return words("does not have the whole log on its disk");
  }
  return absl::OkStatus();
}

}  // namespace drover::scenarios
