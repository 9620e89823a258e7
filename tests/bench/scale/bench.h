// drover-bench scale: what many znodes cost. See tests/bench/README.md.
#ifndef DROVER_TESTS_BENCH_SCALE_BENCH_H_
#define DROVER_TESTS_BENCH_SCALE_BENCH_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/flags.h"
#include "tests/bench/scale/report.h"

namespace drover::bench {

// Starts the systems of `flags` one after the other with their data below `directory`, measures the parts, and stops them.
// `progress` gets a line for each step. Main thread.
[[nodiscard]] absl::StatusOr<ScaleReport> RunScaleBench(const Flags& flags, const std::string& directory,
                                                        const std::function<void(absl::string_view)>& progress);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SCALE_BENCH_H_
