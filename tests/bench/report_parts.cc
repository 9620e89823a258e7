#include "tests/bench/report_parts.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace drover::bench {

MeasurementSummary Summarize(const std::vector<Measurement>& measurements) {
  std::vector<double> per_second;
  std::vector<double> p50;
  std::vector<double> p99;
  for (const Measurement& m : measurements) {
    per_second.push_back(m.per_second);
    p50.push_back(m.p50_us);
    p99.push_back(m.p99_us);
  }
  return {Summarize(std::move(per_second)), Summarize(std::move(p50)), Summarize(std::move(p99))};
}

std::string WithSpread(const Summary& s) {
  return absl::StrFormat("%.0f (%.0f-%.0f)", s.median, s.min, s.max);
}

double Seconds(base::Duration d) {
  return std::chrono::duration<double>(d).count();
}

Json MeasurementsJson(const std::vector<Measurement>& measurements) {
  Json json = Json::array();
  for (const Measurement& m : measurements) {
    json.push_back({{"operations_per_second", m.per_second}, {"p50_us", m.p50_us}, {"p99_us", m.p99_us}});
  }
  return json;
}

}  // namespace drover::bench
