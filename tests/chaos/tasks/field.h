// A whole pool of real processes that can be hit: coordination nodes, masters and workers, with a network of their own between
// them. Threads: one.
#ifndef DROVER_TESTS_CHAOS_TASKS_FIELD_H_
#define DROVER_TESTS_CHAOS_TASKS_FIELD_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/tasks/blows.h"
#include "tests/support/cluster.h"

namespace drover::chaos::tasks {

class Field {
 public:
  // Starts all of it and waits until it serves. Throws if that fails.
  explicit Field(const PlanOptions& plan);

  void Begin(const Hit& hit);
  // `hit` as begun.
  void End(const Hit& hit);
  // Throws, with its log, if a process has ended that nobody has hit.
  void CheckRunning();

  [[nodiscard]] std::vector<std::string> coords();
  testing::Cluster& cluster() { return *cluster_; }
  // Programs that run as tasks here: none once all have ended.
  [[nodiscard]] std::vector<pid_t> Programs() const;

 private:
  [[nodiscard]] testing::Process& ProcessOf(const Hit& hit);
  // Of a master's or worker's words with the core.
  template <typename Do>
  void ForLinks(const Hit& hit, Do act);

  std::unique_ptr<testing::Cluster> cluster_;
  std::set<std::pair<Target, int>> down_;  // may have ended
};

}  // namespace drover::chaos::tasks

#endif  // DROVER_TESTS_CHAOS_TASKS_FIELD_H_
