// ProcessRunner over real processes: worker -> reaper -> one shim per task -> program. See README.md.
//
// One I/O thread reads pipes and talks to the reaper; everything else of the interface happens on the loop.
#ifndef DROVER_WORKER_EXEC_LOCAL_RUNNER_H_
#define DROVER_WORKER_EXEC_LOCAL_RUNNER_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coord/base/loop.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::exec {

struct RunnerOptions {
  // Where the tasks' directories are made, in a directory of this process's own. It must exist.
  std::string work_root = "/tmp";
  // Of output handed to the listener of one run (both streams together) and not acknowledged.
  std::size_t unacked_bytes_max = 1 << 20;
  // Executed as the reaper; its main() must call RunIfReaper. Default: this binary.
  std::string reaper_binary = "/proc/self/exe";
  // The reaper died (loop thread): its tasks end as kLost when they are dead, and a new one is running by then.
  std::function<void()> on_reaper_lost;
};

class LocalRunner : public ProcessRunner {
 public:
  // Starts the reaper and the I/O thread. Call it early; it does not fork, so threads may run already.
  static absl::StatusOr<std::unique_ptr<LocalRunner>> Create(base::Loop* loop, RunnerOptions options);

  // The orderly end: what still runs is killed and waited for, the reaper leaves without a last word. Blocks meanwhile.
  ~LocalRunner() override = default;

  // For a worker that runs handlers. From WatchWorker on the reaper kills this process (SIGKILL) at `doom_ns` (CLOCK_BOOTTIME; 0:
  // never) and, if it is doomed with it, when the lease ends: also while it is paused. Any thread.
  virtual void WatchWorker() = 0;
  virtual void SetDoom(std::int64_t doom_ns) = 0;
  virtual void SetDoomedWithLease(bool doomed) = 0;

  // For logs and tests; changes when a reaper was replaced. Any thread.
  [[nodiscard]] virtual pid_t reaper_pid() const = 0;
};

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_LOCAL_RUNNER_H_
