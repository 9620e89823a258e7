#include "tests/bench/steady_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/process/options.h"
#include "tests/bench/preface.h"
#include "tests/bench/report_parts.h"
#include "tests/bench/statistics.h"
#include "tests/bench/table.h"

namespace drover::bench {

std::string SteadyText(const Flags& flags, const SteadyReport& report) {
  std::vector<std::vector<std::string>> rows;
  std::string failures;
  for (const SteadyResult& result : report.results) {
    const MeasurementSummary s = Summarize(result.slices);
    rows.push_back({result.system, absl::StrCat(result.term_after - result.term_before), absl::StrCat(result.stalls),
                    absl::StrCat(result.slices.size()), absl::StrCat(result.failures.size()), WithSpread(s.per_second),
                    WithSpread(s.p50_us), WithSpread(s.p99_us)});
    for (const std::string& why : result.failures) absl::StrAppend(&failures, "\nrefused: ", result.system, ": ", why);
  }
  const Load& load = flags.loads.front();
  return absl::StrCat(
      PrefaceText(report.machine, report.systems), "\n", WorkloadName(flags.workloads.front()), ", ", load.clients, "x",
      load.window, ", ", flags.value_bytes.front(), " bytes, for ", process::FormatDuration(flags.duration), " in slices of ",
      process::FormatDuration(flags.slice),
      flags.stalls > 0 ? absl::StrCat("; each stall of a follower's disk took ", process::FormatDuration(flags.stall)) : "",
      ". Median (lowest-highest) of the slices. TERMS is how many elections it came to.\n\n",
      Table({"SYSTEM", "TERMS", "STALLS", "SLICES", "REFUSED", "OPS/S", "P50 US", "P99 US"}, rows, 1), failures,
      failures.empty() ? "" : "\n");
}

std::string SteadyJson(const Flags& flags, const SteadyReport& report) {
  Json json = PrefaceJson("steady", report.machine, report.systems);
  const Load& load = flags.loads.front();
  json["options"] = {{"workload", std::string(WorkloadName(flags.workloads.front()))},
                     {"clients", load.clients},
                     {"window", load.window},
                     {"value_bytes", flags.value_bytes.front()},
                     {"duration_s", Seconds(flags.duration)},
                     {"slice_s", Seconds(flags.slice)},
                     {"stalls", flags.stalls},
                     {"stall_s", Seconds(flags.stall)}};
  json["results"] = Json::array();
  for (const SteadyResult& result : report.results) {
    const MeasurementSummary s = Summarize(result.slices);
    json["results"].push_back({{"system", result.system},
                               {"elections", result.term_after - result.term_before},
                               {"stalls", result.stalls},
                               {"operations_per_second", SummaryJson(s.per_second)},
                               {"p50_us", SummaryJson(s.p50_us)},
                               {"p99_us", SummaryJson(s.p99_us)},
                               {"slices", MeasurementsJson(result.slices)},
                               {"failures", result.failures}});
  }
  return json.dump(2) + "\n";
}

}  // namespace drover::bench
