// The parts of drover-bench scale. Each takes a settled cluster that holds the znodes (FillZnodes), and leaves it settled. Main
// thread.
#ifndef DROVER_TESTS_BENCH_SCALE_PARTS_H_
#define DROVER_TESTS_BENCH_SCALE_PARTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/flags.h"
#include "tests/bench/load.h"
#include "tests/bench/scale/cluster.h"
#include "tests/bench/scale/report.h"
#include "tests/bench/systems/system.h"

namespace drover::bench {

// Makes the znodes of `flags`, through several sessions with many requests in flight.
absl::Status FillZnodes(System* system, const Flags& flags);

// `system` is started and empty; it is full afterwards. `cluster`: of Drover, else null.
[[nodiscard]] absl::StatusOr<MemoryResult> MeasureMemory(System* system, const Flags& flags, ScaleCluster* cluster);

// Runs of the load without a snapshot and with one on every node at once, by turns.
[[nodiscard]] absl::StatusOr<std::vector<GapRun>> MeasureSnapshotGap(ScaleCluster* cluster, const Flags& flags,
                                                                     const std::vector<std::string>& keys);

// A follower with a snapshot and a log behind it is ended and started.
[[nodiscard]] absl::StatusOr<std::vector<RestartRun>> MeasureRestart(ScaleCluster* cluster, const Flags& flags,
                                                                     const std::vector<std::string>& keys);

// A follower is killed, misses writes, and comes back under full load.
[[nodiscard]] absl::StatusOr<CatchUpResult> MeasureCatchUp(ScaleCluster* cluster, const Flags& flags,
                                                           const std::vector<std::string>& keys);

// A further node is added and promoted under full load, and removed in the end.
[[nodiscard]] absl::StatusOr<AddNodeResult> MeasureAddNode(ScaleCluster* cluster, const Flags& flags,
                                                           const std::vector<std::string>& keys);

// Sets of random values to random ones of `keys`, from 4 sessions with 64 requests in flight each.
[[nodiscard]] LoadSpec FullLoad(const Flags& flags, const std::vector<std::string>& keys);
[[nodiscard]] absl::StatusOr<Measurement> RunFullLoad(System* system, LoadSpec spec);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SCALE_PARTS_H_
