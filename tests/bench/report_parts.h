// What the reports of all benchmarks have in common. Pure.
#ifndef DROVER_TESTS_BENCH_REPORT_PARTS_H_
#define DROVER_TESTS_BENCH_REPORT_PARTS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "coord/base/time.h"
#include "tests/bench/report.h"
#include "tests/bench/statistics.h"

namespace drover::bench {

using Json = nlohmann::ordered_json;

struct MeasurementSummary {
  Summary per_second;
  Summary p50_us;
  Summary p99_us;
};

[[nodiscard]] MeasurementSummary Summarize(const std::vector<Measurement>& measurements);
// "14210 (13800-15020)".
[[nodiscard]] std::string WithSpread(const Summary& s);
[[nodiscard]] double Seconds(base::Duration d);

[[nodiscard]] Json MeasurementsJson(const std::vector<Measurement>& measurements);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_REPORT_PARTS_H_
