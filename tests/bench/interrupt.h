// Ctrl-C and SIGTERM end a benchmark in order: whoever waits looks here, returns, and the servers and their data go.
#ifndef DROVER_TESTS_BENCH_INTERRUPT_H_
#define DROVER_TESTS_BENCH_INTERRUPT_H_

#include "absl/status/status.h"
#include "coord/base/time.h"

namespace drover::bench {

// Once, before any thread is started. A second signal ends the process at once (its servers with it, their data stays).
void WatchInterrupts();
[[nodiscard]] bool Interrupted();

// Waits so long. CANCELLED: interrupted.
absl::Status Pause(base::Duration duration);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_INTERRUPT_H_
