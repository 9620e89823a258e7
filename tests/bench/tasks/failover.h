// How long work stands still when something fails: measured with real processes, again and again.
#ifndef DROVER_TESTS_BENCH_TASKS_FAILOVER_H_
#define DROVER_TESTS_BENCH_TASKS_FAILOVER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::bench::tasks {

enum class What {
  kWorkerKill,  // SIGKILL of a worker -> its task has started elsewhere
  kWorkerCut,   // a worker hears and says nothing any more -> its task has started elsewhere
  kWorkerStop,  // SIGTERM of a worker that waits for nothing -> its task has started elsewhere
  kMasterKill,  // SIGKILL of the elected master -> a task that is submitted right then has started
  kCoreKill,    // SIGKILL of the core's leader -> the same
};
struct NamedWhat {
  const char* name;
  What what;
  const char* sentence;
};
// "worker-kill" ...
[[nodiscard]] const std::vector<NamedWhat>& AllWhats();

struct FailoverOptions {
  int runs = 20;
  // Tasks that wait while the elected master, or the core's leader, is killed.
  std::size_t live = 100'000;
};

// Seconds, one for each run. A cluster of 3 coordination nodes, 3 masters and 4 workers, with their default time-outs; what was hit
// is back before the next run. Throws what the harness does.
[[nodiscard]] std::vector<double> MeasureFailover(What what, const FailoverOptions& options,
                                                  const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench::tasks

#endif  // DROVER_TESTS_BENCH_TASKS_FAILOVER_H_
