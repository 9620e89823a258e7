#include "client/cli/interrupts.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace drover::cli {
namespace {

// In a process of its own: it must be made before any other thread.
int CountSignals() {
  std::atomic<int> last = 0;
  {
    Interrupts interrupts([&last](int count, int signal) {
      last = signal == (count == 1 ? SIGINT : SIGTERM) ? count : 9;
      last.notify_all();
    });
    kill(getpid(), SIGINT);
    last.wait(0);
    if (last != 1) return 1;
    kill(getpid(), SIGTERM);
    last.wait(1);
    if (last != 2) return 2;
  }
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  return sigismember(&blocked, SIGINT) != 0 ? 3 : 0;
}

TEST(InterruptsDeathTest, SignalsAreCountedAndDoNotEndTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(_exit(CountSignals()), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace drover::cli
