#include "tests/sim/run/machines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/log/data_directory.h"
#include "coord/log/inspect.h"
#include "coord/log/snapshots.h"

namespace drover::sim::run {

using coord::raft::Entry;
using coord::raft::Index;
using coord::raft::RoleName;
using coord::server::Node;
using coord::server::NodeStatus;
using coord::server::PerformStep;
using std::chrono::milliseconds;

namespace {

constexpr char kDirectory[] = "/data";
constexpr int kComparedWrites = 4;  // that end after a truncation

}  // namespace

class Machines::Observer final : public coord::server::NodeObserver {
 public:
  Observer(Machines* machines, int id) : machines_(machines), id_(id) {}
  void OnStarted() override {
    if (const Node* node = machines_->node(id_)) machines_->Begun(id_, *node);
  }
  void OnOutput(const coord::raft::Raft& raft, const coord::raft::Output& output) override {
    machines_->OnOutput(id_, raft, output);
  }
  void OnPersisted(std::size_t, std::size_t, base::Duration) override {
    Machine& machine = machines_->At(id_);
    if (machine.writes_to_compare == 0) return;
    --machine.writes_to_compare;
    machine.compares = true;
  }
  void OnRoundAsked(const coord::raft::Raft& raft, std::uint64_t context) override { machines_->invariants_.Asked(raft, context); }
  void OnRole(const coord::raft::RoleChange& change) override {
    static constexpr const char* kNames[] = {"follows", "pre-campaigns", "campaigns", "leads"};
    machines_->journal_->Note("node ", id_, " ", kNames[static_cast<int>(change.role)], " in term ", change.term.value, ", leader ",
                              change.leader.value);
    machines_->CheckCampaign(id_, change.role);
    if (change.role != RoleName::kLeader) return;
    machines_->last_election_ = machines_->world_->Now();
    machines_->world_->Schedule(nullptr, base::Duration::zero(), [machines = machines_, id = id_] {
      const std::function<void(int)> then = std::exchange(machines->on_leader_, nullptr);
      if (then) then(id);
    });
  }
  void OnFeatureLevel(base::FeatureLevel level) override { machines_->journal_->Note("node ", id_, " is at level ", level.value); }
  void OnDamage(const absl::Status& status) override {
    machines_->journal_->Fail(absl::InternalError(absl::StrCat("node ", id_, " met damage: ", status.message())));
  }

 private:
  Machines* const machines_;
  const int id_;
};

Machines::Machines(SimWorld* world, SimNetwork* network, Journal* journal, Witness* witness, const Plan& plan)
    : world_(world),
      network_(network),
      journal_(journal),
      witness_(witness),
      plan_(plan),
      machines_(static_cast<std::size_t>(plan.nodes + plan.spares)) {
  for (int id = 1; id <= size(); ++id) {
    At(id).id = id;
    At(id).files = std::make_unique<SimFileSystem>(plan.seed * 100 + static_cast<std::uint64_t>(id));
    At(id).joins = id > plan.nodes;
    if (!plan.levels.empty()) At(id).level = plan.levels[static_cast<std::size_t>(id - 1)];
    if (!At(id).joins) initial_.emplace_back(base::NodeId(static_cast<std::uint64_t>(id)), PeerAddress(id));
  }
  const coord::server::NodeOptions& options = plan_.options;
  // One batch is taken whatever its size; and what lies behind the last segment's header a new leader has to commit anew.
  bounds_.Limit("uncommitted bytes",
                options.raft.uncommitted_bytes_max + options.batch_bytes + 2 * options.log.segment_bytes + (64U << 10));
  bounds_.Limit("history bytes", options.history.bytes_max + (16U << 10));
  bounds_.Limit("streams", 200);
  bounds_.Limit("waiting reads", options.raft.reads_max);
  bounds_.Limit("entries held", 20'000);
}

Machines::~Machines() {
  for (Machine& machine : machines_) Destroy(&machine);
}

void Machines::Destroy(Machine* machine) {
  ++machine->process;
  machine->committed_when_asked.reset();
  machine->dies_in_steps = 0;
  machine->asks = 0;
  machine->writes_to_compare = 0;
  machine->compares = false;
  machine->member.End();
}

const Node* Machines::node(int id) const {
  const Machine& machine = At(id);
  return machine.member.node();
}

int Machines::lost_count() const {
  int count = 0;
  for (const Machine& machine : machines_) count += machine.lost ? 1 : 0;
  return count;
}

void Machines::Start(int id) {
  Machine& machine = At(id);
  if (machine.member.process != nullptr || machine.off) return;
  ++machine.process;
  SimLoop::Options clock;
  clock.boot_offset = std::chrono::seconds(world_->random().Below(100'000));
  if (!healed_ && plan_.rate_ppm_max > 0) {
    clock.rate_ppm = static_cast<std::int64_t>(world_->random().Below(static_cast<std::uint64_t>(2 * plan_.rate_ppm_max + 1))) -
                     plan_.rate_ppm_max;
  }
  machine.observer = std::make_unique<Observer>(this, id);
  coord::server::NodeSeams seams;
  seams.observer = machine.observer.get();
  const auto dies = [this, id](const absl::Status& status) {
    // Members that have promised a level are never older; and who might be is neither added nor spoken to.
    if (absl::IsUnimplemented(status)) {
      journal_->Fail(absl::InternalError(absl::StrCat("node ", id, " met what its program does not know: ", status.message())));
    }
    DieSoon(id, status, Survival::kEverything, milliseconds(200 + world_->random().Below(800)));
  };
  seams.on_fatal = seams.on_refused = dies;
  coord::server::NodeOptions options = plan_.options;
  options.id = base::NodeId(static_cast<std::uint64_t>(id));
  options.address = PeerAddress(id);
  options.data_directory = kDirectory;
  options.join = machine.joins;
  options.raft.feature_level_max = machine.level;
  const base::FeatureLevel promised = PromisedBy(machine);
  options.before_step = [this, id](PerformStep step) { return BeforeStep(id, step); };
  const std::uint64_t seed = plan_.seed * 100'000 + static_cast<std::uint64_t>(id) * 1'000 + ++machine.boots;
  const absl::Status opened =
      machine.member.Open({world_, network_, machine.files.get(), Host(id), ClientAddress(id), clock}, seed, seams,
                          std::move(options), machine.joins ? coord::server::InitialMembers() : initial_);
  if (opened.ok() && promised > machine.level) {
    journal_->Fail(
        absl::InternalError(absl::StrCat("node ", id, " starts with a program that knows less than its directory promised")));
  }
  if (!opened.ok()) {
    journal_->Note("node ", id, " does not start: ", opened.message());
    if (absl::IsUnimplemented(opened)) {
      if (promised <= machine.level) {
        journal_->Fail(absl::InternalError(absl::StrCat("node ", id, " has promised nothing, and: ", opened.message())));
      }
      machine.level = base::kNewestFeatureLevel;
    }
    // A process that was to die at this call has died, and so tears what it was writing.
    const bool fault = machine.files->fault_reached();
    Destroy(&machine);
    machine.files->Crash(fault ? machine.survival : Survival::kEverything);
    machine.survival = Survival::kEverything;
    if (absl::IsDataLoss(opened) && !machine.lost) {
      journal_->Fail(absl::InternalError(absl::StrCat("node ", id, " finds its undamaged log damaged: ", opened.message())));
    }
    if (!machine.lost || !absl::IsDataLoss(opened)) StartLater(id, milliseconds(100 + world_->random().Below(400)));
    return;
  }
  journal_->Note("node ", id, " starts");
  machine.member.process->Start();
}

void Machines::StartLater(int id, base::Duration delay) {
  world_->Schedule(nullptr, delay, [this, id, process = At(id).process] {
    Machine& machine = At(id);
    if (machine.process != process) return;
    if (std::exchange(machine.off, false)) network_->PowerOn(Host(id));
    Start(id);
  });
}

void Machines::Crash(int id, Survival survival, base::Duration down_for) {
  Machine& machine = At(id);
  if (machine.member.process == nullptr) return;
  Retire(id);
  machine.files->Crash(survival);
  StartLater(id, down_for);
}

void Machines::Retire(int id) {
  network_->Kill(Host(id));
  Destroy(&At(id));
}

void Machines::PowerOff(int id, Survival survival, base::Duration down_for) {
  Machine& machine = At(id);
  if (machine.member.process == nullptr) return;
  network_->PowerOff(Host(id));
  machine.off = true;
  Destroy(&machine);
  machine.files->Crash(survival);
  StartLater(id, down_for);
}

void Machines::DieSoon(int id, const absl::Status& why, Survival survival, base::Duration down_for) {
  world_->Schedule(nullptr, base::Duration::zero(), [this, id, why, survival, down_for, process = At(id).process] {
    if (At(id).process != process) return;
    journal_->Note("node ", id, " ends: ", why.message());
    Crash(id, survival, down_for);
  });
}

void Machines::CrashInStep(int id, std::uint64_t steps, Survival survival, base::Duration down_for) {
  Machine& machine = At(id);
  machine.dies_in_steps = steps;
  machine.survival = survival;
  machine.down_for = down_for;
}

void Machines::CrashInDisk(int id, std::uint64_t calls, Survival survival, base::Duration down_for) {
  Machine& machine = At(id);
  if (machine.member.process == nullptr) return;
  machine.files->StopAtCall(calls);
  machine.survival = survival;
  machine.down_for = down_for;
  WatchDisk(id, machine.process);
}

// Its log fails at that call and it dies of that; here it does so at once, before it can say anything.
void Machines::WatchDisk(int id, std::uint64_t process) {
  Machine& machine = At(id);
  if (machine.process != process) return;
  if (machine.files->fault_reached()) {
    journal_->Note("node ", id, " dies in a call of its disk");
    return Crash(id, machine.survival, machine.down_for);
  }
  world_->Schedule(nullptr, milliseconds(1), [this, id, process] { WatchDisk(id, process); });
}

bool Machines::BeforeStep(int id, PerformStep step) {
  Machine& machine = At(id);
  if (step == PerformStep::kServe && std::exchange(machine.applied_since_check, false)) {
    if (const Node* n = node(id))
      journal_->Fail(witness_->Reached(base::NodeId(static_cast<std::uint64_t>(id)), n->Status().applied, n->state()));
  }
  if (machine.dies_in_steps == 0 || --machine.dies_in_steps > 0) return true;
  DieSoon(id, absl::CancelledError(absl::StrCat("killed before step ", static_cast<int>(step))), machine.survival,
          machine.down_for);
  return false;
}

void Machines::OnOutput(int id, const coord::raft::Raft& raft, const coord::raft::Output& output) {
  Machine& machine = At(id);
  journal_->Fail(invariants_.Took(raft, output));
  if (output.installed) {
    machine.applied_since_check = true;
    journal_->Note("node ", id, " installs a snapshot up to ", output.installed->index.value);
    journal_->Fail(witness_->Installed(raft.options().id, output.installed->index));
  }
  for (const Entry& entry : output.committed) {
    machine.applied_since_check = true;
    journal_->Fail(witness_->Committed(raft.options().id, entry));
  }
  if (std::exchange(machine.compares, false)) CheckDurable(&machine, raft);
  // Whoever is sent a snapshot shall find the entries behind it.
  const Node* const n = node(id);
  const std::optional<Index> sending = n == nullptr ? std::nullopt : n->sending();
  if (raft.leads() && sending && *sending < raft.log().terms().before()) {
    journal_->Fail(absl::InternalError(absl::StrCat("node ", id, " sends a snapshot up to ", sending->value,
                                                    ", and its log begins behind ", raft.log().terms().before().value)));
  }
  if (output.write && output.write->truncate_from) {
    machine.writes_to_compare = kComparedWrites;
    journal_->Note("node ", id, " truncates from ", output.write->truncate_from->value, ", durable ", raft.Inspect().durable.value);
    DieAfterTruncation(&machine);
  }
}

// What a node counts as durable is on its disk, as in its memory. Looked at where a late write of what is void could deceive it.
void Machines::CheckDurable(Machine* machine, const coord::raft::Raft& raft) {
  const Index durable = raft.Inspect().durable;
  if (durable <= raft.log().terms().before()) return;
  const std::vector<Entry> log = ReadLog(machine);
  const auto last = std::find_if(log.rbegin(), log.rend(), [durable](const Entry& entry) { return entry.index == durable; });
  if (last != log.rend() && raft.log().last() >= durable && last->term == raft.log().TermAt(durable)) return;
  journal_->Fail(absl::InternalError(
      absl::StrCat("node ", machine->id, " counts its log as durable up to ", durable.value, ", and its disk has ",
                   last == log.rend() ? "nothing" : absl::StrCat("an entry of term ", last->term.value), " there")));
}

// Truncations are rare, and so would be crashes soon after them: where there are crashes between steps, some come then.
void Machines::DieAfterTruncation(Machine* machine) {
  const bool crashes = std::count(plan_.faults.begin(), plan_.faults.end(), Fault::kCrashInStep) > 0;
  if (healed_ || !crashes || machine->dies_in_steps > 0 || world_->random().Below(2) > 0) return;
  CrashInStep(machine->id, 1 + world_->random().Below(20), Survival::kEverything, milliseconds(200 + world_->random().Below(800)));
}

void Machines::ChangeVersion(int id, base::FeatureLevel level, Survival survival, base::Duration down_for) {
  Machine& machine = At(id);
  machine.level = level;
  journal_->Note("node ", id, " will be of level ", machine.level.value, ", has promised ", PromisedBy(machine).value);
  Crash(id, survival, down_for);
}

base::FeatureLevel Machines::PromisedBy(const Machine& machine) {
  const std::string path = absl::StrCat(kDirectory, "/identity");
  if (!machine.files->Exists(path)) return base::kFirstFeatureLevel;
  const absl::StatusOr<coord::log::Identity> identity = coord::log::DecodeIdentity(machine.files->Read(path));
  return identity.ok() ? identity->promised : base::kFirstFeatureLevel;
}

// Who is lost, or is a member by its id alone, promises nothing.
bool Machines::LevelsRest() const {
  const coord::raft::Configuration& members = invariants_.configuration();
  if (members.feature_level == base::kNewestFeatureLevel) return true;
  return std::any_of(members.members.begin(), members.members.end(), [this](const coord::raft::Member& member) {
    const int id = static_cast<int>(member.id.value);
    return lost(id) || Member(id) == nullptr || node(id) == nullptr;
  });
}

void Machines::WantSnapshot(int id) {
  if (Node* node = At(id).member.node(); node != nullptr) node->WantSnapshot();
}

void Machines::StallDisk(int id, base::Duration duration) {
  calm_ = std::max(calm_, world_->Now() + duration);
  journal_->Note("node ", id, " stalls its disk for ", base::ToMillis(duration), " ms");
  At(id).member.disk->Stall(duration);
}

void Machines::FillDisk(int id, std::uint64_t room, base::Duration duration) {
  SimFileSystem* const files = At(id).files.get();
  files->SetCapacity(files->bytes() + room);
  journal_->Note("the disk of node ", id, " is full for ", base::ToMillis(duration), " ms");
  world_->Schedule(nullptr, duration, [this, id, disks = At(id).disks] {
    if (At(id).disks == disks) At(id).files->SetCapacity(UINT64_MAX);
  });
}

// Who is granted pre-votes by a quorum has what was committed when it began to ask: one of that quorum has it, too, and helps
// nobody whose log is behind.
void Machines::CheckCampaign(int id, RoleName role) {
  Machine& machine = At(id);
  const std::optional<Index> asked = std::exchange(machine.committed_when_asked, std::nullopt);
  if (role == RoleName::kPreCandidate) machine.committed_when_asked = witness_->last();
  const Node* n = node(id);
  if (role != RoleName::kCandidate || !asked || n == nullptr) return;
  if (n->raft().log().last() >= *asked && n->raft().log().TermAt(*asked) == witness_->TermAt(*asked)) return;
  journal_->Fail(absl::InternalError(absl::StrCat("node ", id, " campaigns with a log up to ", n->raft().log().last().value, "; ",
                                                  asked->value, " was committed before it asked for pre-votes")));
}

void Machines::Begun(int id, const Node& node) {
  Machine& machine = At(id);
  machine.formed = true;
  const std::vector<Entry> log = ReadLog(&machine);
  // Of the log, the node may leave out the first entries that its snapshot says.
  std::vector<Entry> used = log;
  std::erase_if(used, [&](const Entry& e) { return e.index <= node.raft().log().terms().before(); });
  const absl::Status started = invariants_.Started(node.raft(), used);
  // A damaged member may have forgotten what it said; it must not be believed that much, and is not.
  if (!machine.lost) journal_->Fail(started);
  journal_->Fail(witness_->Started(node.raft().options().id, log, node.Status().applied, node.state()));
}

std::vector<Entry> Machines::ReadLog(Machine* machine) const {
  class Reader final : public coord::log::InspectVisitor {
   public:
    void OnEntry(const Entry& entry) override {
      while (!entries.empty() && entries.back().index >= entry.index) entries.pop_back();
      entries.push_back({entry.term, entry.index, entry.kind, base::Bytes::Copy(entry.payload.view())});
    }
    std::vector<Entry> entries;
  };
  Reader reader;
  // Of a copy: a fault that waits for the next call shall not meet this one.
  const std::unique_ptr<SimFileSystem> files = machine->files->Copy(1);
  const auto read = coord::log::Inspect(files.get(), kDirectory, &reader);
  if (!read.ok()) return {};
  // A restart behind a snapshot, or a truncation, voids what was read before.
  std::erase_if(reader.entries, [&](const Entry& e) { return e.index > read->last_index || e.index < read->first_index; });
  return std::move(reader.entries);
}

void Machines::Wipe(int id) {
  At(id).lost = true;
  NewDisk(&At(id));
}

void Machines::NewDisk(Machine* machine) {
  ++machine->disks;
  machine->files =
      std::make_unique<SimFileSystem>(plan_.seed * 100 + static_cast<std::uint64_t>(50 * machine->disks + machine->id));
}

// Where it is known that it was synced: of the last frame, damage cannot be told from a torn write, as FORMAT.md says.
bool Machines::FlipBit(int id, base::Random* random) {
  class Frames final : public coord::log::InspectVisitor {
   public:
    void OnSegment(const std::string& path, const coord::log::SegmentHeader&) override { path_ = path; }
    void OnFrame(const coord::log::Frame& frame, bool proven) override {
      if (proven) frames.emplace_back(path_, std::make_pair(frame.ref.offset, frame.size));
    }
    std::vector<std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>> frames;

   private:
    std::string path_;
  };
  Machine& machine = At(id);
  Frames frames;
  const auto snapshots = coord::log::ListSnapshots(machine.files->Copy(1).get(), kDirectory);
  if (snapshots.ok() && !snapshots->empty() && random->Below(2) == 0) {
    const Index index = (*snapshots)[random->Below(snapshots->size())];
    const std::string path = absl::StrCat(kDirectory, "/", coord::log::SnapshotName(index));
    machine.files->FlipBit(path, random->Below(machine.files->Read(path).size()), static_cast<int>(random->Below(8)));
    machine.lost = true;
    return true;
  }
  if (!coord::log::Inspect(machine.files.get(), kDirectory, &frames).ok() || frames.frames.empty()) return false;
  const auto& [path, place] = frames.frames[random->Below(frames.frames.size())];
  machine.files->FlipBit(path, place.first + random->Below(place.second), static_cast<int>(random->Below(8)));
  machine.lost = true;
  return true;
}

void Machines::Heal() {
  healed_ = true;
  for (Machine& machine : machines_) {
    if (machine.level == base::kNewestFeatureLevel) continue;
    machine.level = base::kNewestFeatureLevel;
    Crash(machine.id, Survival::kEverything, milliseconds(0));
  }
  Restore();
}

bool Machines::Works(int id) const {
  const Machine& machine = At(id);
  const coord::raft::Member* const member = Member(id);
  return node(id) != nullptr && !machine.lost && !machine.off && member != nullptr && member->voter &&
         !machine.member.loop->paused() && !machine.member.disk->stalled() && machine.files->capacity() == UINT64_MAX;
}

void Machines::Restore() {
  for (Machine& machine : machines_) {
    machine.files->ClearFaults();
    machine.files->SetCapacity(UINT64_MAX);
    machine.dies_in_steps = 0;
    if (std::exchange(machine.off, false)) network_->PowerOn(Host(machine.id));
    if (machine.member.loop) {
      machine.member.loop->SetRate(0);
      machine.member.loop->Resume();
    }
    Start(machine.id);
  }
}

int Machines::Leader() const {
  int leader = 0;
  coord::raft::Term term;
  for (int id = 1; id <= size(); ++id) {
    const Node* n = node(id);
    if (n == nullptr || !n->raft().leads() || n->raft().term() < term) continue;
    leader = id;
    term = n->raft().term();
  }
  return leader;
}

bool Machines::AtRest() const {
  for (int id = 1; id <= size(); ++id) {
    if (lost(id) || Member(id) == nullptr) continue;
    const Node* n = node(id);
    if (n == nullptr || n->Status().applied != witness_->last() || n->raft().log().last() != witness_->last()) return false;
  }
  return LevelsRest();
}

std::string Machines::Text() const {
  std::string text;
  for (int id = 1; id <= size(); ++id) {
    const Node* n = node(id);
    if (n == nullptr) {
      absl::StrAppend(&text, "; node ", id, running(id) ? " forms" : lost(id) ? " is lost" : " is down");
      continue;
    }
    const NodeStatus status = n->Status();
    absl::StrAppend(&text, "; node ", id, n->raft().leads() ? " leads" : " follows ", n->raft().leads() ? 0 : status.leader.value,
                    " in term ", status.term.value, ", last ", n->raft().log().last().value, ", commit ", status.commit.value,
                    ", applied ", status.applied.value, ", level ", status.feature_level.value, "/",
                    status.feature_level_max.value);
  }
  return text;
}

void Machines::Sample() {
  for (int id = 1; id <= size(); ++id) {
    const Node* n = node(id);
    if (n == nullptr) continue;
    const NodeStatus status = n->Status();
    const coord::raft::State raft = n->raft().Inspect();
    const auto sample = [&](const char* name, std::uint64_t size) {
      journal_->Fail(bounds_.Sample(name, Host(id), size, world_->Now()));
    };
    sample("uncommitted bytes", status.uncommitted_bytes);
    sample("history bytes", status.history_bytes);
    sample("streams", status.streams);
    sample("waiting reads", raft.waiting_reads);
    sample("entries held", raft.held_entries);
  }
}

absl::Status Machines::CheckAtRest() const {
  std::vector<base::NodeId> nodes;
  for (int id = 1; id <= size(); ++id) {
    if (lost(id) || Member(id) == nullptr) continue;
    const Node* n = node(id);
    if (n == nullptr) return absl::InternalError(absl::StrCat("node ", id, " does not run at the end"));
    const base::NodeId node_id(static_cast<std::uint64_t>(id));
    if (n->feature_level() != invariants_.configuration().feature_level) {
      return absl::InternalError(absl::StrCat("node ", id, " rests at level ", n->feature_level().value, ", the cluster at ",
                                              invariants_.configuration().feature_level.value));
    }
    if (absl::Status ok = witness_->Reached(node_id, n->Status().applied, n->state()); !ok.ok()) return ok;
    nodes.push_back(node_id);
  }
  return witness_->agreement().CheckAtRest(nodes);
}

}  // namespace drover::sim::run
