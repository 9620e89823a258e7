// Ctrl-C as a condition.
#ifndef DROVER_CLIENT_CLI_INTERRUPTION_H_
#define DROVER_CLIENT_CLI_INTERRUPTION_H_

#include <atomic>

#include "client/cli/auto_reset_event.h"
#include "client/cli/interrupts.h"

namespace drover::cli {

// From construction on SIGINT and SIGTERM do not end the process; construct it before any other thread. Any thread asks.
class Interruption {
 public:
  // Sets `event`, if there is one, when it comes: for who waits.
  explicit Interruption(AutoResetEvent* event = nullptr) : event_(event) {}
  [[nodiscard]] bool asked() const { return asked_; }

 private:
  std::atomic<bool> asked_ = false;
  AutoResetEvent* const event_;
  const Interrupts interrupts_{[this](int, int) {
    asked_ = true;
    if (event_ != nullptr) event_->Set();
  }};
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_INTERRUPTION_H_
