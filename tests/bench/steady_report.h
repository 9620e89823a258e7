// What `drover-bench steady` found, as a table for people and as JSON for programs. Pure. Keys of the JSON as in report.h.
#ifndef DROVER_TESTS_BENCH_STEADY_REPORT_H_
#define DROVER_TESTS_BENCH_STEADY_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/flags.h"
#include "tests/bench/report.h"

namespace drover::bench {

struct SteadyResult {
  std::string system;
  std::vector<Measurement> slices;
  std::vector<std::string> failures;  // of slices in which a request was refused: why
  std::uint64_t term_before = 0;
  std::uint64_t term_after = 0;
  int stalls = 0;  // of followers' disks, as made
};

struct SteadyReport {
  Machine machine;
  std::vector<SystemFacts> systems;
  std::vector<SteadyResult> results;
};

[[nodiscard]] std::string SteadyText(const Flags& flags, const SteadyReport& report);
[[nodiscard]] std::string SteadyJson(const Flags& flags, const SteadyReport& report);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_STEADY_REPORT_H_
