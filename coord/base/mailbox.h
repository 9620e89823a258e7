// A bounded mailbox: the only crossing between threads. Many threads push, one takes everything at once.
#ifndef DROVER_COORD_BASE_MAILBOX_H_
#define DROVER_COORD_BASE_MAILBOX_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "coord/base/mutex.h"

namespace drover::base {

enum class PushResult {
  kFirst,   // queued into an empty box: whoever polls it by other means must be woken now
  kQueued,  // queued behind others: a wake-up is under way already
  kFull,    // not queued
  kClosed,  // not queued, and nothing ever will be
};

// `Push` and `Close` from any thread; the two takers from one thread at a time. Items of one thread stay in their order.
// Items still inside when the box is destroyed are destroyed with it.
template <typename T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t items_max) : items_max_(items_max) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // `item` is moved from only if it is queued.
  [[nodiscard]] PushResult Push(T&& item) ABSL_LOCKS_EXCLUDED(mu_) {
    PushResult result;
    {
      MutexLock lock(&mu_);
      if (closed_) return PushResult::kClosed;
      if (items_.size() >= items_max_) return PushResult::kFull;
      result = items_.empty() ? PushResult::kFirst : PushResult::kQueued;
      items_.push_back(std::move(item));
    }
    if (result == PushResult::kFirst) arrived_.NotifyOne();
    return result;
  }

  // Replaces `out` by all that is inside, without waiting. The two vectors swap their memory, so a steady state allocates nothing.
  void Take(std::vector<T>* out) ABSL_LOCKS_EXCLUDED(mu_) {
    out->clear();
    MutexLock lock(&mu_);
    out->swap(items_);
  }

  // Waits until something is inside or the box is closed. False if it is closed and empty.
  [[nodiscard]] bool WaitAndTake(std::vector<T>* out) ABSL_LOCKS_EXCLUDED(mu_) {
    out->clear();
    MutexLock lock(&mu_);
    while (items_.empty() && !closed_) arrived_.Wait(&mu_);
    out->swap(items_);
    return !out->empty();
  }

  // Refuses further items; those inside can still be taken.
  void Close() ABSL_LOCKS_EXCLUDED(mu_) {
    {
      MutexLock lock(&mu_);
      closed_ = true;
    }
    arrived_.NotifyAll();
  }

 private:
  const std::size_t items_max_;
  Mutex mu_;
  CondVar arrived_;
  std::vector<T> items_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_MAILBOX_H_
