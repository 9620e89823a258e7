// drover-bench coord: throughput and latency of sets and gets, the systems by turns.
#ifndef DROVER_TESTS_BENCH_COORD_BENCH_H_
#define DROVER_TESTS_BENCH_COORD_BENCH_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/flags.h"
#include "tests/bench/report.h"

namespace drover::bench {

// Starts every system of `flags` with its data below `directory`, measures each point, and stops them. `progress` gets a line for
// each measurement. Main thread.
[[nodiscard]] absl::StatusOr<CoordReport> RunCoordBench(const Flags& flags, const std::string& directory,
                                                        const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_COORD_BENCH_H_
