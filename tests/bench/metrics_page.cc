#include "tests/bench/metrics_page.h"

#include <httplib.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace drover::bench {

absl::StatusOr<double> MetricOf(absl::string_view page, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    double value = 0;
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, " ") && absl::SimpleAtod(line, &value)) return value;
  }
  return absl::NotFoundError(absl::StrCat("the page of metrics has no ", name));
}

absl::StatusOr<Page> FetchPage(int port, const std::string& path) {
  httplib::Client client("127.0.0.1", port);
  const httplib::Result result = client.Get(path.c_str());
  if (!result) return absl::UnavailableError(absl::StrCat("nobody answers at port ", port));
  return Page{result->status, result->body};
}

}  // namespace drover::bench
