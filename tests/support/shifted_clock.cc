#include "tests/support/shifted_clock.h"

#include <filesystem>
#include <utility>

#include "tests/support/preload.h"
#include "tests/support/process.h"

namespace drover::testing {

ShiftedClock::ShiftedClock(std::string path) : path_(std::move(path)) {}

std::map<std::string, std::string> ShiftedClock::environment() const {
  std::map<std::string, std::string> environment = Preloading("libdrover_shift_clock.so");
  environment["DROVER_CLOCK_FILE"] = path_;
  return environment;
}

void ShiftedClock::Set(std::chrono::seconds ahead) {
  // Renamed into place: a process may read it at any time.
  WriteFile(path_ + ".new", std::to_string(ahead.count()));
  std::filesystem::rename(path_ + ".new", path_);
}

}  // namespace drover::testing
