// Drover's own nodes: the drover-coord that was built beside this program, driven through coord/client's asynchronous sessions.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_DROVER_H_
#define DROVER_TESTS_BENCH_SYSTEMS_DROVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/systems/system.h"
#include "tests/support/stalled_disk.h"

namespace drover::bench {

[[nodiscard]] absl::StatusOr<std::unique_ptr<System>> MakeDrover(int nodes, const std::string& directory,
                                                                 const std::vector<testing::StalledDisk>& disks);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_DROVER_H_
