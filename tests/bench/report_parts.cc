#include "tests/bench/report_parts.h"

#include <utility>

#include "absl/strings/str_cat.h"
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

std::string Preface(const Machine& machine, const std::vector<SystemFacts>& systems) {
  std::string text = absl::StrCat("machine    ", machine.cores, " cores, Linux ", machine.kernel, "; ", machine.build,
                                  "\ndata       ", machine.data, " (", machine.file_system, ")\n");
  if (machine.file_system == "tmpfs") {
    absl::StrAppend(&text, "           WARNING: in memory, so fsync costs nothing here; give --data a directory on a disk\n");
  }
  for (const SystemFacts& s : systems) {
    absl::StrAppend(&text, "\n", s.name, " ", s.version, ", ", s.nodes, s.nodes == 1 ? " node" : " nodes", "\n  fsync    ", s.fsync,
                    "\n  client   ", s.client, "\n");
    if (!s.commands.empty()) absl::StrAppend(&text, "  server   ", s.commands.front(), "\n");
    if (!s.configuration.empty()) absl::StrAppend(&text, "  config   ", s.configuration, "\n");
  }
  return text;
}

Json PrefaceJson(const std::string& benchmark, const Machine& machine, const std::vector<SystemFacts>& systems) {
  Json json = {{"benchmark", benchmark},
               {"machine",
                {{"cores", machine.cores},
                 {"kernel", machine.kernel},
                 {"build", machine.build},
                 {"data", machine.data},
                 {"file_system", machine.file_system}}},
               {"systems", Json::array()}};
  for (const SystemFacts& s : systems) {
    json["systems"].push_back({{"name", s.name},
                               {"version", s.version},
                               {"nodes", s.nodes},
                               {"fsync", s.fsync},
                               {"client", s.client},
                               {"commands", s.commands},
                               {"configuration", s.configuration}});
  }
  return json;
}

Json SummaryJson(const Summary& s) {
  return {{"median", s.median}, {"min", s.min}, {"max", s.max}};
}

Json MeasurementsJson(const std::vector<Measurement>& measurements) {
  Json json = Json::array();
  for (const Measurement& m : measurements) {
    json.push_back({{"operations_per_second", m.per_second}, {"p50_us", m.p50_us}, {"p99_us", m.p99_us}});
  }
  return json;
}

}  // namespace drover::bench
