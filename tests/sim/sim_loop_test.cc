#include "tests/sim/sim_loop.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/sim/sim_executor.h"

namespace drover::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SimLoop, RunsPostsInOrderAndTimersWhenDue) {
  SimWorld world(1);
  SimLoop loop(&world);
  std::string order;
  (void)loop.After(milliseconds(2), [&] { order += "t2 "; });
  (void)loop.After(milliseconds(1), [&] { order += "t1 "; });
  loop.Post([&] {
    order += "a ";
    loop.Post([&] { order += "c "; });
  });
  loop.PostFromAnyThread([&] { order += "b "; });
  const base::Instant before = loop.Now();
  world.RunFor(milliseconds(1));
  EXPECT_EQ(order, "a b c t1 ");
  EXPECT_EQ(loop.Now() - before, milliseconds(1));
  world.RunFor(milliseconds(5));
  EXPECT_EQ(order, "a b c t1 t2 ");
}

TEST(SimLoop, ACancelledTimerDoesNotRun) {
  SimWorld world(1);
  SimLoop loop(&world);
  bool ran = false;
  const base::TimerId timer = loop.After(milliseconds(1), [&] { ran = true; });
  loop.Cancel(timer);
  loop.Cancel(timer);
  world.RunFor(seconds(1));
  EXPECT_FALSE(ran);
}

TEST(SimLoop, APausedProcessDoesNothingAndCatchesUpInOrder) {
  SimWorld world(1);
  SimLoop loop(&world);
  std::string order;
  base::TimerId second{};
  (void)loop.After(milliseconds(1), [&] {
    order += "1";
    loop.Cancel(second);
  });
  second = loop.After(milliseconds(2), [&] { order += "2"; });
  (void)loop.After(milliseconds(3), [&] { order += "3"; });
  loop.Pause();
  world.RunFor(seconds(1));
  EXPECT_EQ(order, "");
  loop.Resume();
  world.RunFor(milliseconds(1));
  EXPECT_EQ(order, "13");
}

TEST(SimLoop, AStoppedProcessIsForgotten) {
  SimWorld world(1);
  SimLoop loop(&world);
  auto captured = std::make_shared<int>(0);
  (void)loop.After(milliseconds(1), [captured] { ++*captured; });
  loop.Stop();
  loop.Post([captured] { ++*captured; });
  EXPECT_EQ(captured.use_count(), 1);
  world.RunFor(seconds(1));
  EXPECT_EQ(*captured, 0);
}

TEST(SimLoop, AFastClockFiresEarlyInTrueTimeButNeverEarlyByItself) {
  SimWorld world(1);
  SimLoop loop(&world, {.boot_offset = seconds(5), .rate_ppm = 10'000});
  const base::Instant mine = loop.Now();
  const base::Instant truth = world.Now();
  EXPECT_EQ(mine - truth, seconds(5));
  base::Instant fired{};
  (void)loop.After(seconds(101), [&] { fired = loop.Now(); });
  ASSERT_TRUE(world.RunUntil([&] { return fired != base::Instant(); }, seconds(200)));
  EXPECT_GE(fired - mine, seconds(101));
  EXPECT_LT(world.Now() - truth, milliseconds(100'001));
}

TEST(SimLoop, TheWallJumpsAndTheClockDoesNot) {
  SimWorld world(1);
  SimLoop loop(&world);
  const base::Instant now = loop.Now();
  const base::WallTime wall = loop.WallNow();
  loop.JumpWall(-seconds(3600));
  EXPECT_EQ(loop.Now(), now);
  EXPECT_EQ(loop.WallNow().value, wall.value - 3'600'000);
}

TEST(SimWorld, RunUntilGivesUpAtItsLimit) {
  SimWorld world(1);
  SimLoop loop(&world);
  const base::Instant before = world.Now();
  EXPECT_FALSE(world.RunUntil([] { return false; }, seconds(3)));
  EXPECT_EQ(world.Now() - before, seconds(3));
}

TEST(SimExecutor, WorksOneAtATimeAndReportsOnTheLoop) {
  SimWorld world(1);
  SimLoop loop(&world);
  SimExecutor executor(&loop);
  std::string order;
  for (const char* name : {"a", "b"}) {
    executor.Submit([&order, name] { order += std::string("work ") + name + ", "; },
                    [&order, name] { order += std::string("done ") + name + ", "; });
  }
  EXPECT_EQ(order, "");
  world.RunFor(seconds(1));
  EXPECT_EQ(order, "work a, done a, work b, done b, ");
}

TEST(SimExecutor, AStalledDiskReportsLate) {
  SimWorld world(1);
  SimLoop loop(&world);
  SimExecutor executor(&loop);
  bool done = false;
  executor.Submit([] {}, [&] { done = true; });
  executor.Stall(seconds(3));
  world.RunFor(milliseconds(2'900));
  EXPECT_FALSE(done);
  world.RunFor(milliseconds(200));
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace drover::sim
