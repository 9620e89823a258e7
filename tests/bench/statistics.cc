#include "tests/bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace drover::bench {

Summary Summarize(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

double Percentile(std::vector<float>* samples, double quantile) {
  if (samples->empty()) return 0;
  const auto count = static_cast<double>(samples->size());
  const auto rank = static_cast<std::ptrdiff_t>(std::clamp(std::ceil(count * quantile), 1.0, count));
  const auto nth = samples->begin() + (rank - 1);
  std::nth_element(samples->begin(), nth, samples->end());
  return static_cast<double>(*nth);
}

}  // namespace drover::bench
