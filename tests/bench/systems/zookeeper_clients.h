// Clients of ZooKeeper: handles of its multi-threaded C client.
//
// Built from zookeeper_clients.cc where libzookeeper-mt-dev was there at configuration, else from zookeeper_missing.cc, which
// refuses.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_ZOOKEEPER_CLIENTS_H_
#define DROVER_TESTS_BENCH_SYSTEMS_ZOOKEEPER_CLIENTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/systems/clients.h"

namespace drover::bench {

// FAILED_PRECONDITION: this program was built without the client; says what to do.
[[nodiscard]] absl::Status CheckZooKeeperClient();

// Handle i begins at address `first` + i, modulo their number, and goes to others by itself. UNAVAILABLE: not all were connected in
// time.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Clients>> ConnectZooKeeper(const std::vector<std::string>& addresses, int count,
                                                                        int first);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_ZOOKEEPER_CLIENTS_H_
