#include "client/cli/interrupts.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "coord/base/check.h"

namespace drover::cli {
namespace {

sigset_t Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interrupts::Interrupts(std::function<void(int, int)> on_signal) {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  DROVER_CHECK(signals_ >= 0 && stop_ >= 0) << "no descriptors for signals";
  thread_ = std::thread([this, on_signal = std::move(on_signal)] {
    for (int count = 0;;) {
      pollfd ready[2] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
      poll(ready, 2, -1);
      if (ready[1].revents != 0) return;
      signalfd_siginfo info;
      if (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
        on_signal(++count, static_cast<int>(info.ssi_signo));
    }
  });
}

Interrupts::~Interrupts() {
  const std::uint64_t one = 1;
  (void)!write(stop_, &one, sizeof one);
  thread_.join();
  close(signals_);
  close(stop_);
  const sigset_t set = Signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace drover::cli
