#include "tests/support/stalled_disk.h"

#include <filesystem>
#include <utility>

#include "tests/support/preload.h"
#include "tests/support/process.h"

namespace drover::testing {

StalledDisk::StalledDisk(std::string path) : path_(std::move(path)) {}

std::map<std::string, std::string> StalledDisk::environment() const {
  std::map<std::string, std::string> environment = Preloading("libdrover_stall_fsync.so");
  environment["DROVER_STALL_FILE"] = path_;
  return environment;
}

void StalledDisk::Stall() {
  WriteFile(path_, "");
}

void StalledDisk::Slow(std::chrono::milliseconds delay) {
  WriteFile(path_, std::to_string(delay.count()));
}

void StalledDisk::GoOn() {
  std::filesystem::remove(path_);
}

}  // namespace drover::testing
