// Figures made of samples. Pure; any thread.
#ifndef DROVER_TESTS_BENCH_STATISTICS_H_
#define DROVER_TESTS_BENCH_STATISTICS_H_

#include <vector>

namespace drover::bench {

// Median and spread of what was repeated. Of an even number the median is the mean of the two in the middle.
struct Summary {
  double median = 0;
  double min = 0;
  double max = 0;

  friend bool operator==(const Summary&, const Summary&) = default;
};

// Nothing repeated: all 0.
[[nodiscard]] Summary Summarize(std::vector<double> values);

// The smallest sample that at least `quantile` (0 < quantile <= 1) of all samples do not exceed (nearest rank); 0 of no samples.
// Reorders them.
[[nodiscard]] double Percentile(std::vector<float>* samples, double quantile);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_STATISTICS_H_
