// What the numbers were measured on.
#ifndef DROVER_TESTS_BENCH_MACHINE_H_
#define DROVER_TESTS_BENCH_MACHINE_H_

#include <string>

#include "tests/bench/report.h"

namespace drover::bench {

// `data`: the directory in which the servers keep their data; it exists.
[[nodiscard]] Machine DescribeMachine(const std::string& data);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_MACHINE_H_
