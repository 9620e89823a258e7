// What goes wrong in a run, at random, as its plan allows; and that it ends.
#ifndef DROVER_TESTS_SIM_RUN_FAULTS_H_
#define DROVER_TESTS_SIM_RUN_FAULTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "tests/sim/run/client.h"
#include "tests/sim/run/journal.h"
#include "tests/sim/run/machines.h"
#include "tests/sim/run/plan.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_world.h"

namespace drover::sim::run {

// One thread. Whatever a fault does ends by itself after some seconds, so that faults overlap but do not pile up.
class Faults {
 public:
  Faults(SimWorld* world, SimNetwork* network, Journal* journal, Machines* machines, std::vector<std::unique_ptr<Client>>* clients,
         const Plan& plan);

  // Also again after Heal.
  void Begin();
  // No further ones; what is cut, paused, full or down is made good. Disks that were lost stay so, and programs as they are.
  void Calm();
  // That, with the newest programs and for good.
  void Heal();

  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }  // by Fault
  [[nodiscard]] std::uint64_t total() const;

 private:
  // A leader, and who is cut off with it.
  struct Deposed {
    std::vector<int> side;  // the leader first
    SimLoop* paused = nullptr;
    bool overtaken = false;  // before it returns, the log that it would need is gone
    int hurries = 12;        // of its clients, to go
    base::Instant until;     // then it returns though nobody else leads
  };

  void Later();
  void Inject(Fault fault);
  void CrashNode(Fault fault, int node);
  void Isolate(int node, base::Duration duration);
  void BreakNetwork(Fault fault, int node);
  void Depose(int leader);
  void AwaitSuccessor(Deposed deposed);
  // Until the successor has nothing but a snapshot for who knows no more than the deposed.
  void Overtake(Deposed deposed);
  void Return(const Deposed& deposed);
  void ChangeMembers(int leader);
  void HandOver(int leader, int to);
  // Of four voters, who are the fewest of which two halves can each be a quorum after one removal.
  void MakeCamps(int leader);
  // Of the few that have what was committed of late one loses its disk, and is then alone with those that do not have it.
  void LoseAmongFew(int leader);
  // Of one, or of all that are old.
  void ChangeVersions(int node);
  // As soon as it runs, for a while: what it is to promise then has to wait.
  void FillWhenUp(int node, base::Duration patience);
  // All clients call this often, at once.
  void Hurry(std::size_t calls);
  void BreakDisk(Fault fault, int node);
  void BreakClient(Fault fault);
  // Undone later, unless Heal comes first.
  void Undo(base::Duration after, base::Task task);
  void Pause(int node, base::Duration duration);
  void CutFor(const std::string& from, const std::string& to, base::Duration duration);
  [[nodiscard]] base::Duration Some(std::int64_t min_ms, std::int64_t max_ms);
  [[nodiscard]] int SomeNode();
  [[nodiscard]] Survival SomeSurvival();
  [[nodiscard]] bool MayLose(int node) const;

  SimWorld* const world_;
  SimNetwork* const network_;
  Journal* const journal_;
  Machines* const machines_;
  std::vector<std::unique_ptr<Client>>* const clients_;
  const Plan plan_;
  base::SeededRandom random_;
  bool active_ = false;
  std::uint64_t period_ = 0;  // grows with each Begin: what was to be undone in an earlier one has been
  std::vector<std::uint64_t> counts_;
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_FAULTS_H_
