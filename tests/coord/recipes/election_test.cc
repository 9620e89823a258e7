// Election, against the real node in simulation.
#include "drover/recipes/election.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kPath[] = "/pool/masters";

// A process that stands for election.
struct Master final : ElectionObserver {
  Master(SimCore* core, const std::string& name, coord::SessionOptions options = {}) : process(core, name, std::move(options)) {
    election = std::make_unique<Election>(process.session(), ElectionOptions{kPath, name}, this);
  }
  ~Master() { Kill(); }
  void Kill() {
    election.reset();
    process.Kill();
  }
  void OnElected(const Leadership& mine) override { elected.push_back(mine); }
  void OnDeposed(const absl::Status& why) override { deposed.push_back(why); }
  void OnCandidates(const std::vector<Candidate>& candidates) override {
    names.clear();
    for (const Candidate& c : candidates) names.push_back(c.data);
  }
  bool leads() const { return election->state() == Election::State::kLeading; }

  SimProcess process;
  std::unique_ptr<Election> election;
  std::vector<Leadership> elected;
  std::vector<absl::Status> deposed;
  std::vector<std::string> names;
};

class ElectionTest : public ::testing::Test {
 protected:
  ElectionTest() { core_.Start(); }
  std::unique_ptr<Master> Stand(const std::string& name, coord::SessionOptions options = {}) {
    auto master = std::make_unique<Master>(&core_, name, std::move(options));
    master->election->Stand();
    EXPECT_TRUE(RunUntil([&] { return !master->names.empty() && master->names.back() == name; })) << name;
    return master;
  }
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = seconds(30)) {
    return core_.world.RunUntil(condition, limit);
  }
  void Settle() { core_.world.RunFor(milliseconds(100)); }

  SimCore core_;
};

TEST_F(ElectionTest, TheFirstCandidateLeadsAndTheSecondWaits) {
  auto a = Stand("a");
  ASSERT_TRUE(RunUntil([&] { return a->leads(); }));
  auto b = Stand("b");
  Settle();
  EXPECT_FALSE(b->leads());
  EXPECT_EQ(b->election->state(), Election::State::kStanding);
  EXPECT_THAT(a->names, ElementsAre("a", "b"));
  EXPECT_THAT(b->names, ElementsAre("a", "b"));
  EXPECT_EQ(a->elected[0].since, a->elected[0].epoch) << "nobody was before it";
  EXPECT_EQ(b->election->candidates()[0].epoch, a->elected[0].epoch);
}

TEST_F(ElectionTest, WhenTheLeadersSessionEndsTheNextLeadsFromTheDeletionOn) {
  auto a = Stand("a", {.disconnect_grace = milliseconds(250)});
  auto b = Stand("b");
  auto c = Stand("c");
  const base::Zxid epoch_b = b->election->candidates()[1].epoch;
  const base::Zxid before = b->process.session()->seen_zxid();
  a->Kill();
  ASSERT_TRUE(RunUntil([&] { return b->leads(); }, seconds(1))) << "a broken link and the grace, not the time-out";
  EXPECT_EQ(b->elected[0].epoch, epoch_b);
  EXPECT_GT(b->elected[0].since, before);
  EXPECT_GT(b->elected[0].since, b->elected[0].epoch);
  Settle();
  EXPECT_FALSE(c->leads());
  EXPECT_THAT(c->names, ElementsAre("b", "c"));
}

TEST_F(ElectionTest, OneInTheMiddleLeavesAndNobodyIsElected) {
  auto a = Stand("a");
  auto b = Stand("b");
  auto c = Stand("c");
  bool resigned = false;
  b->election->Resign([&](const absl::Status& status) { resigned = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return resigned; }));
  Settle();
  EXPECT_THAT(c->names, ElementsAre("a", "c"));
  EXPECT_THAT(c->elected, IsEmpty());
  EXPECT_THAT(b->deposed, IsEmpty()) << "it asked for it";
  EXPECT_EQ(b->election->state(), Election::State::kIdle);
  b->election->Stand();
  ASSERT_TRUE(RunUntil([&] { return c->names.size() == 3; }));
  EXPECT_THAT(c->names, ElementsAre("a", "c", "b")) << "as the last";
}

TEST_F(ElectionTest, ResigningHandsOver) {
  auto a = Stand("a");
  auto b = Stand("b");
  ASSERT_TRUE(RunUntil([&] { return a->leads(); }));
  const coord::Compare guard = a->election->Guard();
  bool resigned = false;
  a->election->Resign([&](const absl::Status& status) { resigned = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return resigned && b->leads(); }));
  const auto late = a->process.Commit({.compares = {guard}, .then = {coord::Operation::Create("/late", "")}, .otherwise = {}});
  ASSERT_TRUE(late.ok());
  EXPECT_FALSE(late->succeeded) << "the guard of one that led fails";
  const auto good =
      b->process.Commit({.compares = {b->election->Guard()}, .then = {coord::Operation::Create("/good", "")}, .otherwise = {}});
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(good->succeeded);
}

TEST_F(ElectionTest, ALeaderWhoseNodeIsDeletedIsDeposedThoughItsSessionLives) {
  auto a = Stand("a");
  auto b = Stand("b");
  ASSERT_TRUE(RunUntil([&] { return a->leads(); }));
  const Leadership old = a->election->leadership();
  ASSERT_TRUE(b->process.Delete(old.path).ok());
  ASSERT_TRUE(RunUntil([&] { return a->deposed.size() == 1 && b->leads(); }));
  EXPECT_TRUE(coord::IsNoNode(a->deposed[0]));
  EXPECT_GT(b->elected[0].epoch, old.epoch);
  EXPECT_EQ(a->process.session()->state(), coord::SessionState::kConnected);

  a->election->Stand();
  ASSERT_TRUE(RunUntil([&] { return a->names.size() == 2; }));
  EXPECT_THAT(a->names, ElementsAre("b", "a"));
  ASSERT_TRUE(b->process.Delete(b->election->leadership().path).ok());
  ASSERT_TRUE(RunUntil([&] { return a->leads(); }));
  EXPECT_GT(a->elected[1].epoch, b->elected[0].epoch) << "epochs only grow";
}

TEST_F(ElectionTest, APausedLeaderThatExpiredIsDeposedWhenItWakes) {
  auto a = Stand("a", {.timeout = seconds(2)});
  auto b = Stand("b");
  ASSERT_TRUE(RunUntil([&] { return a->leads(); }));
  const coord::Compare guard = a->election->Guard();
  a->process.loop()->Pause();
  ASSERT_TRUE(RunUntil([&] { return b->leads(); }, seconds(10)));
  a->process.loop()->Resume();
  ASSERT_TRUE(RunUntil([&] { return a->deposed.size() == 1; }, seconds(10)));
  // It hears of the deletion first if its link stood all the time, else of the expiry at once.
  EXPECT_TRUE(coord::IsSessionExpired(a->deposed[0]) || coord::IsNoNode(a->deposed[0])) << a->deposed[0];
  ASSERT_TRUE(RunUntil([&] { return a->election->state() == Election::State::kEnded; }));
  EXPECT_EQ(a->deposed.size(), 1U);
  const auto old = b->process.Commit({.compares = {guard}, .then = {coord::Operation::Create("/old", "")}, .otherwise = {}});
  ASSERT_TRUE(old.ok());
  EXPECT_FALSE(old->succeeded);

  // A new session, a new candidate.
  a->election.reset();
  a->process.OpenSession();
  a->election = std::make_unique<Election>(a->process.session(), ElectionOptions{kPath, "a"}, a.get());
  a->election->Stand();
  ASSERT_TRUE(RunUntil([&] { return a->names.size() == 2; }));
  EXPECT_THAT(a->names, ElementsAre("b", "a"));
}

TEST_F(ElectionTest, AnOutageOfTheCoreChangesNoLeader) {
  auto a = Stand("a");
  auto b = Stand("b");
  ASSERT_TRUE(RunUntil([&] { return a->leads(); }));
  const base::Zxid epoch = a->elected[0].epoch;
  core_.Crash(sim::Survival::kEverything);
  core_.world.RunFor(seconds(20));
  core_.Start();
  ASSERT_TRUE(RunUntil([&] { return b->process.session()->state() == coord::SessionState::kConnected; }));
  core_.world.RunFor(seconds(10));
  EXPECT_TRUE(a->leads());
  EXPECT_FALSE(b->leads());
  EXPECT_THAT(a->deposed, IsEmpty());
  EXPECT_EQ(a->election->leadership().epoch, epoch);
}

TEST_F(ElectionTest, ACandidateThatCannotBeMadeIsToldSo) {
  SimProcess process(&core_, "p");
  Master m(&core_, "m");
  m.election = std::make_unique<Election>(m.process.session(), ElectionOptions{kPath, std::string(2 << 20, 'x')}, &m);
  m.election->Stand();
  ASSERT_TRUE(RunUntil([&] { return m.deposed.size() == 1; }));
  EXPECT_EQ(coord::RefusalOf(m.deposed[0]), coord::Code::kTooLarge);
  EXPECT_EQ(m.election->state(), Election::State::kIdle);
}

// Candidates come, resign, are deleted, cut off and killed at random. Never do two leaders of one epoch order overlap: every
// guarded write that succeeds carries an epoch no lower than any before it; and at rest there is exactly one leader.
class ElectionModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ElectionModelTest, GuardedWritesNeverGoBackInEpochs) {
  SimCore core(GetParam());
  core.options.history.bytes_max = GetParam() % 2 == 0 ? 1500 : 1 << 20;
  core.Start();
  base::SeededRandom random(GetParam());
  std::vector<std::unique_ptr<Master>> masters;
  std::map<base::Zxid, base::Zxid> epochs;  // of the guarded writes that succeeded, by zxid
  int made = 0;
  SimProcess admin(&core, "admin");
  const auto add = [&] {
    masters.push_back(std::make_unique<Master>(
        &core, absl::StrCat("m", ++made), coord::SessionOptions{.timeout = seconds(2), .disconnect_grace = milliseconds(250)}));
    masters.back()->election->Stand();
  };
  // Whoever does not stand, stands again; whoever lost its session, begins anew.
  const auto stand_again = [&] {
    for (std::size_t i = 0; i < masters.size(); ++i) {
      if (masters[i]->process.loop()->paused()) continue;
      if (masters[i]->election->state() == Election::State::kEnded) {
        masters.erase(masters.begin() + static_cast<std::ptrdiff_t>(i));
        add();
      } else if (masters[i]->election->state() == Election::State::kIdle) {
        masters[i]->election->Stand();
      }
    }
  };
  for (int i = 0; i < 3; ++i) add();
  for (int step = 0; step < 300; ++step) {
    core.world.RunFor(milliseconds(random.Below(80)));
    Master& one = *masters[random.Below(masters.size())];
    switch (random.Below(12)) {
      case 0:
        one.election->Resign([](const absl::Status&) {});
        break;
      case 1:
        core.network.CutPair(one.process.host(), SimCore::kHost);
        break;
      case 2:
        core.network.HealAll();
        break;
      case 3:
        one.process.loop()->Pause();
        break;
      case 4:
        for (auto& master : masters) master->process.loop()->Resume();
        break;
      case 5:
        if (one.leads()) admin.session()->Delete(one.election->leadership().path, std::nullopt, [](auto) {});
        break;
      case 6:
        core.network.Reset(one.process.host(), SimCore::kHost);
        break;
      default:
        break;
    }
    stand_again();
    for (auto& one_of_them : masters) {
      Master& master = *one_of_them;
      if (master.process.loop()->paused() || !master.leads()) continue;
      const base::Zxid epoch = master.election->leadership().epoch;
      master.process.session()->Commit(
          {.compares = {master.election->Guard()}, .then = {coord::Operation::Set("/pool", "x")}, .otherwise = {}},
          [&epochs, epoch](absl::StatusOr<coord::TransactionResult> result) {
            if (result.ok() && result->succeeded) epochs[result->zxid] = epoch;
          });
    }
  }
  for (auto& master : masters) master->process.loop()->Resume();
  core.network.HealAll();
  for (int i = 0; i < 30; ++i) {
    core.world.RunFor(milliseconds(500));
    stand_again();
  }
  core.world.RunFor(seconds(1));
  int leaders = 0;
  for (auto& master : masters) leaders += master->leads() ? 1 : 0;
  EXPECT_EQ(leaders, 1);
  EXPECT_GT(epochs.size(), 20U);
  base::Zxid highest;
  for (const auto& [zxid, epoch] : epochs) {
    EXPECT_GE(epoch, highest) << "at zxid " << zxid;
    highest = std::max(highest, epoch);
  }
  masters.clear();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ElectionModelTest, ::testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace drover::recipes
