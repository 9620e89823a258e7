#include "tests/bench/scale/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/process/options.h"
#include "tests/bench/preface.h"
#include "tests/bench/statistics.h"
#include "tests/bench/table.h"

namespace drover::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string MiB(double bytes) {
  return absl::StrFormat("%.0f", bytes / (1 << 20));
}

// "14210 (13800-15020)", each by `unit`.
std::string WithSpread(const Summary& s, double unit, int digits) {
  return absl::StrFormat("%.*f (%.*f-%.*f)", digits, s.median / unit, digits, s.min / unit, digits, s.max / unit);
}

// One figure of all that was repeated.
template <typename T, typename Of>
Summary SummarizeOf(const std::vector<T>& all, const Of& of) {
  std::vector<double> values;
  for (const T& one : all) values.push_back(of(one));
  return Summarize(std::move(values));
}

std::vector<GapRun> RunsOf(const ScaleReport& report, bool with_snapshot) {
  std::vector<GapRun> runs;
  std::copy_if(report.gaps.begin(), report.gaps.end(), std::back_inserter(runs),
               [with_snapshot](const GapRun& run) { return run.with_snapshot == with_snapshot; });
  return runs;
}

double GapOf(const GapRun& run) {
  return run.load.largest_gap_us;
}

// The server that takes most, less what is in buffers.
const NodeFootprint& Largest(const MemoryResult& result) {
  return *std::max_element(result.nodes.begin(), result.nodes.end(), [](const NodeFootprint& a, const NodeFootprint& b) {
    return a.full_bytes - a.buffer_bytes < b.full_bytes - b.buffer_bytes;
  });
}

std::string MemoryText(const Flags& flags, const ScaleReport& report) {
  std::vector<std::vector<std::string>> rows;
  const auto znodes = static_cast<double>(flags.znodes);
  for (const MemoryResult& result : report.memory) {
    const NodeFootprint& node = Largest(result);
    rows.push_back({result.system, absl::StrFormat("%.0f", result.fill_s), MiB(node.empty_bytes), MiB(node.full_bytes),
                    MiB(node.peak_bytes), MiB(node.buffer_bytes), absl::StrFormat("%.0f", node.full_bytes / znodes),
                    absl::StrFormat("%.0f", (node.full_bytes - node.buffer_bytes) / znodes),
                    absl::StrFormat("%.0f", (node.full_bytes - node.buffer_bytes - node.empty_bytes) / znodes)});
  }
  return absl::StrCat(
      "\nMemory: resident MiB of the server that takes most; no snapshot is under way. BUFFERS are bounded and hold no "
      "znodes (of Drover:\nevent history, cached entries). Bytes a znode: of all, without buffers, and without what "
      "the server took when it was empty.\n\n",
      Table({"SYSTEM", "FILL S", "EMPTY", "FULL", "PEAK", "BUFFERS", "ALL/ZNODE", "-BUFFERS", "-EMPTY"}, rows, 1));
}

std::string GapText(const ScaleReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const bool with_snapshot : {false, true}) {
    const std::vector<GapRun> runs = RunsOf(report, with_snapshot);
    const auto of = [&runs](auto figure) { return SummarizeOf(runs, figure); };
    rows.push_back({with_snapshot ? "with" : "without", WithSpread(of([](const GapRun& r) { return r.load.per_second; }), 1, 0),
                    WithSpread(of([](const GapRun& r) { return r.load.p99_us; }), 1e3, 1), WithSpread(of(GapOf), 1e3, 1),
                    with_snapshot ? WithSpread(of([](const GapRun& r) { return r.snapshot_s; }), 1, 1) : "",
                    WithSpread(of([](const GapRun& r) { return r.resident_bytes; }), 1 << 20, 0),
                    WithSpread(of([](const GapRun& r) { return r.peak_bytes; }), 1 << 20, 0)});
  }
  const double more = SummarizeOf(RunsOf(report, true), GapOf).median - SummarizeOf(RunsOf(report, false), GapOf).median;
  return absl::StrCat(
      "\nSnapshots: sets 4x64, without a snapshot and with one on every node at once, by turns; median (lowest-highest). GAP is "
      "the "
      "largest between\ntwo acknowledgements, TAKEN the slowest node's snapshot, RESIDENT (when the run began) and PEAK are MiB of "
      "the "
      "largest node.\nTechnique: a walk of the tree in slices on the loop; what is changed ahead of it is saved first; no "
      "fork.\n\n",
      Table({"SNAPSHOT", "OPS/S", "P99 MS", "GAP MS", "TAKEN S", "RESIDENT", "PEAK"}, rows, 1),
      absl::StrFormat("\nA snapshot makes the largest gap %.1f ms longer.\n", more / 1e3));
}

std::string RestartText(const ScaleReport& report) {
  const auto of = [&report](auto figure) { return SummarizeOf(report.restarts, figure); };
  return absl::StrCat(
      "\nRestart: from the start of a follower's process until it serves, reading its snapshot and replaying the log behind "
      "it.\n\n",
      Table({"ENTRIES", "SERVES AFTER S", "CPU S", "RESIDENT MiB"},
            {{WithSpread(of([](const RestartRun& r) { return r.entries; }), 1, 0),
              WithSpread(of([](const RestartRun& r) { return r.ready_s; }), 1, 2),
              WithSpread(of([](const RestartRun& r) { return r.cpu_s; }), 1, 2),
              WithSpread(of([](const RestartRun& r) { return r.resident_bytes; }), 1 << 20, 0)}},
            0));
}

std::string LoadTable(const std::vector<std::pair<const char*, const Measurement*>>& loads) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [when, m] : loads) {
    rows.push_back({when, absl::StrFormat("%.0f", m->per_second), absl::StrFormat("%.1f", m->p50_us / 1e3),
                    absl::StrFormat("%.1f", m->p99_us / 1e3), absl::StrFormat("%.1f", m->largest_gap_us / 1e3)});
  }
  return Table({"WHILE", "OPS/S", "P50 MS", "P99 MS", "GAP MS"}, rows, 1);
}

std::string CatchUpText(const Flags& flags, const CatchUpResult& result) {
  return absl::StrCat(
      "\nCatching up: a follower is killed, misses ", flags.missed_writes, " writes and comes back, all under sets 4x64.\n\n",
      LoadTable({{"all nodes are up", &result.all_up},
                 {"one is down", &result.one_down},
                 {"it comes back", &result.catching_up},
                 {"it has caught up", &result.caught_up}}),
      absl::StrFormat("\nIt had caught up %.1f s after its start, over %.0f entries of the log, with %.0f snapshot(s) of "
                      "the leader. At the end %.0f MiB of it were resident.\n",
                      result.caught_up_s, result.missed_entries, result.snapshots_installed, result.resident_bytes / (1 << 20)));
}

std::string AddNodeText(const AddNodeResult& result) {
  return absl::StrCat(
      "\nAdding a node: it is started, added and promoted under sets 4x64.\n\n",
      LoadTable({{"as before", &result.before}, {"it is added", &result.adding}, {"it is a voter", &result.after}}),
      absl::StrFormat("\nIt was a member %.1f s after its start and a voter after %.1f s, with %.0f snapshot(s) of the leader. "
                      "At the end %.0f MiB of it were resident.\n",
                      result.added_s, result.voter_s, result.snapshots_installed, result.resident_bytes / (1 << 20)));
}

Json MeasurementJson(const Measurement& m) {
  return {{"operations_per_second", m.per_second},
          {"p50_us", m.p50_us},
          {"p99_us", m.p99_us},
          {"largest_gap_ms", m.largest_gap_us / 1e3}};
}

Json MemoryJson(const Flags& flags, const MemoryResult& result) {
  const auto znodes = static_cast<double>(flags.znodes);
  Json json = {{"system", result.system}, {"fill_s", result.fill_s}, {"nodes", Json::array()}};
  for (const NodeFootprint& node : result.nodes) {
    json["nodes"].push_back({{"empty_bytes", node.empty_bytes},
                             {"full_bytes", node.full_bytes},
                             {"peak_bytes", node.peak_bytes},
                             {"buffer_bytes", node.buffer_bytes},
                             {"znode_bytes", node.full_bytes / znodes},
                             {"znode_without_buffers_bytes", (node.full_bytes - node.buffer_bytes) / znodes}});
  }
  return json;
}

Json GapJson(const ScaleReport& report) {
  Json json;
  for (const bool with_snapshot : {false, true}) {
    const std::vector<GapRun> runs = RunsOf(report, with_snapshot);
    Json all = Json::array();
    for (const GapRun& run : runs) {
      Json one = MeasurementJson(run.load);
      one["resident_bytes"] = run.resident_bytes;
      one["peak_bytes"] = run.peak_bytes;
      if (with_snapshot) one["snapshot_s"] = run.snapshot_s;
      all.push_back(std::move(one));
    }
    json[with_snapshot ? "with" : "without"] = {
        {"largest_gap_ms", SummaryJson(SummarizeOf(runs, [](const GapRun& r) { return GapOf(r) / 1e3; }))},
        {"runs", std::move(all)}};
  }
  return json;
}

Json RestartJson(const ScaleReport& report) {
  Json runs = Json::array();
  for (const RestartRun& run : report.restarts) {
    runs.push_back(
        {{"ready_s", run.ready_s}, {"entries", run.entries}, {"cpu_s", run.cpu_s}, {"resident_bytes", run.resident_bytes}});
  }
  return {{"ready_s", SummaryJson(SummarizeOf(report.restarts, [](const RestartRun& r) { return r.ready_s; }))}, {"runs", runs}};
}

Json CatchUpJson(const CatchUpResult& result) {
  return {{"all_up", MeasurementJson(result.all_up)},
          {"one_down", MeasurementJson(result.one_down)},
          {"catching_up", MeasurementJson(result.catching_up)},
          {"caught_up", MeasurementJson(result.caught_up)},
          {"missed_entries", result.missed_entries},
          {"caught_up_s", result.caught_up_s},
          {"snapshots_installed", result.snapshots_installed},
          {"resident_bytes", result.resident_bytes}};
}

Json AddNodeJson(const AddNodeResult& result) {
  return {{"before", MeasurementJson(result.before)},
          {"adding", MeasurementJson(result.adding)},
          {"after", MeasurementJson(result.after)},
          {"added_s", result.added_s},
          {"voter_s", result.voter_s},
          {"snapshots_installed", result.snapshots_installed},
          {"resident_bytes", result.resident_bytes}};
}

}  // namespace

std::string ScaleText(const Flags& flags, const ScaleReport& report) {
  std::string text = absl::StrCat(PrefaceText(report.machine, report.systems), "\n", flags.znodes, " znodes with names of 20 and ",
                                  flags.data_bytes, " bytes of random text as data, ", kKeysPerDirectory, " below each parent.\n");
  if (!report.memory.empty()) text += MemoryText(flags, report);
  if (!report.gaps.empty()) text += GapText(report);
  if (!report.restarts.empty()) text += RestartText(report);
  if (report.catch_up) text += CatchUpText(flags, *report.catch_up);
  if (report.add_node) text += AddNodeText(*report.add_node);
  return text;
}

std::string ScaleJson(const Flags& flags, const ScaleReport& report) {
  Json json = PrefaceJson("scale", report.machine, report.systems);
  json["options"] = {{"znodes", flags.znodes},
                     {"data_bytes", flags.data_bytes},
                     {"warm_up_s", std::chrono::duration<double>(flags.warm_up).count()},
                     {"measure_s", std::chrono::duration<double>(flags.measure).count()},
                     {"repetitions", flags.repetitions},
                     {"restart_entries", flags.restart_entries},
                     {"missed_writes", flags.missed_writes}};
  if (!report.memory.empty()) json["memory"] = Json::array();
  for (const MemoryResult& result : report.memory) json["memory"].push_back(MemoryJson(flags, result));
  if (!report.gaps.empty()) json["snapshot_gap"] = GapJson(report);
  if (!report.restarts.empty()) json["restart"] = RestartJson(report);
  if (report.catch_up) json["catch_up"] = CatchUpJson(*report.catch_up);
  if (report.add_node) json["add_node"] = AddNodeJson(*report.add_node);
  return json.dump(2) + "\n";
}

}  // namespace drover::bench
