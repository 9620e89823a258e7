#include "worker/exec/lease.h"

#include <sys/mman.h>
#include <time.h>

namespace drover::worker::exec {

std::int64_t BootNanos() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::unique_ptr<LeasePage> LeasePage::Map(int fd) {
  void* page = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return nullptr;
  return std::unique_ptr<LeasePage>(new LeasePage(static_cast<std::atomic<std::int64_t>*>(page)));
}

LeasePage::~LeasePage() {
  ::munmap(word_, kBytes);
}

void LeasePage::Raise(std::int64_t deadline) {
  std::int64_t known = word_->load(std::memory_order_relaxed);
  while (known < deadline && !word_->compare_exchange_weak(known, deadline, std::memory_order_acq_rel)) {
  }
}

}  // namespace drover::worker::exec
