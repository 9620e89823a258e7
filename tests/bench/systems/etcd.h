// Debian's etcd, driven over its gRPC v3 API.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_ETCD_H_
#define DROVER_TESTS_BENCH_SYSTEMS_ETCD_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/systems/system.h"

namespace drover::bench {

[[nodiscard]] absl::StatusOr<std::unique_ptr<System>> MakeEtcd(int nodes, const std::string& directory);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_ETCD_H_
