// Time for a blocking library: now, and waiting between tries. Tests bring one that does not wait.
#ifndef DROVER_CLIENT_INTERNAL_WAITER_H_
#define DROVER_CLIENT_INTERNAL_WAITER_H_

#include <chrono>
#include <stop_token>

namespace drover::client {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

class Waiter {
 public:
  virtual ~Waiter() = default;
  [[nodiscard]] virtual Clock::time_point Now() = 0;
  // False if `stop` was requested before the time was over.
  virtual bool Wait(Clock::duration duration, const std::stop_token& stop) = 0;
};

// Any thread.
class SystemWaiter final : public Waiter {
 public:
  [[nodiscard]] Clock::time_point Now() override { return Clock::now(); }
  bool Wait(Clock::duration duration, const std::stop_token& stop) override;
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_WAITER_H_
