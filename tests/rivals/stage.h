// Three real coordination nodes, rivals as processes that reach each node through a link of its own, and the resource server; what
// goes wrong between them. Threads: one.
#ifndef DROVER_TESTS_RIVALS_STAGE_H_
#define DROVER_TESTS_RIVALS_STAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/rivals/plan.h"
#include "tests/rivals/resource_server.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/proxy.h"

namespace drover::rivals {

class Stage {
 public:
  // The core serves; no rival runs yet. `seed`: of all that rivals do at random.
  Stage(int rivals, std::uint64_t seed);

  [[nodiscard]] static std::string name(int rival) { return "r" + std::to_string(rival); }
  [[nodiscard]] int rivals() const { return static_cast<int>(rivals_.size()); }
  testing::Process& rival(int i) { return *rivals_.at(static_cast<std::size_t>(i)).process; }
  testing::Cluster& cluster() { return cluster_; }
  ResourceServer& resources() { return resources_; }
  // Of the nodes, past all links.
  [[nodiscard]] std::vector<std::string> addresses() const;

  void Begin(const Strike& strike);
  // `strike` as begun.
  void End(const Strike& strike);

  // Waits until every rival has used one of each kind after the record of number `first`; "": they have. Else who waits for what.
  [[nodiscard]] std::string AwaitAllHave(std::size_t first);
  // SIGKILL to all rivals; what they had sent has been read when it returns.
  void EndRivals();

 private:
  struct Rival {
    std::unique_ptr<testing::Process> process;
    std::vector<std::unique_ptr<testing::Proxy>> links;  // by node
  };

  [[nodiscard]] static testing::ClusterOptions Options();
  [[nodiscard]] std::string WhoWaits(std::size_t first) const;

  testing::Cluster cluster_;
  ResourceServer resources_;
  int killed_ = 0;  // the node of kKillLeader under way
  std::vector<Rival> rivals_;
};

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_STAGE_H_
