#include "tests/bench/interrupt.h"

#include <signal.h>

#include <chrono>

#include "tests/support/await.h"

namespace drover::bench {
namespace {

volatile sig_atomic_t interrupted = 0;

void OnSignal(int /*signal*/) {
  interrupted = 1;
}

}  // namespace

void WatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() {
  return interrupted != 0;
}

absl::Status Pause(base::Duration duration) {
  if (testing::Await(Interrupted, std::chrono::duration_cast<std::chrono::milliseconds>(duration))) {
    return absl::CancelledError("interrupted");
  }
  return absl::OkStatus();
}

}  // namespace drover::bench
