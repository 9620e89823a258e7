// What stands at the beginning of every report: on what was measured, and how each system ran. Pure.
#ifndef DROVER_TESTS_BENCH_PREFACE_H_
#define DROVER_TESTS_BENCH_PREFACE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/report.h"
#include "tests/bench/statistics.h"

namespace drover::bench {

[[nodiscard]] std::string PrefaceText(const Machine& machine, const std::vector<SystemFacts>& systems);
// The fields "benchmark", "machine" and "systems".
[[nodiscard]] nlohmann::ordered_json PrefaceJson(const std::string& benchmark, const Machine& machine,
                                                 const std::vector<SystemFacts>& systems);
[[nodiscard]] nlohmann::ordered_json SummaryJson(const Summary& s);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_PREFACE_H_
