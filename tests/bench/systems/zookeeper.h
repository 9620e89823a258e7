// Debian's ZooKeeper, driven through its multi-threaded C client.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_ZOOKEEPER_H_
#define DROVER_TESTS_BENCH_SYSTEMS_ZOOKEEPER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/systems/system.h"

namespace drover::bench {

[[nodiscard]] absl::StatusOr<std::unique_ptr<System>> MakeZooKeeper(int nodes, const std::string& directory);

// What a server answers to "srvr", read. UNAVAILABLE: it does not serve.
[[nodiscard]] absl::StatusOr<NodeState> ParseZooKeeperState(const std::string& text);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_ZOOKEEPER_H_
