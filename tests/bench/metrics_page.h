// The page of metrics of a server, as a benchmark reads it.
#ifndef DROVER_TESTS_BENCH_METRICS_PAGE_H_
#define DROVER_TESTS_BENCH_METRICS_PAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::bench {

// The value of the series `name`, which has no labels, in Prometheus's text format. Pure. NOT_FOUND: it is not on the page.
[[nodiscard]] absl::StatusOr<double> MetricOf(absl::string_view page, absl::string_view name);

struct Page {
  int code = 0;
  std::string text;
};
// GET of http://127.0.0.1:`port``path`. Blocking. UNAVAILABLE: nobody answers there.
[[nodiscard]] absl::StatusOr<Page> FetchPage(int port, const std::string& path);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_METRICS_PAGE_H_
