#include "tests/oracle/pair.h"

#include <unistd.h>

#include <memory>
#include <string>

#include "coord/base/status.h"
#include "tests/oracle/drover_system.h"
#include "tests/oracle/zookeeper_system.h"
#include "tests/support/process.h"

namespace drover::oracle {
namespace {

constexpr char kMemory[] = "/dev/shm";

}  // namespace

absl::StatusOr<RunResult> RunOnFreshPair(const RunOptions& options) {
  const testing::TemporaryDirectory directory(access(kMemory, W_OK) == 0 ? kMemory : "");
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<System> zookeeper,
                          ZooKeeperSystem::Start(directory / "zookeeper", options.sessions));
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<System> ours, DroverSystem::Start(directory / "drover", options.sessions));
  return RunOn(options, zookeeper.get(), ours.get());
}

}  // namespace drover::oracle
