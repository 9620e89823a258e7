#include "tests/support/stalled_disk.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "tests/support/process.h"

namespace drover::testing {

StalledDisk::StalledDisk(std::string path) : path_(std::move(path)) {}

std::map<std::string, std::string> StalledDisk::environment() const {
  const std::filesystem::path library = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libdrover_stall_fsync.so";
  const char* const asan = std::getenv("ASAN_OPTIONS");
  return {{"LD_PRELOAD", library.string()},
          {"DROVER_STALL_FILE", path_},
          // A sanitizer's runtime wants to be the first library; this one overrides nothing that it needs.
          {"ASAN_OPTIONS", (asan == nullptr ? std::string() : std::string(asan) + ":") + "verify_asan_link_order=0"}};
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
