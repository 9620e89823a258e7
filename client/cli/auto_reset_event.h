// One thread waits until something has happened that others tell it of; what has, it looks up itself.
#ifndef DROVER_CLIENT_CLI_AUTO_RESET_EVENT_H_
#define DROVER_CLIENT_CLI_AUTO_RESET_EVENT_H_

#include <algorithm>
#include <chrono>

#include "coord/base/mutex.h"

namespace drover::cli {

class AutoResetEvent {
 public:
  // Any thread.
  void Set() {
    base::MutexLock lock(&mu_);
    set_ = true;
    changed_.NotifyOne();
  }
  // Returns at once if it was set since the last call returned, else when it is, or at `deadline`.
  void Wait(std::chrono::steady_clock::time_point deadline) {
    base::MutexLock lock(&mu_);
    while (!set_) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= deadline) return;
      changed_.WaitFor(&mu_, std::min<std::chrono::nanoseconds>(deadline - now, std::chrono::hours(1)));
    }
    set_ = false;
  }

 private:
  base::Mutex mu_;
  base::CondVar changed_;
  bool set_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_AUTO_RESET_EVENT_H_
