// Nothing grows without bound, and after the network has healed work goes on within a bounded time.
#ifndef DROVER_TESTS_SIM_CHECK_BOUNDS_H_
#define DROVER_TESTS_SIM_CHECK_BOUNDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/time.h"

namespace drover::sim::check {

// Sizes that are sampled while a run goes on: bytes of logs and histories, lengths of queues. One thread.
class GrowthBounds {
 public:
  // Each name once, before its first sample.
  void Limit(const std::string& name, std::uint64_t max);
  // INTERNAL: over its bound. INVALID_ARGUMENT: a name without one, which would never be found too large.
  [[nodiscard]] absl::Status Sample(const std::string& name, const std::string& where, std::uint64_t size, base::Instant when);
  // The largest seen, by name; 0: never sampled.
  struct Peak {
    std::uint64_t max = 0;
    std::uint64_t largest = 0;
    std::uint64_t samples = 0;
  };
  [[nodiscard]] const std::map<std::string, Peak>& peaks() const { return peaks_; }

 private:
  std::map<std::string, Peak> peaks_;
};

// A write that is sent again and again until it is answered, on some node, whether it was faced with a fault before or not.
struct Probe {
  std::string name;
  base::Instant asked;
  std::optional<base::Instant> committed;
};

// INTERNAL unless each probe was committed `within` after it was asked or the system healed, whichever was later; one whose time is
// not over by `now` passes. FAILED_PRECONDITION if none had to be committed: then nothing was shown.
[[nodiscard]] absl::Status CheckLiveness(const std::vector<Probe>& probes, base::Instant healed, base::Duration within,
                                         base::Instant now);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_BOUNDS_H_
