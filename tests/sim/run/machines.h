// The coordination nodes of a run: real members, each with a loop, a disk and a seat in the network of its own; how they die, and
// what is checked of them while they live.
#ifndef DROVER_TESTS_SIM_RUN_MACHINES_H_
#define DROVER_TESTS_SIM_RUN_MACHINES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/random.h"
#include "coord/raft/cluster_invariants.h"
#include "coord/server/member_process.h"
#include "tests/coord/server/sim_member.h"
#include "tests/sim/check/bounds.h"
#include "tests/sim/run/journal.h"
#include "tests/sim/run/plan.h"
#include "tests/sim/run/witness.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::sim::run {

// One thread. A process that died by itself (a failed sync, a refused start) is started again after a while, as a supervisor would.
class Machines {
 public:
  Machines(SimWorld* world, SimNetwork* network, Journal* journal, Witness* witness, const Plan& plan);
  ~Machines();
  Machines(const Machines&) = delete;
  Machines& operator=(const Machines&) = delete;

  static std::string Host(int id) { return "node" + std::to_string(id); }
  static std::string ClientAddress(int id) { return Host(id) + ":1"; }
  static std::string PeerAddress(int id) { return Host(id) + ":2"; }

  void Start(int id);
  // The process dies; peers see FIN. Started again after `down_for`.
  void Crash(int id, Survival survival, base::Duration down_for);
  // The host vanishes without a word, and comes back after `down_for`.
  void PowerOff(int id, Survival survival, base::Duration down_for);
  // Dies before the `steps`-th step of Perform from now.
  void CrashInStep(int id, std::uint64_t steps, Survival survival, base::Duration down_for);
  // Dies at the n-th call of its disk from now, which is begun and may be torn.
  void CrashInDisk(int id, std::uint64_t calls, Survival survival, base::Duration down_for);
  // Damages what its disk holds, and counts it as lost. It must be down.
  void Wipe(int id);
  bool FlipBit(int id, base::Random* random);
  // Asks `leader` to add, promote or remove somebody: at random, or so that there are as many voters as are `wanted`. What comes of
  // it, if anything, shows in the log.
  void ChangeMembers(int leader, base::Random* random, std::optional<std::size_t> wanted = std::nullopt);
  // The same for a removal.
  void AskRemoval(int leader, int id);
  void AskPromotion(int leader, int id);
  // To a voter; refused by whoever knows it as none.
  void AskHandOver(int leader, int to);
  // By the last configuration committed, whether they are there or not.
  [[nodiscard]] std::vector<int> Voters() const;
  // By the newest configuration of that node.
  [[nodiscard]] std::vector<int> Voters(int of) const;
  // Called once, right after a node began to lead: before anything that it says can have come anywhere.
  void OnNextLeader(std::function<void(int)> then) { on_leader_ = std::move(then); }
  [[nodiscard]] bool awaits_leader() const { return on_leader_ != nullptr; }
  // A voter's disk is replaced; it waits to be readmitted, and is asked for until it is. False: it is not certain that those of the
  // others who answer now do without it, so nothing was done.
  bool LoseAndReadmit(int id, base::Duration down_for);
  // The process dies; the next one is of a program that knows this level. Of a directory that was promised to newer programs an
  // older one must refuse, and the newest one follows.
  void ChangeVersion(int id, base::FeatureLevel level, Survival survival, base::Duration down_for);
  [[nodiscard]] base::FeatureLevel version(int id) const { return At(id).level; }
  // Its disk has no space left but this, until then.
  void FillDisk(int id, std::uint64_t room, base::Duration duration);
  void StallDisk(int id, base::Duration duration);
  // As soon as none is under way.
  void WantSnapshot(int id);
  // After Heal: from when on the last stalled disk works again.
  [[nodiscard]] base::Instant calm() const { return calm_; }
  // Goes, and does not come back.
  void Retire(int id);
  // Ends every fault of disks, loops and clocks, and starts whoever is down and not lost.
  void Restore();
  // That, with the newest programs and for good.
  void Heal();
  // Faults may come again.
  void Unheal() { healed_ = false; }

  [[nodiscard]] int size() const { return static_cast<int>(machines_.size()); }
  [[nodiscard]] bool running(int id) const { return At(id).member.process != nullptr; }
  [[nodiscard]] bool formed(int id) const { return At(id).formed; }
  // Its disk was damaged or replaced: it may refuse to start.
  [[nodiscard]] bool lost(int id) const { return At(id).lost; }
  [[nodiscard]] int lost_count() const;
  // It is a voter, by the last configuration committed, whose process runs, and whose disk works.
  [[nodiscard]] bool Works(int id) const;
  // Grows with each start and death.
  [[nodiscard]] std::uint64_t process(int id) const { return At(id).process; }
  [[nodiscard]] const coord::server::Node* node(int id) const;
  [[nodiscard]] SimLoop* loop(int id) { return At(id).member.loop.get(); }
  [[nodiscard]] SimExecutor* disk(int id) { return At(id).member.disk.get(); }
  [[nodiscard]] SimFileSystem& files(int id) { return *At(id).files; }
  [[nodiscard]] int Leader() const;
  // All that run and are not lost are nodes that have applied all that was ever committed.
  [[nodiscard]] bool AtRest() const;
  // One of those.
  [[nodiscard]] bool HasState(int id) const { return !lost(id) && Member(id) != nullptr && node(id) != nullptr; }
  // Why not; for the message.
  [[nodiscard]] std::string Text() const;
  // When a node last began to lead.
  [[nodiscard]] base::Instant last_election() const { return last_election_; }
  [[nodiscard]] const check::GrowthBounds& bounds() const { return bounds_; }
  // Sizes, now.
  void Sample();
  // Digests of all states at rest.
  [[nodiscard]] absl::Status CheckAtRest() const;

 private:
  class Observer;
  struct Machine {
    int id = 0;
    std::unique_ptr<SimFileSystem> files;
    std::unique_ptr<Observer> observer;
    coord::server::SimMember member;
    std::uint64_t boots = 0;
    std::uint64_t process = 0;  // grows with each start and death: what was planned for an earlier one is void
    bool formed = false;
    bool lost = false;
    bool joins = false;                                    // it is started to be added, not to found
    int disks = 0;                                         // that it has had
    base::FeatureLevel level = base::kNewestFeatureLevel;  // that its program knows
    int asks = 0;                                          // for changes of the members, of this process, that are not answered
    bool off = false;
    bool applied_since_check = false;
    std::optional<coord::raft::Index> committed_when_asked;  // while it is a pre-candidate
    std::uint64_t dies_in_steps = 0;                         // 0: not planned
    Survival survival = Survival::kEverything;
    base::Duration down_for{};
    int writes_to_compare = 0;  // when they end: what counts as durable with what the disk has
    bool compares = false;      // at the next output
  };

  [[nodiscard]] Machine& At(int id) { return machines_[static_cast<std::size_t>(id - 1)]; }
  [[nodiscard]] const Machine& At(int id) const { return machines_[static_cast<std::size_t>(id - 1)]; }
  void Destroy(Machine* machine);
  void StartLater(int id, base::Duration delay);
  // Dies in an event of its own, for it is on the stack.
  void DieSoon(int id, const absl::Status& why, Survival survival, base::Duration down_for);
  void WatchDisk(int id, std::uint64_t process);
  bool BeforeStep(int id, coord::server::PerformStep step);
  void OnOutput(int id, const coord::raft::Raft& raft, const coord::raft::Output& output);
  [[nodiscard]] const coord::raft::Member* Member(int id) const;  // as committed; null: none, or it is another life of it
  // The others would do without this voter, by what the leader hears of them.
  [[nodiscard]] bool MayLose(int id) const;
  // Nothing is under way: those that run have no newer configuration than the committed one, and nobody is lost.
  [[nodiscard]] bool MembersRest() const;
  void NewDisk(Machine* machine);
  void AskReadmission(int id);
  // Again while the leader has only begun.
  void Ask(int leader, const coord::server::MemberChange& change, std::function<void(const absl::Status&)> done);
  void AskAgain(int leader, const coord::server::MemberChange& change, base::Instant until,
                std::function<void(const absl::Status&)> done);
  void CheckDurable(Machine* machine, const coord::raft::Raft& raft);
  void DieAfterTruncation(Machine* machine);
  void CheckCampaign(int id, coord::raft::RoleName role);
  void Begun(int id, const coord::server::Node& node);
  [[nodiscard]] std::vector<coord::raft::Entry> ReadLog(Machine* machine) const;
  // By its disk.
  [[nodiscard]] static base::FeatureLevel PromisedBy(const Machine& machine);
  // Nothing is left to be raised, as far as those can that run.
  [[nodiscard]] bool LevelsRest() const;

  SimWorld* const world_;
  SimNetwork* const network_;
  Journal* const journal_;
  Witness* const witness_;
  const Plan plan_;
  coord::server::InitialMembers initial_;
  coord::raft::ClusterInvariants invariants_;
  check::GrowthBounds bounds_;
  std::vector<Machine> machines_;
  std::function<void(int)> on_leader_;
  base::Instant last_election_;
  base::Instant calm_;
  bool healed_ = false;
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_MACHINES_H_
