#include "tests/oracle/pair.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "coord/base/status.h"
#include "tests/oracle/drover_system.h"
#include "tests/oracle/zookeeper_system.h"
#include "tests/support/process.h"

namespace drover::oracle {
namespace {

constexpr char kMemory[] = "/dev/shm";
constexpr std::uintmax_t kMemoryBytesMin = std::uintmax_t{1} << 30;

bool HasMemory() {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(kMemory, error);
  return !error && space.available >= kMemoryBytesMin && access(kMemory, W_OK) == 0;
}

}  // namespace

absl::StatusOr<RunResult> RunOnFreshPair(const RunOptions& options) {
  const testing::TemporaryDirectory directory(HasMemory() ? kMemory : "");
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<System> zookeeper,
                          ZooKeeperSystem::Start(directory / "zookeeper", options.sessions + 1));
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<System> ours, DroverSystem::Start(directory / "drover", options.sessions + 1));
  return RunOn(options, zookeeper.get(), ours.get());
}

}  // namespace drover::oracle
