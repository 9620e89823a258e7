// drover-bench steady: whether a leader stays where it is under full load for minutes, also while disks of followers stall.
#ifndef DROVER_TESTS_BENCH_STEADY_BENCH_H_
#define DROVER_TESTS_BENCH_STEADY_BENCH_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/flags.h"
#include "tests/bench/steady_report.h"

namespace drover::bench {

// Starts the systems of `flags` one after the other, with their data below `directory`, loads and stops them. A slice in which a
// request was refused is told and not made anew: that is what is looked for. `progress` gets a line for each slice. Main thread.
[[nodiscard]] absl::StatusOr<SteadyReport> RunSteadyBench(const Flags& flags, const std::string& directory,
                                                          const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_STEADY_BENCH_H_
