#include "coord/transport/cq_loop.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::transport {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

// Runs a loop until a task stops it.
class CqLoopTest : public ::testing::Test {
 protected:
  void Note(const std::string& what) { notes_.push_back(what); }
  base::Task Noting(const std::string& what) {
    return [this, what] { Note(what); };
  }

  CqLoop loop_;
  std::vector<std::string> notes_;
};

TEST_F(CqLoopTest, TasksRunInTheOrderPostedAndBeforeTheLoopSleeps) {
  loop_.Post(Noting("a"));
  loop_.Post([this] {
    Note("b");
    loop_.Post(Noting("d"));
  });
  loop_.Post(Noting("c"));
  const auto stop = loop_.After(milliseconds(0), [this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_THAT(notes_, ElementsAre("a", "b", "c", "d"));
  loop_.Cancel(stop);  // fired already: ignored
}

TEST_F(CqLoopTest, TimersFireByTimeThenInTheOrderSet) {
  static_cast<void>(loop_.After(milliseconds(12), [this] {
    Note("12");
    loop_.Stop();
  }));
  static_cast<void>(loop_.After(milliseconds(4), Noting("4a")));
  static_cast<void>(loop_.After(milliseconds(0), Noting("0")));
  static_cast<void>(loop_.After(milliseconds(4), Noting("4b")));
  loop_.Run();
  EXPECT_THAT(notes_, ElementsAre("0", "4a", "4b", "12"));
}

TEST_F(CqLoopTest, NoTimerFiresEarly) {
  const base::Instant set = loop_.Now();
  base::Instant fired;
  static_cast<void>(loop_.After(milliseconds(7), [&] {
    fired = loop_.Now();
    loop_.Stop();
  }));
  loop_.Run();
  EXPECT_GE(fired - set, milliseconds(7));
}

TEST_F(CqLoopTest, ACancelledTimerNeverFires) {
  const auto timer = loop_.After(milliseconds(1), Noting("cancelled"));
  static_cast<void>(loop_.After(milliseconds(0), [&] { loop_.Cancel(timer); }));
  static_cast<void>(loop_.After(milliseconds(5), [this] { loop_.Stop(); }));
  loop_.Run();
  EXPECT_THAT(notes_, ElementsAre());
}

TEST_F(CqLoopTest, ATimerMayCancelAnotherThatIsDueInTheSameWakeup) {
  base::TimerId second;
  static_cast<void>(loop_.After(milliseconds(0), [&] { loop_.Cancel(second); }));
  second = loop_.After(milliseconds(0), Noting("second"));
  static_cast<void>(loop_.After(milliseconds(3), [this] { loop_.Stop(); }));
  loop_.Run();
  EXPECT_THAT(notes_, ElementsAre());
}

TEST_F(CqLoopTest, ATimerThatSetsItselfAnewWithoutDelayLetsOthersRun) {
  int turns = 0;
  std::function<void()> turn = [&] {
    if (++turns < 1000) static_cast<void>(loop_.After(milliseconds(0), [&] { turn(); }));
  };
  turn();
  static_cast<void>(loop_.After(milliseconds(0), [&] { Note(turns < 1000 ? "in between" : "starved"); }));
  static_cast<void>(loop_.After(milliseconds(50), [this] { loop_.Stop(); }));
  loop_.Run();
  EXPECT_EQ(turns, 1000);
  EXPECT_THAT(notes_, ElementsAre("in between"));
}

TEST_F(CqLoopTest, NowStandsStillWithinAWakeup) {
  base::Instant first;
  base::Instant second;
  loop_.Post([&] {
    first = loop_.Now();
    const auto until = std::chrono::steady_clock::now() + milliseconds(3);
    while (std::chrono::steady_clock::now() < until) {
    }
    loop_.Post([&] {
      second = loop_.Now();
      loop_.Stop();
    });
  });
  loop_.Run();
  EXPECT_EQ(first, second);
  EXPECT_GT(loop_.WallNow().value, 1'700'000'000'000);
}

TEST_F(CqLoopTest, HooksRunAfterTasksAndTimersAndStopWithTheirHandle) {
  std::unique_ptr<CqLoop::Hook> second;
  auto first = loop_.AtEndOfWakeup([&] {
    Note("first");
    second = nullptr;
  });
  second = loop_.AtEndOfWakeup(Noting("second"));
  loop_.Post(Noting("task"));
  static_cast<void>(loop_.After(milliseconds(0), Noting("timer")));
  static_cast<void>(loop_.After(milliseconds(5), [this] { loop_.Stop(); }));
  loop_.Run();
  ASSERT_GE(notes_.size(), 3u);
  EXPECT_EQ(notes_[0], "task");
  EXPECT_THAT(notes_, ::testing::Contains("timer"));
  EXPECT_THAT(notes_, ::testing::Not(::testing::Contains("second")));
}

TEST_F(CqLoopTest, AHookMayEndItself) {
  std::unique_ptr<CqLoop::Hook> hook;
  hook = loop_.AtEndOfWakeup([&] {
    Note("once");
    hook = nullptr;
  });
  static_cast<void>(loop_.After(milliseconds(0), [] {}));
  static_cast<void>(loop_.After(milliseconds(3), [this] { loop_.Stop(); }));
  loop_.Run();
  EXPECT_THAT(notes_, ElementsAre("once"));
}

TEST_F(CqLoopTest, PostsOfEachThreadArriveInOrderAndNoneIsLost) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 20'000;
  std::vector<std::vector<int>> seen(kThreads);
  int left = kThreads * kPosts;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop_.PostFromAnyThread([&, t, i] {
          seen[static_cast<std::size_t>(t)].push_back(i);
          if (--left == 0) loop_.Stop();
        });
      }
    });
  }
  loop_.Run();
  for (auto& thread : threads) thread.join();
  for (const auto& one : seen) {
    ASSERT_EQ(one.size(), static_cast<std::size_t>(kPosts));
    for (int i = 0; i < kPosts; ++i) ASSERT_EQ(one[static_cast<std::size_t>(i)], i);
  }
}

TEST(CqLoopMailbox, AFullMailboxMakesTheirSendersWaitAndLosesNothing) {
  CqLoop loop(CqLoopOptions{.mailbox_max = 4});
  int count = 0;
  std::thread sender([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.PostFromAnyThread([&] {
        if (++count == 1000) loop.Stop();
      });
    }
  });
  loop.Run();
  sender.join();
  EXPECT_EQ(count, 1000);
}

TEST(CqLoopMailbox, PostsToAStoppedLoopAreDroppedEvenWhenItIsFull) {
  CqLoop loop(CqLoopOptions{.mailbox_max = 2});
  loop.Stop();
  auto witness = std::make_shared<int>(0);
  for (int i = 0; i < 10; ++i) {
    loop.PostFromAnyThread([witness] { ++*witness; });
  }
  loop.Run();
  EXPECT_EQ(*witness, 0);
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(CqLoopStop, StopFromAnotherThreadWakesASleepingLoop) {
  CqLoop loop;
  std::thread runner([&] { loop.Run(); });
  loop.Stop();
  runner.join();
}

TEST(CqLoopStop, WhatIsLeftIsDestroyedUnrun) {
  auto witness = std::make_shared<int>(0);
  {
    CqLoop loop;
    loop.Post([witness] { ++*witness; });
    loop.PostFromAnyThread([witness] { ++*witness; });
    static_cast<void>(loop.After(milliseconds(0), [witness] { ++*witness; }));
  }
  EXPECT_EQ(*witness, 0);
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(CqLoopStop, WhatGoesWithTheLoopMayStillPostSetAndCancel) {
  struct Busybody {
    CqLoop* loop;
    base::TimerId other;
    ~Busybody() {
      loop->Cancel(other);
      loop->Post([] {});
      static_cast<void>(loop->After(milliseconds(1), [] {}));
    }
  };
  CqLoop loop;
  const base::TimerId other = loop.After(milliseconds(1), [] {});
  const auto with = [&] { return [b = std::unique_ptr<Busybody>(new Busybody{&loop, other})] {}; };
  loop.Post(with());
  loop.PostFromAnyThread(with());
  static_cast<void>(loop.After(milliseconds(1), with()));
  auto hook = loop.AtEndOfWakeup([h = std::shared_ptr<Busybody>(new Busybody{&loop, other})] {});
  hook = nullptr;
}

TEST(CqLoopBusy, TellsHowLongAWakeupLasts) {
  LoopThread thread;
  std::atomic<bool> busy{false};
  std::atomic<bool> release{false};
  thread.loop()->PostFromAnyThread([&] {
    busy = true;
    while (!release) std::this_thread::yield();
  });
  while (!busy) std::this_thread::yield();
  while (thread.loop()->BusyFor() < milliseconds(20)) std::this_thread::yield();
  release = true;
  while (thread.loop()->BusyFor() != base::Duration::zero()) std::this_thread::yield();
}

TEST(LoopThreadTest, RunOnLoopRunsThereAndWaits) {
  LoopThread thread;
  std::thread::id there;
  thread.RunOnLoop([&] { there = std::this_thread::get_id(); });
  EXPECT_NE(there, std::thread::id());
  EXPECT_NE(there, std::this_thread::get_id());
}

TEST(LoopThreadTest, RunOnLoopReturnsWhenTheLoopHasStopped) {
  LoopThread thread;
  thread.loop()->Stop();
  bool ran = false;
  thread.RunOnLoop([&] { ran = true; });
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace drover::transport
