// The lease deadline in a page of memory that worker, reaper and shims share: refreshing it costs one store, and a shim sees it
// even while worker or reaper are paused. Beside it: when the reaper is to end the worker itself (a worker that runs handlers).
#ifndef DROVER_WORKER_EXEC_LEASE_H_
#define DROVER_WORKER_EXEC_LEASE_H_

#include <atomic>
#include <cstdint>
#include <memory>

namespace drover::worker::exec {

// Now, on the clock of every deadline here.
std::int64_t BootNanos();

class LeasePage {
 public:
  // Maps the page behind `fd` (a memfd of at least one page), which is not needed afterwards. Null with errno set on failure.
  static std::unique_ptr<LeasePage> Map(int fd);
  ~LeasePage();
  LeasePage(const LeasePage&) = delete;
  LeasePage& operator=(const LeasePage&) = delete;

  // CLOCK_BOOTTIME nanoseconds; 0 at first: no lease at all. Any thread, any process.
  [[nodiscard]] std::int64_t deadline() const { return word_->load(std::memory_order_acquire); }
  // Never moves back.
  void Raise(std::int64_t deadline);

  // When the worker is to be dead; 0: never. Any thread, any process.
  [[nodiscard]] std::int64_t doom() const { return word_[1].load(std::memory_order_acquire); }
  void SetDoom(std::int64_t at) { word_[1].store(at, std::memory_order_release); }
  // Also when the lease ends.
  [[nodiscard]] bool doomed_with_lease() const { return word_[2].load(std::memory_order_acquire) != 0; }
  void SetDoomedWithLease(bool doomed) { word_[2].store(doomed ? 1 : 0, std::memory_order_release); }

  static constexpr std::size_t kBytes = 4096;

 private:
  explicit LeasePage(std::atomic<std::int64_t>* words) : word_(words) {}
  std::atomic<std::int64_t>* const word_;
  static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");
};

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_LEASE_H_
