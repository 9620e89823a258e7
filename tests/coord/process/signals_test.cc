#include "coord/process/signals.h"

#include <signal.h>
#include <unistd.h>

#include <deque>
#include <vector>

#include "coord/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

// As much of a loop as Signals needs: posts from other threads, run one at a time by the test.
class PostBox final : public base::Loop {
 public:
  void RunOne() {
    base::Task task;
    {
      base::MutexLock lock(&mu_);
      while (tasks_.empty()) arrived_.Wait(&mu_);
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  void PostFromAnyThread(base::Task task) override {
    base::MutexLock lock(&mu_);
    tasks_.push_back(std::move(task));
    arrived_.NotifyOne();
  }
  [[nodiscard]] base::Instant Now() const override { return {}; }
  [[nodiscard]] base::WallTime WallNow() const override { return {}; }
  void Post(base::Task task) override { PostFromAnyThread(std::move(task)); }
  [[nodiscard]] base::TimerId After(base::Duration, base::Task) override { return {}; }
  void Cancel(base::TimerId) override {}

 private:
  base::Mutex mu_;
  base::CondVar arrived_;
  std::deque<base::Task> tasks_ ABSL_GUARDED_BY(mu_);
};

TEST(SignalsTest, TermAndIntArriveOnTheLoop) {
  PostBox loop;
  std::vector<int> seen;
  Signals signals(&loop, [&](int signal) { seen.push_back(signal); });
  kill(getpid(), SIGTERM);
  loop.RunOne();
  kill(getpid(), SIGINT);
  loop.RunOne();
  EXPECT_THAT(seen, ::testing::ElementsAre(SIGTERM, SIGINT));
}

TEST(SignalsTest, AnotherSignalArrivesIfItIsAskedFor) {
  PostBox loop;
  std::vector<int> seen;
  Signals signals(&loop, [&](int signal) { seen.push_back(signal); }, {SIGUSR1});
  kill(getpid(), SIGUSR1);
  loop.RunOne();
  kill(getpid(), SIGTERM);
  loop.RunOne();
  EXPECT_THAT(seen, ::testing::ElementsAre(SIGUSR1, SIGTERM));
}

TEST(SignalsTest, AfterDestructionNothingComesAndTheFormerHandlersAreBack) {
  PostBox loop;
  bool called = false;
  {
    Signals signals(&loop, [&](int) { called = true; });
    kill(getpid(), SIGTERM);
    loop.RunOne();
    ASSERT_TRUE(called);
    called = false;
    kill(getpid(), SIGTERM);
  }
  // The second signal may have been posted before the end; its task does nothing now.
  loop.PostFromAnyThread([] {});
  loop.RunOne();
  EXPECT_FALSE(called);
  struct sigaction now {};
  sigaction(SIGTERM, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(SignalsTest, ABrokenPipeIsAnErrorNotTheEnd) {
  PostBox loop;
  Signals signals(&loop, [](int) {});
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  close(ends[1]);
}

}  // namespace
}  // namespace drover::process
