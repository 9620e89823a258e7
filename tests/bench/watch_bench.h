// drover-bench watches: what sessions and their watches take of one node's memory, and how fast a change reaches them all.
#ifndef DROVER_TESTS_BENCH_WATCH_BENCH_H_
#define DROVER_TESTS_BENCH_WATCH_BENCH_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/flags.h"
#include "tests/bench/watch_report.h"

namespace drover::bench {

// On one node of Drover, its data below `directory`. `progress` gets a line for each step. FAILED_PRECONDITION: so many sessions
// need more descriptors than this process may have. Main thread.
[[nodiscard]] absl::StatusOr<WatchReport> RunWatchBench(const Flags& flags, const std::string& directory,
                                                        const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_WATCH_BENCH_H_
