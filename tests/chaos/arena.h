// A coordination core of real processes whose nodes, links and disks can be hit by faults.
//
// Each node has a small disk of its own (a tmpfs, so the process needs a mount namespace of its own), whose syncs can be slowed and
// stalled, and reaches the others through proxies. Threads: one.
#ifndef DROVER_TESTS_CHAOS_ARENA_H_
#define DROVER_TESTS_CHAOS_ARENA_H_

#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "drover/coord/membership.h"
#include "tests/chaos/plan.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/stalled_disk.h"

namespace drover::chaos {

class Arena {
 public:
  // Starts `nodes` of them and waits until all serve. Throws if that fails, or if no disk can be mounted.
  Arena(int nodes, const std::vector<std::string>& coord_flags);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void Begin(const Strike& strike);
  // `strike` as begun.
  void End(const Strike& strike);
  // Throws, with its log, if a node has ended that no strike has killed or removed.
  void CheckRunning();
  // Every node serves. Throws with the logs if that does not come.
  void AwaitServing() { cluster_->AwaitCoordsServing(); }

  [[nodiscard]] int nodes() const { return cluster_->coords(); }
  [[nodiscard]] std::vector<std::string> addresses() const;
  // Every node's disk has all that the leader's log has. Throws if that does not come: only when nobody writes.
  void AwaitCaughtUp();
  // A copy of a node's directory, as kill -9 leaves it; the node runs again afterwards.
  [[nodiscard]] std::string CopyOfData(int node);
  // Of all nodes together.
  [[nodiscard]] double Metric(const std::string& name);

 private:
  // Where a node's disk is mounted.
  [[nodiscard]] std::string Disk(int node) const { return dir_ / ("disk-" + std::to_string(node + 1)); }
  void ApplyToNetwork();
  // Asks one node after the other until one does it, or refuses it, or nobody does for long.
  absl::Status Ask(coord::MemberCall call, int node);
  // The node begins with an empty directory, and waits to be let in.
  void Empty(int node);
  // Lets it in. Throws with the last reason if that does not come.
  void Readmit(int node);

  testing::TemporaryDirectory dir_;
  std::vector<testing::StalledDisk> syncs_;
  std::list<Strike> on_network_;  // under way
  std::set<int> may_be_down_;     // nodes, by strikes under way
  std::unique_ptr<testing::Cluster> cluster_;
  int copies_ = 0;
};

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_ARENA_H_
