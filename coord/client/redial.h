// Which node to dial next, and when.
#ifndef DROVER_COORD_CLIENT_REDIAL_H_
#define DROVER_COORD_CLIENT_REDIAL_H_

#include <algorithm>
#include <cstddef>

#include "coord/base/time.h"

namespace drover::coord::client {

// Endpoints in turn. After a break of a link that worked, each once without delay; then one at a time with a delay that grows by
// half with every round, so that a cluster that is electing is asked often and one that is gone is not.
class Redial {
 public:
  Redial(std::size_t endpoints, std::size_t first, base::Duration delay_min, base::Duration delay_max)
      : endpoints_(endpoints), delay_min_(delay_min), delay_max_(delay_max), next_(first % endpoints), delay_(delay_min) {}

  struct Dial {
    std::size_t endpoint;
    base::Duration delay;
  };
  [[nodiscard]] Dial Next() {
    const Dial dial{next_, tries_ < endpoints_ ? base::Duration{0} : delay_};
    if (tries_ >= endpoints_ && (tries_ + 1) % endpoints_ == 0) delay_ = std::min(delay_ + delay_ / 2, delay_max_);
    ++tries_;
    next_ = (next_ + 1) % endpoints_;
    return dial;
  }
  // A link to `endpoint` stands: what comes after it is next.
  void OnAttached(std::size_t endpoint) { next_ = (endpoint + 1) % endpoints_; }
  // A link has proved that it works: its break is answered at once.
  void OnWorking() {
    tries_ = 0;
    delay_ = delay_min_;
  }

 private:
  const std::size_t endpoints_;
  const base::Duration delay_min_;
  const base::Duration delay_max_;
  std::size_t next_;
  std::size_t tries_ = 0;
  base::Duration delay_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_REDIAL_H_
