#include "tests/bench/systems/zookeeper_clients.h"

namespace drover::bench {

absl::Status CheckZooKeeperClient() {
  return absl::FailedPreconditionError(
      "this drover-bench was built without ZooKeeper's C client: deploy/install-packages peers (or apt-get install "
      "libzookeeper-mt-dev), then configure and build again");
}

absl::StatusOr<std::unique_ptr<Clients>> ConnectZooKeeper(const std::vector<std::string>& /*addresses*/, int /*count*/,
                                                          int /*first*/) {
  return CheckZooKeeperClient();
}

}  // namespace drover::bench
