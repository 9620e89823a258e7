#include "client/cli/interrupts.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

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

Interrupts::Interrupts(std::function<void(int)> on_signal) {
  const sigset_t set = Signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::jthread([on_signal = std::move(on_signal)](const std::stop_token& stop) {
    const sigset_t waited = Signals();
    const timespec slice = {0, 100'000'000};
    for (int count = 0; !stop.stop_requested();) {
      if (sigtimedwait(&waited, nullptr, &slice) > 0) on_signal(++count);
    }
  });
}

Interrupts::~Interrupts() {
  thread_.request_stop();
  thread_.join();
  const sigset_t set = Signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace drover::cli
