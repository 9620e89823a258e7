#include "tests/sim/run/journal.h"

#include <cstdio>

#include "coord/base/checksum.h"

namespace drover::sim::run {

void Journal::Fail(const absl::Status& status) {
  if (status.ok()) return;
  Note("FAILED: ", status.message());
  if (failure_.ok()) failure_ = status;
}

void Journal::Line(const std::string& words) {
  const std::int64_t micros =
      std::chrono::duration_cast<std::chrono::microseconds>(world_->Now().time_since_epoch() - std::chrono::hours(1)).count();
  digest_ = base::Checksum(absl::StrCat(digest_, " ", micros, " ", words));
  if (print_) std::printf("%11.6f  %s\n", static_cast<double>(micros) / 1e6, words.c_str());
}

}  // namespace drover::sim::run
