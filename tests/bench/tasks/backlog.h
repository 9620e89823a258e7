// Many tasks that wait: what they cost, and whether a pool with them still works.
#ifndef DROVER_TESTS_BENCH_TASKS_BACKLOG_H_
#define DROVER_TESTS_BENCH_TASKS_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace drover::bench::tasks {

// Submits so many that no worker can run, over some connections at a time; the seconds that it took. `coords`: the nodes, with
// commas between. Throws if a submission is refused.
double SubmitBacklog(const std::string& coords, std::size_t count);

struct BacklogReport {
  double submit_s = 0;
  // Resident bytes, of processes without tasks and with all of them.
  std::uint64_t master_empty = 0, master_full = 0;
  std::uint64_t standby_empty = 0, standby_full = 0;
  std::uint64_t node_empty = 0, node_full = 0;
  // Then: a task that can run, from its submission to its result, idle and median of 20; and after the elected master's death.
  double run_ms = 0;
  double take_over_s = 0;
};
// With 3 coordination nodes, 2 masters and a worker. Throws what the harness does.
[[nodiscard]] BacklogReport MeasureBacklog(std::size_t count, const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench::tasks

#endif  // DROVER_TESTS_BENCH_TASKS_BACKLOG_H_
