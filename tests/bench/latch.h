// Waits until something happened a number of times, on whatever thread.
#ifndef DROVER_TESTS_BENCH_LATCH_H_
#define DROVER_TESTS_BENCH_LATCH_H_

#include <chrono>

#include "coord/base/mutex.h"

namespace drover::bench {

class Latch {
 public:
  explicit Latch(int count) : count_(count) {}

  // Any thread.
  void CountDown() {
    base::MutexLock lock(&mu_);
    if (--count_ <= 0) done_.NotifyAll();
  }
  // False: not yet, after `limit`.
  [[nodiscard]] bool WaitFor(std::chrono::nanoseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    base::MutexLock lock(&mu_);
    while (count_ > 0) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= std::chrono::nanoseconds::zero()) return false;
      done_.WaitFor(&mu_, left);
    }
    return true;
  }

 private:
  base::Mutex mu_;
  base::CondVar done_;
  int count_ ABSL_GUARDED_BY(mu_);
};

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_LATCH_H_
