#include "tests/bench/preface.h"

#include "absl/strings/str_cat.h"

namespace drover::bench {

using Json = nlohmann::ordered_json;

std::string PrefaceText(const Machine& machine, const std::vector<SystemFacts>& systems) {
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

}  // namespace drover::bench
