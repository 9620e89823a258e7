// What drover-bench scale found, as tables for people and as JSON for programs. Pure.
//
// The JSON is one object: "benchmark", "machine", "systems", "options", and for each part that was measured "memory",
// "snapshot_gap", "restart", "catch_up", "add_node". Fields that end in _bytes, _s, _ms and _us are in that.
#ifndef DROVER_TESTS_BENCH_SCALE_REPORT_H_
#define DROVER_TESTS_BENCH_SCALE_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/flags.h"
#include "tests/bench/report.h"

namespace drover::bench {

// One server of a system, before and after the znodes were made; no snapshot is under way.
struct NodeFootprint {
  double empty_bytes = 0;   // resident
  double full_bytes = 0;    // resident
  double peak_bytes = 0;    // most resident while they were made
  double buffer_bytes = 0;  // of the full ones, what is bounded and no znode: of Drover its event history and cached entries
};

struct MemoryResult {
  std::string system;
  double fill_s = 0;
  std::vector<NodeFootprint> nodes;
};

// One run of the load.
struct GapRun {
  bool with_snapshot = false;
  Measurement load;
  // Of the nodes the most; 0 in a run without.
  double snapshot_s = 0;
  double resident_bytes = 0;  // when the run began
  double peak_bytes = 0;      // until it ended
};

struct RestartRun {
  double ready_s = 0;  // from the start of the process until it serves
  double entries = 0;  // behind its snapshot
  double cpu_s = 0;    // of the process by then
  double resident_bytes = 0;
};

struct CatchUpResult {
  Measurement all_up, one_down, catching_up, caught_up;
  double missed_entries = 0;       // of the log, when the node came back
  double caught_up_s = 0;          // from the start of its process until it had applied what the leader knew
  double snapshots_installed = 0;  // on the way
  double resident_bytes = 0;       // of that node, at the end
};

struct AddNodeResult {
  Measurement before, adding, after;
  double added_s = 0;  // from the start of its process until it was a member
  double voter_s = 0;  // until it was a voter
  double snapshots_installed = 0;
  double resident_bytes = 0;  // of that node, at the end
};

struct ScaleReport {
  Machine machine;
  std::vector<SystemFacts> systems;
  std::vector<MemoryResult> memory;
  std::vector<GapRun> gaps;
  std::vector<RestartRun> restarts;
  std::optional<CatchUpResult> catch_up;
  std::optional<AddNodeResult> add_node;
};

[[nodiscard]] std::string ScaleText(const Flags& flags, const ScaleReport& report);
[[nodiscard]] std::string ScaleJson(const Flags& flags, const ScaleReport& report);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SCALE_REPORT_H_
