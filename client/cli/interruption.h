// Ctrl-C as a condition that can be waited for.
#ifndef DROVER_CLIENT_CLI_INTERRUPTION_H_
#define DROVER_CLIENT_CLI_INTERRUPTION_H_

#include <stop_token>

#include "client/cli/interrupts.h"
#include "coord/base/mutex.h"
#include "coord/base/time.h"

namespace drover::cli {

// From construction on SIGINT and SIGTERM do not end the process; construct it before any other thread. Any thread asks.
class Interruption {
 public:
  [[nodiscard]] bool asked() const { return source_.stop_requested(); }
  // False if it was asked for before the time was over.
  bool Wait(base::Duration time);

 private:
  std::stop_source source_;
  base::Mutex mu_;
  base::CondVar changed_;
  Interrupts interrupts_{[this](int, int) {
    source_.request_stop();
    base::MutexLock lock(&mu_);
    changed_.NotifyAll();
  }};
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_INTERRUPTION_H_
