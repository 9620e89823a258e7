// Barriers, against the real node in simulation.
#include "drover/recipes/barrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;

class BarrierTest : public ::testing::Test {
 protected:
  BarrierTest() { core_.Start(); }
  bool RunUntil(const std::function<bool()>& condition) { return core_.world.RunUntil(condition, seconds(30)); }
  void Settle() { core_.world.RunFor(milliseconds(200)); }

  SimCore core_;
};

TEST_F(BarrierTest, ClosesTheWayUntilSomebodyOpensIt) {
  SimProcess keeper(&core_, "keeper");
  SimProcess walker(&core_, "walker");
  Barrier at_keeper(keeper.session(), "/gate/1");
  Barrier at_walker(walker.session(), "/gate/1");
  int passed = 0, answers = 0;
  const auto pass = [&](const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    ++passed;
  };
  const auto answer = [&](const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    ++answers;
  };
  at_walker.Await(pass);
  ASSERT_TRUE(RunUntil([&] { return passed == 1; })) << "it is open";
  at_keeper.Raise(answer);
  at_keeper.Raise(answer);
  ASSERT_TRUE(RunUntil([&] { return answers == 2; }));
  at_walker.Await(pass);
  at_walker.Await(pass);
  Settle();
  EXPECT_EQ(passed, 1);
  keeper.Kill();
  core_.world.RunFor(seconds(20));
  EXPECT_EQ(passed, 1) << "whoever closed it may be gone";
  SimProcess other(&core_, "other");
  Barrier at_other(other.session(), "/gate/1");
  at_other.Lower(answer);
  at_other.Lower(answer);
  ASSERT_TRUE(RunUntil([&] { return passed == 3 && answers == 4; }));
}

TEST_F(BarrierTest, WhoWaitsHearsOfTheEndOfItsSession) {
  SimProcess walker(&core_, "walker");
  ASSERT_TRUE(walker.Create("/gate", "").ok());
  Barrier barrier(walker.session(), "/gate");
  absl::Status heard;
  barrier.Await([&](const absl::Status& status) { heard = status; });
  Settle();
  walker.session()->Close([](const absl::Status&) {});
  ASSERT_TRUE(RunUntil([&] { return !heard.ok(); }));
  EXPECT_TRUE(coord::IsSessionExpired(heard)) << heard;
}

struct Walker final : DoubleBarrierObserver {
  Walker(SimCore* core, const std::string& name, std::size_t count) : process(core, name, Options()) { Renew(name, count); }
  ~Walker() { Kill(); }
  static coord::SessionOptions Options() {
    coord::SessionOptions options;
    options.timeout = seconds(2);
    return options;
  }
  void Renew(const std::string& name, std::size_t count) {
    barrier = std::make_unique<DoubleBarrier>(process.session(), DoubleBarrierOptions{"/phase", name, count}, this);
    entered = left = false;
  }
  void Kill() {
    barrier.reset();
    process.Kill();
  }
  void OnEntered() override { entered = true; }
  void OnLeft() override { left = true; }
  void OnBroken(const absl::Status& why) override { broken = why; }

  SimProcess process;
  std::unique_ptr<DoubleBarrier> barrier;
  bool entered = false, left = false;
  absl::Status broken;
};

class DoubleBarrierTest : public BarrierTest {
 protected:
  void Add(std::size_t count, std::size_t needed) {
    for (std::size_t i = 0; i < count; ++i)
      all_.push_back(std::make_unique<Walker>(&core_, absl::StrCat("p", all_.size()), needed));
  }
  [[nodiscard]] bool All(bool Walker::*what) const {
    for (const auto& walker : all_) {
      if (!((*walker).*what)) return false;
    }
    return true;
  }
  std::vector<std::unique_ptr<Walker>> all_;
};

TEST_F(DoubleBarrierTest, OpensWhenAllAreThereAndClosesWhenAllHaveLeft) {
  for (int round = 0; round < 3; ++round) {
    all_.clear();
    core_.world.RunFor(seconds(5));
    Add(4, 4);
    for (std::size_t i = 0; i < 3; ++i) all_[i]->barrier->Enter();
    Settle();
    for (const auto& walker : all_) EXPECT_FALSE(walker->entered);
    all_[3]->barrier->Enter();
    ASSERT_TRUE(RunUntil([&] { return All(&Walker::entered); })) << "round " << round;
    for (std::size_t i = 0; i < 3; ++i) all_[i]->barrier->Leave();
    Settle();
    for (const auto& walker : all_) EXPECT_FALSE(walker->left);
    all_[3]->barrier->Leave();
    ASSERT_TRUE(RunUntil([&] { return All(&Walker::left); }));
    Settle();
    EXPECT_EQ(core_.node->state().tree().Find("/phase/ready"), nullptr) << "ready for the next round";
  }
}

TEST_F(DoubleBarrierTest, NobodyWaitsForTheDead) {
  Add(3, 3);
  for (const auto& walker : all_) walker->barrier->Enter();
  ASSERT_TRUE(RunUntil([&] { return All(&Walker::entered); }));
  all_[2]->Kill();
  all_.pop_back();
  for (const auto& walker : all_) walker->barrier->Leave();
  EXPECT_TRUE(RunUntil([&] { return All(&Walker::left); }));
}

TEST_F(DoubleBarrierTest, OneThatComesWhenItIsOpenGoesIn) {
  Add(2, 2);
  for (const auto& walker : all_) walker->barrier->Enter();
  ASSERT_TRUE(RunUntil([&] { return All(&Walker::entered); }));
  Add(1, 2);
  all_[2]->barrier->Enter();
  EXPECT_TRUE(RunUntil([&] { return all_[2]->entered; }));
}

TEST_F(DoubleBarrierTest, WhoseNodeIsDeletedIsNotInsideAnyMore) {
  Add(2, 3);
  for (const auto& walker : all_) walker->barrier->Enter();
  Settle();
  SimProcess other(&core_, "other");
  ASSERT_TRUE(other.Delete("/phase/in/p0").ok());
  ASSERT_TRUE(RunUntil([&] { return !all_[0]->broken.ok(); }));
  EXPECT_TRUE(coord::IsNoNode(all_[0]->broken));
  EXPECT_TRUE(all_[1]->broken.ok());
}

TEST_F(DoubleBarrierTest, AfterARoundInWhichAllDiedTheWayIsClosed) {
  Add(3, 3);
  for (const auto& walker : all_) walker->barrier->Enter();
  ASSERT_TRUE(RunUntil([&] { return All(&Walker::entered); }));
  for (const auto& walker : all_) walker->Kill();
  all_.clear();
  core_.world.RunFor(seconds(20));
  ASSERT_NE(core_.node->state().tree().Find("/phase/ready"), nullptr) << "nobody was there to tidy up";
  Add(3, 3);
  all_[0]->barrier->Enter();
  all_[1]->barrier->Enter();
  Settle();
  EXPECT_FALSE(all_[0]->entered);
  EXPECT_FALSE(all_[1]->entered);
  all_[2]->barrier->Enter();
  EXPECT_TRUE(RunUntil([&] { return All(&Walker::entered); }));
}

TEST_F(DoubleBarrierTest, WhoHearsLateThatAllHaveLeftNeedNotWaitForTheNextRound) {
  Add(3, 2);
  all_[0]->barrier->Enter();
  all_[1]->barrier->Enter();
  ASSERT_TRUE(RunUntil([&] { return all_[0]->entered && all_[1]->entered; }));
  core_.network.Cut(SimCore::kHost, "p0");  // it is heard, and hears nothing
  all_[0]->barrier->Leave();
  Settle();
  all_[1]->barrier->Leave();
  ASSERT_TRUE(RunUntil([&] { return all_[1]->left; }));
  all_[2]->barrier->Enter();
  Settle();
  EXPECT_FALSE(all_[0]->left);
  core_.network.Reset(SimCore::kHost, "p0");
  core_.network.Heal(SimCore::kHost, "p0");
  ASSERT_TRUE(RunUntil([&] { return all_[0]->left; })) << "it waits for one that waits for it";
  EXPECT_FALSE(all_[2]->entered);
  all_[0]->Renew("p0", 2);
  all_[0]->barrier->Enter();
  EXPECT_TRUE(RunUntil([&] { return all_[0]->entered && all_[2]->entered; }));
}

TEST_F(DoubleBarrierTest, WhoGivesUpWaitsForNobody) {
  Add(2, 3);
  for (const auto& walker : all_) walker->barrier->Enter();
  Settle();
  all_[0]->barrier->Leave();
  ASSERT_TRUE(RunUntil([&] { return all_[0]->left; })) << "it waits for one that waits for it";
  EXPECT_EQ(core_.node->state().tree().Find("/phase/in/p0"), nullptr);
  Add(1, 3);
  all_[2]->barrier->Enter();
  all_[2]->barrier->Leave();
  ASSERT_TRUE(RunUntil([&] { return all_[2]->left; })) << "before it knew whether it was inside";
  EXPECT_EQ(core_.node->state().tree().Find("/phase/in/p2"), nullptr);
  EXPECT_FALSE(all_[1]->entered);
}

TEST_F(DoubleBarrierTest, ANameThatIsInsideIsRefusedAndStaysInside) {
  Add(1, 2);
  all_[0]->barrier->Enter();
  Settle();
  Walker same(&core_, "p1", 2);
  same.Renew("p0", 2);
  same.barrier->Enter();
  ASSERT_TRUE(RunUntil([&] { return !same.broken.ok(); }));
  EXPECT_TRUE(coord::IsNodeExists(same.broken)) << same.broken;
  same.Renew("p0", 2);
  same.barrier->Enter();
  same.barrier->Leave();
  ASSERT_TRUE(RunUntil([&] { return same.left; }));
  EXPECT_NE(core_.node->state().tree().Find("/phase/in/p0"), nullptr) << "it is another one's";
  EXPECT_TRUE(all_[0]->broken.ok());
}

TEST_F(DoubleBarrierTest, TellsSinceWhenAndGuardsWhatIsDoneInside) {
  Add(2, 2);
  for (const auto& walker : all_) walker->barrier->Enter();
  ASSERT_TRUE(RunUntil([&] { return All(&Walker::entered); }));
  EXPECT_EQ(all_[0]->barrier->since(), all_[1]->barrier->since());
  EXPECT_EQ(all_[0]->barrier->since(), core_.node->state().tree().Find("/phase/ready")->stat().czxid);
  const auto write = [&] {
    const auto written = all_[0]->process.Commit(
        {.compares = {all_[0]->barrier->Guard()}, .then = {coord::Operation::Create("/result", "")}, .otherwise = {}});
    return written.ok() && written->succeeded;
  };
  EXPECT_TRUE(write());
  for (const auto& walker : all_) walker->barrier->Leave();
  ASSERT_TRUE(RunUntil([&] { return All(&Walker::left); }));
  EXPECT_GT(all_[0]->barrier->since().value, 0u);
  EXPECT_FALSE(write());
}

}  // namespace
}  // namespace drover::recipes
