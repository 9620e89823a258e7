#include "tests/bench/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/process/options.h"
#include "tests/bench/preface.h"
#include "tests/bench/report_parts.h"
#include "tests/bench/statistics.h"
#include "tests/bench/table.h"

namespace drover::bench {
namespace {

bool SamePlace(const Point& a, const Point& b) {
  return a.workload == b.workload && a.load == b.load && a.value_bytes == b.value_bytes;
}

// How many times as much Drover did at this point; nothing for Drover itself, or where it was not measured.
std::string DroverTimes(const std::vector<Point>& points, const Point& point) {
  if (point.system == "drover") return "";
  const auto drover =
      std::find_if(points.begin(), points.end(), [&point](const Point& p) { return p.system == "drover" && SamePlace(p, point); });
  const double theirs = Summarize(point.repetitions).per_second.median;
  if (drover == points.end() || theirs <= 0) return "";
  return absl::StrFormat("%.2f", Summarize(drover->repetitions).per_second.median / theirs);
}

Summary SummarizeOutages(const FailoverResult& result) {
  std::vector<double> seconds;
  for (const Outage& outage : result.outages) seconds.push_back(outage.seconds);
  return Summarize(std::move(seconds));
}

}  // namespace

std::string CoordText(const Flags& flags, const CoordReport& report) {
  std::vector<std::vector<std::string>> rows;
  std::string failures;
  for (const Point& point : report.points) {
    const MeasurementSummary s = Summarize(point.repetitions);
    for (const std::string& why : point.failures) {
      absl::StrAppend(&failures, "\nmeasured anew: ", WorkloadName(point.workload), " ", point.load.clients, "x", point.load.window,
                      ": ", why);
    }
    rows.push_back({std::string(WorkloadName(point.workload)), absl::StrCat(point.load.clients, "x", point.load.window),
                    absl::StrCat(point.value_bytes), point.system, WithSpread(s.per_second), WithSpread(s.p50_us),
                    WithSpread(s.p99_us), DroverTimes(report.points, point)});
  }
  return absl::StrCat(PrefaceText(report.machine, report.systems), "\n", "Median (lowest-highest) of ", flags.repetitions,
                      " measurements of ", process::FormatDuration(flags.measure),
                      ", the systems by turns. LOAD is clients x requests in flight each; the first client begins at ",
                      flags.at_follower ? "a follower" : "the leader", ".\n\n",
                      Table({"WORKLOAD", "LOAD", "BYTES", "SYSTEM", "OPS/S", "P50 US", "P99 US", "DROVER DID x"}, rows, 4),
                      failures, failures.empty() ? "" : "\n");
}

std::string CoordJson(const Flags& flags, const CoordReport& report) {
  Json json = PrefaceJson("coord", report.machine, report.systems);
  json["options"] = {{"keys", flags.keys},
                     {"first", flags.at_follower ? "follower" : "leader"},
                     {"mixed_sets_percent", flags.set_percent},
                     {"warm_up_s", Seconds(flags.warm_up)},
                     {"measure_s", Seconds(flags.measure)},
                     {"repetitions", flags.repetitions}};
  json["results"] = Json::array();
  for (const Point& point : report.points) {
    const MeasurementSummary s = Summarize(point.repetitions);
    json["results"].push_back({{"workload", std::string(WorkloadName(point.workload))},
                               {"clients", point.load.clients},
                               {"window", point.load.window},
                               {"value_bytes", point.value_bytes},
                               {"system", point.system},
                               {"operations_per_second", SummaryJson(s.per_second)},
                               {"p50_us", SummaryJson(s.p50_us)},
                               {"p99_us", SummaryJson(s.p99_us)},
                               {"repetitions", MeasurementsJson(point.repetitions)},
                               {"failures", point.failures}});
  }
  return json.dump(2) + "\n";
}

std::string FailoverText(const Flags& flags, const FailoverReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const FailoverResult& result : report.results) {
    const Summary s = SummarizeOutages(result);
    rows.push_back({result.system, absl::StrCat(result.outages.size()), absl::StrFormat("%.3f", s.median),
                    absl::StrFormat("%.3f", s.max), absl::StrFormat("%.3f", s.min), absl::StrCat(result.writes_acknowledged),
                    absl::StrCat(result.writes_failed)});
  }
  return absl::StrCat(PrefaceText(report.machine, report.systems), "\n", "Seconds from ", flags.stop ? "SIGSTOP" : "SIGKILL",
                      " of the leader until a write made after it is acknowledged, under ", flags.rate, " writes/s of ",
                      flags.value_bytes.front(), " bytes.\n\n",
                      Table({"SYSTEM", "TIMES", "MEDIAN", "WORST", "BEST", "WRITES", "FAILED"}, rows, 1));
}

std::string FailoverJson(const Flags& flags, const FailoverReport& report) {
  Json json = PrefaceJson("failover", report.machine, report.systems);
  json["options"] = {{"signal", flags.stop ? "SIGSTOP" : "SIGKILL"},
                     {"kills", flags.kills},
                     {"rate", flags.rate},
                     {"value_bytes", flags.value_bytes.front()},
                     {"pause_s", Seconds(flags.pause)}};
  json["results"] = Json::array();
  for (const FailoverResult& result : report.results) {
    Json outages = Json::array();
    for (const Outage& outage : result.outages) outages.push_back({{"leader", outage.leader}, {"outage_s", outage.seconds}});
    json["results"].push_back({{"system", result.system},
                               {"outage_s", SummaryJson(SummarizeOutages(result))},
                               {"writes_acknowledged", result.writes_acknowledged},
                               {"writes_failed", result.writes_failed},
                               {"outages", outages}});
  }
  return json.dump(2) + "\n";
}

}  // namespace drover::bench
