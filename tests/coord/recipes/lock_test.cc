// Locks, against the real node in simulation. (recipe_faults_test has clusters, faults and a judge.)
#include "drover/recipes/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/recipes/contender.h"
#include "drover/coord/status.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kLock[] = "/locks/l";

// A process with one lock of any kind.
template <typename L>
struct Holder final : LockObserver {
  template <typename... Args>
  Holder(SimCore* core, const std::string& name, coord::SessionOptions options, Args... args)
      : process(core, name, std::move(options)) {
    lock = std::make_unique<L>(process.session(), LockOptions{kLock, name}, args..., this);
  }
  ~Holder() { Kill(); }
  void Kill() {
    lock.reset();
    process.Kill();
  }
  void OnAcquired(const LockGrant& grant) override { grants.push_back(grant); }
  void OnLost(const absl::Status& why) override { lost.push_back(why); }
  [[nodiscard]] bool held() const { return lock->held(); }

  SimProcess process;
  std::unique_ptr<L> lock;
  std::vector<LockGrant> grants;
  std::vector<absl::Status> lost;
};

class LockTest : public ::testing::Test {
 protected:
  LockTest() { core_.Start(); }
  template <typename L, typename... Args>
  std::unique_ptr<Holder<L>> New(const std::string& name, Args... args) {
    coord::SessionOptions options;
    options.timeout = seconds(2);
    return std::make_unique<Holder<L>>(&core_, name, options, args...);
  }
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = seconds(30)) {
    return core_.world.RunUntil(condition, limit);
  }
  void Settle() { core_.world.RunFor(milliseconds(100)); }
  template <typename L>
  void Release(Holder<L>& holder) {
    bool done = false;
    holder.lock->Release([&](const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      done = true;
    });
    EXPECT_TRUE(RunUntil([&] { return done; }));
  }
  std::size_t Places() const {
    const coord::tree::Node* line = core_.node->state().tree().Find(kLock);
    return line == nullptr ? 0 : line->children().size();
  }

  SimCore core_;
};

TEST_F(LockTest, AMutexIsHeldByOneAfterTheOtherInTheOrderInWhichTheyCame) {
  std::vector<std::unique_ptr<Holder<Mutex>>> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(New<Mutex>(absl::StrCat("p", i)));
    all.back()->lock->Acquire();
    ASSERT_TRUE(RunUntil([&] { return Places() == all.size(); }));
  }
  base::Zxid before;
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(RunUntil([&] { return all[i]->held(); })) << i;
    Settle();
    for (std::size_t j = i + 1; j < all.size(); ++j) EXPECT_FALSE(all[j]->held()) << j;
    EXPECT_GT(all[i]->lock->grant().token, before) << "tokens grow";
    before = all[i]->lock->grant().token;
    Release(*all[i]);
    EXPECT_TRUE(all[i]->lock->idle());
  }
  EXPECT_TRUE(RunUntil([&] { return core_.node->state().tree().Find(kLock) == nullptr; })) << "a line that nobody uses goes";
}

// A deletion wakes one, not all.
TEST_F(LockTest, AWaitingOneWatchesItselfAndTheOneBefore) {
  std::vector<std::unique_ptr<Holder<Mutex>>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(New<Mutex>(absl::StrCat("p", i)));
    all.back()->lock->Acquire();
    ASSERT_TRUE(RunUntil([&] { return Places() == all.size(); }));
  }
  Settle();
  EXPECT_EQ(core_.node->Status().watches, 20u + 19u);
}

TEST_F(LockTest, WhoDiesIsPassedOver) {
  auto a = New<Mutex>("a");
  auto b = New<Mutex>("b");
  auto c = New<Mutex>("c");
  for (auto* p : {a.get(), b.get(), c.get()}) {
    const std::size_t before = Places();
    p->lock->Acquire();
    ASSERT_TRUE(RunUntil([&] { return Places() > before; }));
  }
  b->Kill();
  Settle();
  EXPECT_FALSE(c->held());
  a->Kill();
  EXPECT_TRUE(RunUntil([&] { return c->held(); }));
  EXPECT_TRUE(c->lost.empty());
}

// The one thing that stops a holder that does not know that it is none any more.
TEST_F(LockTest, ThePausedHoldersGuardAndTokenAreRefusedWhenItWakes) {
  auto a = New<Mutex>("a");
  auto b = New<Mutex>("b");
  ASSERT_TRUE(a->process.Create("/resource", "").ok());
  a->lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return a->held(); }));
  b->lock->Acquire();
  const coord::Compare guard = a->lock->Guard();
  const base::Zxid token = a->lock->grant().token;
  a->process.loop()->Pause();
  ASSERT_TRUE(RunUntil([&] { return b->held(); }));
  EXPECT_GT(b->lock->grant().token, token);
  EXPECT_TRUE(a->held()) << "it does not know";
  const auto late = b->process.Commit({.compares = {guard}, .then = {coord::Operation::Set("/resource", "late")}, .otherwise = {}});
  ASSERT_TRUE(late.ok());
  EXPECT_FALSE(late->succeeded);
  a->process.loop()->Resume();
  ASSERT_TRUE(RunUntil([&] { return !a->lost.empty(); }));
  EXPECT_TRUE(coord::IsSessionExpired(a->lost[0]) || coord::IsNoNode(a->lost[0])) << a->lost[0] << ": whichever news comes first";
  EXPECT_FALSE(a->held());
  EXPECT_EQ(a->lost.size(), 1u);
}

TEST_F(LockTest, APlaceThatSomebodyDeletesIsLostAndMayBeTakenAgain) {
  auto a = New<Mutex>("a");
  auto other = New<Mutex>("other");
  a->lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return a->held(); }));
  ASSERT_TRUE(other->process.Set(a->lock->grant().path, "just looking").ok());
  Settle();
  EXPECT_TRUE(a->held()) << "what is written there does not matter";
  ASSERT_TRUE(other->process.Delete(a->grants[0].path).ok());
  ASSERT_TRUE(RunUntil([&] { return !a->lost.empty(); }));
  EXPECT_TRUE(coord::IsNoNode(a->lost[0])) << a->lost[0];
  a->lock->Acquire();
  EXPECT_TRUE(RunUntil([&] { return a->held(); }));
}

TEST_F(LockTest, PatienceEndsAndThePlaceIsGivenUp) {
  auto a = New<Mutex>("a");
  auto b = New<Mutex>("b");
  a->lock->Acquire(seconds(1));
  ASSERT_TRUE(RunUntil([&] { return a->held(); }));
  b->lock->Acquire(seconds(3));
  core_.world.RunFor(seconds(2));
  EXPECT_TRUE(b->lost.empty());
  ASSERT_TRUE(RunUntil([&] { return !b->lost.empty(); }, seconds(2)));
  EXPECT_EQ(b->lost[0].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(RunUntil([&] { return Places() == 1; }));
  EXPECT_TRUE(a->held()) << "it had what it waited for";
  EXPECT_TRUE(b->lock->idle());
}

TEST_F(LockTest, ReleasedWhileItWaitsItIsNotAcquired) {
  auto a = New<Mutex>("a");
  auto b = New<Mutex>("b");
  a->lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return a->held(); }));
  b->lock->Acquire();
  Release(*b);
  b->lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return Places() == 2; }));
  Release(*b);
  Release(*a);
  Settle();
  EXPECT_TRUE(b->grants.empty() && b->lost.empty());
  EXPECT_EQ(Places(), 0u);
}

TEST_F(LockTest, ReadersHoldTogetherAndAWriterAlone) {
  std::map<std::string, std::unique_ptr<Holder<ReadWriteLock>>> all;
  for (const char* name : {"r1", "r2", "w1", "r3", "w2"}) {
    auto& holder = all[name] = New<ReadWriteLock>(name);
    const std::size_t before = Places();
    name[0] == 'r' ? holder->lock->AcquireRead() : holder->lock->AcquireWrite();
    ASSERT_TRUE(RunUntil([&] { return Places() > before; }));
  }
  ASSERT_TRUE(RunUntil([&] { return all["r1"]->held() && all["r2"]->held(); }));
  Settle();
  EXPECT_FALSE(all["w1"]->held());
  EXPECT_FALSE(all["r3"]->held()) << "a reader does not overtake a writer that waits";
  Release(*all["r1"]);
  Settle();
  EXPECT_FALSE(all["w1"]->held());
  Release(*all["r2"]);
  ASSERT_TRUE(RunUntil([&] { return all["w1"]->held(); }));
  Settle();
  EXPECT_FALSE(all["r3"]->held());
  Release(*all["w1"]);
  ASSERT_TRUE(RunUntil([&] { return all["r3"]->held(); }));
  EXPECT_FALSE(all["w2"]->held());
  Release(*all["r3"]);
  ASSERT_TRUE(RunUntil([&] { return all["w2"]->held(); }));
}

TEST_F(LockTest, ASemaphoreHasSoManyPermits) {
  std::vector<std::unique_ptr<Holder<Semaphore>>> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(New<Semaphore>(absl::StrCat("p", i), 3U));
    all.back()->lock->Acquire();
    ASSERT_TRUE(RunUntil([&] { return Places() == all.size(); }));
  }
  const auto held = [&] {
    std::vector<int> who;
    for (int i = 0; i < 6; ++i) {
      if (all[static_cast<std::size_t>(i)]->held()) who.push_back(i);
    }
    return who;
  };
  ASSERT_TRUE(RunUntil([&] { return held().size() == 3; }));
  Settle();
  EXPECT_THAT(held(), ElementsAre(0, 1, 2));
  Release(*all[1]);
  ASSERT_TRUE(RunUntil([&] { return held().size() == 3; }));
  EXPECT_THAT(held(), ElementsAre(0, 2, 3));
  all[0]->Kill();
  all[0] = New<Semaphore>("again", 3U);
  ASSERT_TRUE(RunUntil([&] { return held().size() == 3; }));
  EXPECT_THAT(held(), ElementsAre(2, 3, 4));
}

TEST_F(LockTest, ASemaphoreOfAnotherNumberIsRefused) {
  auto a = New<Semaphore>("a", 3U);
  auto b = New<Semaphore>("b", 5U);
  a->lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return a->held(); }));
  b->lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return !b->lost.empty(); }));
  EXPECT_THAT(std::string(b->lost[0].message()), HasSubstr("permits=3"));
  EXPECT_THAT(std::string(b->lost[0].message()), HasSubstr("permits=5"));
  EXPECT_EQ(Places(), 1u);
  EXPECT_TRUE(a->held());
}

struct Refused final : LockObserver {
  void OnAcquired(const LockGrant&) override { ADD_FAILURE(); }
  void OnLost(const absl::Status& why) override { lost = why; }
  absl::Status lost;
};

TEST_F(LockTest, APathThatIsNoneIsLostWithTheReason) {
  SimProcess process(&core_, "p");
  Refused observer;
  Mutex mutex(process.session(), {.path = "no path", .data = ""}, &observer);
  mutex.Acquire();
  ASSERT_TRUE(RunUntil([&] { return !observer.lost.ok(); }));
  EXPECT_EQ(coord::RefusalOf(observer.lost), coord::Code::kInvalidArgument) << observer.lost;
  EXPECT_TRUE(mutex.idle());
}

TEST_F(LockTest, InAnOlderClusterTheLineStays) {
  core_.Crash(sim::Survival::kEverything);
  SimCore old;
  old.options.raft.feature_level_max = base::FeatureLevel(2);
  old.Start();
  coord::SessionOptions options;
  Holder<Mutex> a(&old, "a", options);
  a.lock->Acquire();
  ASSERT_TRUE(old.world.RunUntil([&] { return a.held(); }, seconds(30)));
  EXPECT_FALSE(old.node->state().tree().Find(kLock)->container());
  core_.Start();
}

struct Taker final : MultiLockObserver {
  Taker(SimCore* core, const std::string& name, const std::vector<std::string>& paths) : process(core, name) {
    lock = std::make_unique<MultiLock>(process.session(), paths, name, this);
  }
  ~Taker() {
    lock.reset();
    process.Kill();
  }
  void OnAcquired(const std::map<std::string, LockGrant>& got) override {
    grants = got;
    ++acquired;
  }
  void OnLost(const absl::Status& why) override { lost.push_back(why); }

  SimProcess process;
  std::unique_ptr<MultiLock> lock;
  std::map<std::string, LockGrant> grants;
  int acquired = 0;
  std::vector<absl::Status> lost;
};

TEST_F(LockTest, SeveralAtOnceAreNeverTakenInTheWrongOrder) {
  Taker a(&core_, "a", {"/m/1", "/m/2", "/m/3"});
  Taker b(&core_, "b", {"/m/3", "/m/2", "/m/1"});
  for (int round = 0; round < 10; ++round) {
    a.lock->Acquire();
    b.lock->Acquire();
    for (int turn = 0; turn < 2; ++turn) {
      ASSERT_TRUE(RunUntil([&] { return a.lock->held() || b.lock->held(); })) << "round " << round;
      EXPECT_NE(a.lock->held(), b.lock->held());
      Taker& holder = a.lock->held() ? a : b;
      EXPECT_EQ(holder.grants.size(), 3u);
      EXPECT_EQ(holder.lock->Guards().size(), 3u);
      bool released = false;
      holder.lock->Release([&](const absl::Status&) { released = true; });
      ASSERT_TRUE(RunUntil([&] { return released; }));
    }
  }
  EXPECT_EQ(a.acquired, 10);
  EXPECT_EQ(b.acquired, 10);
}

TEST_F(LockTest, OfSeveralOneThatIsLostLosesAll) {
  Taker a(&core_, "a", {"/m/1", "/m/2"});
  a.lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return a.lock->held(); }));
  SimProcess other(&core_, "other");
  ASSERT_TRUE(other.Delete(a.grants["/m/2"].path).ok());
  ASSERT_TRUE(RunUntil([&] { return !a.lost.empty(); }));
  EXPECT_FALSE(a.lock->held());
  EXPECT_TRUE(RunUntil([&] { return core_.node->state().tree().Find("/m/1") == nullptr; })) << "the other one is given back";
}

TEST_F(LockTest, PatienceIsForAllTogether) {
  Taker a(&core_, "a", {"/m/2"});
  a.lock->Acquire();
  ASSERT_TRUE(RunUntil([&] { return a.lock->held(); }));
  Taker b(&core_, "b", {"/m/1", "/m/2"});
  b.lock->Acquire(seconds(2));
  ASSERT_TRUE(RunUntil([&] { return !b.lost.empty(); }, seconds(5)));
  EXPECT_EQ(b.lost[0].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(RunUntil([&] { return core_.node->state().tree().Find("/m/1") == nullptr; }));
}

TEST(SequenceOf, IsTheNumberAtTheEnd) {
  EXPECT_EQ(SequenceOf("w-0000000012"), 12u);
  EXPECT_EQ(SequenceOf("w-10000000000"), 10'000'000'000u);
  EXPECT_EQ(SequenceOf("w-12"), std::nullopt);
  EXPECT_EQ(SequenceOf("other"), std::nullopt);
  EXPECT_EQ(SequenceOf(""), std::nullopt);
}

}  // namespace
}  // namespace drover::recipes
