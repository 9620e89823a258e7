#include "coord/base/mailbox.h"

#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace drover::base {
namespace {

TEST(Mailbox, TellsWhoMustWakeTheTaker) {
  Mailbox<int> box(10);
  EXPECT_EQ(box.Push(1), PushResult::kFirst);
  EXPECT_EQ(box.Push(2), PushResult::kQueued);
  std::vector<int> taken;
  box.Take(&taken);
  EXPECT_EQ(taken, (std::vector<int>{1, 2}));
  EXPECT_EQ(box.Push(3), PushResult::kFirst);
}

TEST(Mailbox, AFullOneLeavesTheItemWithItsOwner) {
  Mailbox<std::unique_ptr<int>> box(1);
  EXPECT_EQ(box.Push(std::make_unique<int>(1)), PushResult::kFirst);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(box.Push(std::move(second)), PushResult::kFull);
  EXPECT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move): this is what is promised
}

TEST(Mailbox, AClosedOneGivesOutWhatIsInsideAndTakesNothing) {
  Mailbox<int> box(10);
  EXPECT_EQ(box.Push(1), PushResult::kFirst);
  box.Close();
  EXPECT_EQ(box.Push(2), PushResult::kClosed);
  std::vector<int> taken;
  EXPECT_TRUE(box.WaitAndTake(&taken));
  EXPECT_EQ(taken, std::vector<int>{1});
  EXPECT_FALSE(box.WaitAndTake(&taken));
  EXPECT_TRUE(taken.empty());
}

TEST(Mailbox, KeepsTheOrderOfEachThread) {
  constexpr int kThreads = 4;
  constexpr int kItems = 5'000;
  Mailbox<int> box(kThreads * kItems);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&box, t] {
      for (int i = 0; i < kItems; ++i) {
        const PushResult result = box.Push(t * kItems + i);
        ASSERT_TRUE(result == PushResult::kFirst || result == PushResult::kQueued);
      }
    });
  }
  std::vector<int> next(kThreads, 0);
  std::vector<int> taken;
  for (int total = 0; total < kThreads * kItems;) {
    ASSERT_TRUE(box.WaitAndTake(&taken));
    for (const int item : taken) EXPECT_EQ(item % kItems, next[item / kItems]++);
    total += static_cast<int>(taken.size());
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace drover::base
