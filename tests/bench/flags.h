// What drover-bench was asked to do. Pure, given the arguments.
#ifndef DROVER_TESTS_BENCH_FLAGS_H_
#define DROVER_TESTS_BENCH_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "tests/bench/workload.h"

namespace drover::bench {

enum class Command { kCoord, kFailover, kSteady, kScale, kWatches };

enum class ScalePart { kMemory, kSnapshotGap, kRestart, kCatchUp, kAddNode };

struct Flags {
  Command command = Command::kCoord;

  // All commands.
  int nodes = 3;
  std::vector<std::string> systems = {"drover"};  // in the order in which they are measured
  std::string data;                               // directory for the servers' data; empty: the system's temporary one
  bool json = false;

  // coord
  std::vector<Workload> workloads = {Workload::kSet, Workload::kGet, Workload::kLocalGet, Workload::kMixed};
  std::vector<Load> loads = {{1, 1}, {4, 64}};
  std::vector<std::size_t> value_bytes = {100};
  int keys = 1'000;
  bool at_follower = false;  // the first client begins at the follower after the leader, not at the leader
  int set_percent = 10;
  base::Duration warm_up = std::chrono::seconds(2);
  base::Duration measure = std::chrono::seconds(5);
  int repetitions = 5;

  // failover
  int kills = 10;
  bool stop = false;  // SIGSTOP instead of SIGKILL
  int rate = 500;     // writes a second
  base::Duration pause = std::chrono::seconds(1);
  base::Duration limit = std::chrono::seconds(60);

  // steady; of the workloads, loads and sizes above the first of each
  base::Duration duration = std::chrono::minutes(10);
  base::Duration slice = std::chrono::minutes(1);  // what is measured by itself; `duration` is a whole number of them
  int stalls = 0;                                  // how often a follower's disk stalls
  base::Duration stall = std::chrono::seconds(3);

  // scale; warm_up, measure and repetitions, too
  std::vector<ScalePart> parts = {ScalePart::kMemory, ScalePart::kSnapshotGap, ScalePart::kRestart, ScalePart::kCatchUp,
                                  ScalePart::kAddNode};
  std::size_t znodes = 1'000'000;
  std::size_t data_bytes = 100;
  std::uint64_t restart_entries = 100'000;  // of the log behind the snapshot, that a start replays
  std::uint64_t missed_writes = 1'000'000;  // that a node which comes back has missed

  // watches; data_bytes, warm_up and measure, too
  int sessions = 10'000;
  std::uint64_t watches = 1'000'000;  // of all sessions together, the same number of each
  std::string watch_kind = "persistent";
};

// Reads the arguments (without the program's name). OK and `*done` set: help or version was printed to `out`. INVALID_ARGUMENT:
// usage; the message says what is wrong.
[[nodiscard]] absl::Status ParseFlags(const std::vector<std::string>& args,
                                      const std::function<std::optional<std::string>(const std::string&)>& environment,
                                      std::ostream& out, Flags* flags, bool* done);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_FLAGS_H_
