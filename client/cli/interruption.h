// Ctrl-C as a condition that can be waited for.
#ifndef DROVER_CLIENT_CLI_INTERRUPTION_H_
#define DROVER_CLIENT_CLI_INTERRUPTION_H_

#include <stop_token>

#include "client/cli/auto_reset_event.h"
#include "client/cli/interrupts.h"
#include "coord/base/time.h"

namespace drover::cli {

// From construction on SIGINT and SIGTERM do not end the process; construct it before any other thread. Any thread asks.
class Interruption {
 public:
  Interruption() : Interruption(nullptr) {}
  // Sets `event` too when it comes: for who waits for other things as well.
  explicit Interruption(AutoResetEvent* event) : event_(event != nullptr ? event : &own_event_) {}
  [[nodiscard]] bool asked() const { return source_.stop_requested(); }
  // False if it was asked for before the time was over. Without an event given; one thread.
  bool Wait(base::Duration time);

 private:
  std::stop_source source_;
  AutoResetEvent own_event_;
  AutoResetEvent* const event_;
  const Interrupts interrupts_{[this](int, int) {
    source_.request_stop();
    event_->Set();
  }};
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_INTERRUPTION_H_
