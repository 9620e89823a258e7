// Times in which some of the voters are away, and the others have to do without them: whatever became of these two parts before,
// and whoever is readmitted or falls behind meanwhile.
#ifndef DROVER_TESTS_SIM_RUN_ABSENCE_H_
#define DROVER_TESTS_SIM_RUN_ABSENCE_H_

#include <functional>
#include <memory>
#include <vector>

#include "coord/base/random.h"
#include "tests/sim/run/client.h"
#include "tests/sim/run/faults.h"
#include "tests/sim/run/journal.h"
#include "tests/sim/run/machines.h"
#include "tests/sim/run/plan.h"
#include "tests/sim/run/witness.h"
#include "tests/sim/sim_network.h"

namespace drover::sim::run {

// One thread. What the others have to do is Progress' to judge.
class Absence {
 public:
  // Lets the world go on until that holds, or so much time has passed: then false, as when the run has failed.
  using Until = std::function<bool(const std::function<bool()>&, base::Duration)>;

  Absence(SimNetwork* network, Journal* journal, Machines* machines, Faults* faults, std::vector<std::unique_ptr<Client>>* clients,
          const Witness* witness, const Plan& plan, Until until);

  // Ends all faults. Where there are spare machines, more of them become voters: of three, nobody can be readmitted while another
  // one is away.
  void Prepare();
  // Ends the absence before. Some are away when it returns.
  void Run();

 private:
  // Most often those that have the most: the others then lack what these have, and had better not need them.
  [[nodiscard]] std::vector<int> Choose();
  void SendAway(int id);
  // One of those that are there loses its disk, and is let in again behind the back of the others.
  void Readmit();
  // One of those that are there misses what is written now.
  void LeaveBehind();
  void Hurry();
  [[nodiscard]] bool IsAway(int id) const;
  // A voter that is there and does not lead; 0: none.
  [[nodiscard]] int Other();

  SimNetwork* const network_;
  Journal* const journal_;
  Machines* const machines_;
  Faults* const faults_;
  std::vector<std::unique_ptr<Client>>* const clients_;
  const Witness* const witness_;
  const Plan plan_;
  const Until until_;
  base::SeededRandom random_;
  std::vector<int> away_;
  int readmitted_ = 0;  // as a voter, since then; 0: nobody
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_ABSENCE_H_
