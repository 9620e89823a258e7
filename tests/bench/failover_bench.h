// drover-bench failover: how long writes stand still when the leader is killed or stopped, one system after the other.
#ifndef DROVER_TESTS_BENCH_FAILOVER_BENCH_H_
#define DROVER_TESTS_BENCH_FAILOVER_BENCH_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/flags.h"
#include "tests/bench/report.h"

namespace drover::bench {

// Each system of `flags` by itself, its data below `directory`. After each kill the server is started again (or let go on), and the
// next kill waits until all servers have caught up. `progress` gets a line for each kill. Main thread.
[[nodiscard]] absl::StatusOr<FailoverReport> RunFailoverBench(const Flags& flags, const std::string& directory,
                                                              const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_FAILOVER_BENCH_H_
