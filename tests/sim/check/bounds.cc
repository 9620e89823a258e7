#include "tests/sim/check/bounds.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"

namespace drover::sim::check {

void GrowthBounds::Limit(const std::string& name, std::uint64_t max) {
  const bool added = peaks_.emplace(name, Peak{max, 0, 0}).second;
  DROVER_CHECK(added) << name << " has a bound already";
}

absl::Status GrowthBounds::Sample(const std::string& name, const std::string& where, std::uint64_t size, base::Instant when) {
  const auto at = peaks_.find(name);
  if (at == peaks_.end()) return absl::InvalidArgumentError(absl::StrCat(name, " has no bound"));
  Peak& peak = at->second;
  ++peak.samples;
  peak.largest = std::max(peak.largest, size);
  if (size <= peak.max) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(name, " of ", where, " is ", size, " at ", base::ToMillis(when.time_since_epoch()),
                                          " ms, over its bound of ", peak.max));
}

absl::Status CheckLiveness(const std::vector<Probe>& probes, base::Instant healed, base::Duration within, base::Instant now) {
  bool shown = false;
  for (const Probe& probe : probes) {
    const base::Instant from = std::max(probe.asked, healed);
    const base::Instant limit = from + within;
    if (probe.committed ? *probe.committed > limit : now > limit)
      return absl::InternalError(absl::StrCat("probe ", probe.name, " was ",
                                              probe.committed
                                                  ? absl::StrCat("committed only ", base::ToMillis(*probe.committed - from))
                                                  : absl::StrCat("not committed ", base::ToMillis(now - from)),
                                              " ms after it could have been; the bound is ", base::ToMillis(within), " ms"));
    shown = shown || (probe.committed && *probe.committed >= healed);
  }
  if (!shown) return absl::FailedPreconditionError("no probe was committed after the system had healed");
  return absl::OkStatus();
}

}  // namespace drover::sim::check
