#include "coord/base/thread_executor.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "coord/base/mailbox.h"
#include "gtest/gtest.h"

namespace drover::base {
namespace {

// A loop of which only PostFromAnyThread is used; the test's thread runs what was posted.
class PostBox final : public Loop {
 public:
  Instant Now() const override { return {}; }
  WallTime WallNow() const override { return {}; }
  void Post(Task task) override { PostFromAnyThread(std::move(task)); }
  void PostFromAnyThread(Task task) override { EXPECT_NE(box_.Push(std::move(task)), PushResult::kFull); }
  TimerId After(Duration, Task) override { return {}; }
  void Cancel(TimerId) override {}

  // Waits for `n` tasks and runs them.
  void Run(int n) {
    std::vector<Task> tasks;
    while (n > 0) {
      ASSERT_TRUE(box_.WaitAndTake(&tasks));
      n -= static_cast<int>(tasks.size());
      for (Task& task : tasks) task();
    }
  }

 private:
  Mailbox<Task> box_{1000};
};

TEST(ThreadExecutor, StandsBehindTheOtherThreadsAsFarAsAskedFor) {
  PostBox loop;
  const int own = getpriority(PRIO_PROCESS, 0);
  int behind = -1;
  {
    ThreadExecutor executor(&loop, {.thread_name = "behind", .nice = 1});
    executor.Submit([&behind] { behind = getpriority(PRIO_PROCESS, 0); }, [] {});
    loop.Run(1);
  }
  EXPECT_EQ(behind, std::min(own + 1, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

TEST(ThreadExecutor, WorksInOrderOnItsThreadAndIsDoneOnTheLoop) {
  PostBox loop;
  ThreadExecutor executor(&loop, {.thread_name = "a-name-longer-than-the-kernel-keeps"});
  struct Work {
    int turn = -1;
    std::thread::id thread;
  };
  std::vector<Work> worked(100);  // each touched by its own work alone, then by what is done after it
  int turns = 0;
  std::vector<int> done;
  for (int i = 0; i < 100; ++i) {
    executor.Submit(
        [&, i] {
          worked[i] = {turns++, std::this_thread::get_id()};
        },
        [&, i] {
          EXPECT_EQ(worked[i].turn, i);  // its work came first
          EXPECT_NE(worked[i].thread, std::this_thread::get_id());
          done.push_back(i);
        });
  }
  loop.Run(100);
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[i], i);
}

TEST(ThreadExecutor, DroppingItWaitsForTheWorkUnderWayAndDestroysTheRest) {
  PostBox loop;
  Mailbox<int> begun(1);
  Mailbox<int> go_on(1);
  bool first_ended = false;
  auto captured = std::make_shared<int>(0);
  std::thread late;
  {
    ThreadExecutor executor(&loop, {});
    executor.Submit(
        [&] {
          EXPECT_EQ(begun.Push(1), PushResult::kFirst);
          std::vector<int> word;
          EXPECT_TRUE(go_on.WaitAndTake(&word));
          first_ended = true;
        },
        [] {});
    std::vector<int> word;
    ASSERT_TRUE(begun.WaitAndTake(&word));
    for (int i = 0; i < 100; ++i) executor.Submit([captured] { ++*captured; }, [captured] {});
    late = std::thread([&] { EXPECT_EQ(go_on.Push(1), PushResult::kFirst); });
  }
  late.join();
  EXPECT_TRUE(first_ended);
  // Some of the rest may have run before the destructor was reached. None is left: the posted `done`s go with the next Run.
  loop.Run(1 + *captured);
  EXPECT_EQ(captured.use_count(), 1);
}

}  // namespace
}  // namespace drover::base
