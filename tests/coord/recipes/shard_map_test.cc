// Shard maps: how shards are spread, and who owns them, against the real node in simulation.
#include "drover/recipes/shard_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/random.h"
#include "drover/coord/status.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

std::map<std::string, std::size_t> Count(const std::vector<std::string>& owners) {
  std::map<std::string, std::size_t> count;
  for (const std::string& owner : owners) ++count[owner];
  return count;
}
std::size_t Moved(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::size_t moved = 0;
  for (std::size_t i = 0; i < a.size(); ++i) moved += a[i] != b[i] ? 1 : 0;
  return moved;
}

TEST(SpreadShards, GivesEachAsManyOrOneMore) {
  const auto owners = SpreadShards(std::vector<std::string>(10), {"a", "b", "c"}, true);
  EXPECT_EQ(Count(owners), (std::map<std::string, std::size_t>{{"a", 4}, {"b", 3}, {"c", 3}}));
}

TEST(SpreadShards, WithoutMembersNothingChanges) {
  EXPECT_THAT(SpreadShards({"a", ""}, {}, true), ElementsAre("a", ""));
}

TEST(SpreadShards, OfTheDeadOnlyTheirsMove) {
  const auto before = SpreadShards(std::vector<std::string>(12), {"a", "b", "c", "d"}, true);
  const auto after = SpreadShards(before, {"a", "b", "d"}, false);
  EXPECT_EQ(Moved(before, after), 3u);
  EXPECT_EQ(Count(after), (std::map<std::string, std::size_t>{{"a", 4}, {"b", 4}, {"d", 4}}));
}

// However members come and go: even, nobody dead owns anything, and no fewer moves would do.
TEST(SpreadShards, MovesNoMoreThanItMust) {
  base::SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
    const std::size_t shards = 1 + random.Below(60);
    std::vector<std::string> owners(shards);
    for (int step = 0; step < 10; ++step) {
      std::vector<std::string> members;
      for (int i = 0; i < 8; ++i) {
        if (random.Below(2) == 0) members.push_back(absl::StrCat("m", i));
      }
      if (members.empty()) continue;
      const std::vector<std::string> next = SpreadShards(owners, members, true);
      std::map<std::string, std::size_t> now;
      for (const std::string& member : members) now[member] = 0;
      for (const std::string& owner : next) {
        ASSERT_EQ(now.count(owner), 1u) << owner;
        ++now[owner];
      }
      std::vector<std::size_t> kept;  // of those alive
      std::size_t homeless = 0;
      for (const std::string& member : members) {
        ASSERT_GE(now[member], shards / members.size());
        ASSERT_LE(now[member], (shards + members.size() - 1) / members.size());
        kept.push_back(static_cast<std::size_t>(std::count(owners.begin(), owners.end(), member)));
      }
      for (const std::string& owner : owners) homeless += now.count(owner) == 0 ? 1 : 0;
      // Whoever has most gets the one more; all above its share must move, and all that are homeless.
      std::sort(kept.rbegin(), kept.rend());
      std::size_t must = homeless;
      for (std::size_t i = 0; i < kept.size(); ++i) {
        const std::size_t share = shards / members.size() + (i < shards % members.size() ? 1 : 0);
        must += kept[i] > share ? kept[i] - share : 0;
      }
      ASSERT_EQ(Moved(owners, next), must);
      owners = next;
    }
  }
}

constexpr std::uint32_t kShards = 12;

// Gives back what is revoked after a while, as one that has to finish something.
struct Owner final : ShardObserver {
  Owner(SimCore* core, const std::string& host, const std::string& name) : process(core, host, Options()), later(process.loop()) {
    shards = std::make_unique<ShardMap>(process.loop(), process.session(),
                                        ShardOptions{.path = "/app", .name = name, .shards = kShards}, this);
  }
  ~Owner() { Kill(); }
  static coord::SessionOptions Options() {
    coord::SessionOptions options;
    options.timeout = seconds(2);
    return options;
  }
  void Kill() {
    later.Cancel();
    shards.reset();
    process.Kill();
  }
  void OnAcquired(std::uint32_t shard, const LockGrant& grant) override { tokens[shard] = grant.token; }
  void OnRevoked(std::uint32_t shard) override {
    revoked.insert(shard);
    later.Set(milliseconds(50), [this] {
      for (const std::uint32_t r : std::exchange(revoked, {})) {
        tokens.erase(r);
        shards->Release(r);
      }
    });
  }
  void OnLost(std::uint32_t shard, const absl::Status& why) override {
    tokens.erase(shard);
    revoked.erase(shard);
    lost.push_back(why);
  }
  void OnNameTaken(const coord::Node& /*holder*/) override { ++name_taken; }
  void OnShardsEnded(const absl::Status& why) override { ended = why; }

  SimProcess process;
  base::Timer later;
  std::unique_ptr<ShardMap> shards;
  std::map<std::uint32_t, base::Zxid> tokens;
  std::set<std::uint32_t> revoked;
  std::vector<absl::Status> lost;
  int name_taken = 0;
  absl::Status ended;
};

class ShardMapTest : public ::testing::Test {
 protected:
  ShardMapTest() { core_.Start(); }
  Owner& Start(const std::string& name) { return *(owners_[name] = std::make_unique<Owner>(&core_, name, name)); }
  // Everything is owned, by each about as much.
  bool Even() {
    std::size_t all = 0;
    for (const auto& [name, owner] : owners_) {
      if (owner->tokens.size() < kShards / owners_.size() || owner->tokens.size() > (kShards + owners_.size() - 1) / owners_.size())
        return false;
      all += owner->tokens.size();
    }
    return all == kShards;
  }
  // Nobody believes to own what another believes to own.
  void ExpectNoneTwice() {
    std::set<std::uint32_t> seen;
    for (const auto& [name, owner] : owners_) {
      for (const auto& [shard, token] : owner->tokens) EXPECT_TRUE(seen.insert(shard).second) << shard << " twice, at " << name;
    }
  }
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = seconds(60)) {
    return core_.world.RunUntil(
        [&] {
          ExpectNoneTwice();
          return condition();
        },
        limit);
  }

  SimCore core_;
  std::map<std::string, std::unique_ptr<Owner>> owners_;
};

TEST_F(ShardMapTest, IsSpreadOverThoseThatComeAndGo) {
  Start("a");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  Start("b");
  Start("c");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  const std::map<std::uint32_t, base::Zxid> before = owners_["a"]->tokens;
  owners_.erase("b");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  for (const auto& [shard, token] : before) EXPECT_EQ(owners_["a"]->tokens[shard], token) << "it need not have moved";
  const std::uint32_t shard = owners_["a"]->shards->ShardOf("user 7");
  // Views are as late as their watches.
  const auto owner = [&](const std::string& name) { return owners_[name]->shards->OwnerOf(shard); };
  ASSERT_TRUE(RunUntil([&] { return !owner("a").empty() && owner("a") == owner("c"); }));
  EXPECT_EQ(owners_[owner("a")]->tokens.count(shard), 1u);
}

TEST_F(ShardMapTest, WhoLeavesGivesAllBack) {
  Owner& a = Start("a");
  Owner& b = Start("b");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  bool left = false;
  a.shards->Leave([&](const absl::Status& status) { left = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return left; }));
  EXPECT_TRUE(a.tokens.empty());
  ASSERT_TRUE(RunUntil([&] { return b.tokens.size() == kShards; }));
  EXPECT_TRUE(a.lost.empty()) << "nothing was taken from it";
}

TEST_F(ShardMapTest, ThePausedOnesTokensAreOld) {
  Owner& a = Start("a");
  Owner& b = Start("b");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  const std::map<std::uint32_t, base::Zxid> old = a.tokens;
  const coord::Compare guard = a.shards->Guard(old.begin()->first);
  a.process.loop()->Pause();
  ASSERT_TRUE(core_.world.RunUntil([&] { return b.tokens.size() == kShards; }, seconds(60)));
  for (const auto& [shard, token] : old) EXPECT_GT(b.tokens[shard], token);
  const auto late = b.process.Commit({.compares = {guard}, .then = {coord::Operation::Create("/late", "")}, .otherwise = {}});
  EXPECT_FALSE(late->succeeded);
  a.process.loop()->Resume();
  ASSERT_TRUE(core_.world.RunUntil([&] { return !a.ended.ok(); }, seconds(60))) << "for a moment it believes what it knew";
  EXPECT_EQ(a.lost.size(), old.size());
  EXPECT_TRUE(a.tokens.empty());
}

TEST_F(ShardMapTest, AnOwnNodeThatSomebodyDeletesIsLostAndTakenAgain) {
  Owner& a = Start("a");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  const base::Zxid before = a.tokens[3];
  SimProcess other(&core_, "other");
  ASSERT_TRUE(other.Delete("/app/own/3").ok());
  ASSERT_TRUE(RunUntil([&] { return !a.lost.empty() && a.tokens.count(3) > 0 && a.tokens[3] > before; }));
  EXPECT_TRUE(coord::IsNoNode(a.lost[0]));
}

// As by a process that was killed and started again before its old session ends; or two were given the same name.
TEST_F(ShardMapTest, ANameThatIsTakenIsToldAndWaitedFor) {
  Owner& first = Start("a");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  Owner second(&core_, "b", "a");
  ASSERT_TRUE(core_.world.RunUntil([&] { return second.name_taken > 0; }, seconds(60)));
  EXPECT_EQ(first.tokens.size(), kShards);
  EXPECT_TRUE(second.tokens.empty());
  owners_.clear();
  ASSERT_TRUE(core_.world.RunUntil([&] { return second.tokens.size() == kShards; }, seconds(60)));
  EXPECT_EQ(second.name_taken, 1);
}

TEST_F(ShardMapTest, ADamagedMapIsMadeAnew) {
  Owner& a = Start("a");
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  SimProcess other(&core_, "other");
  ASSERT_TRUE(other.Set("/app/map", "{\"owners\":7}").ok());
  core_.world.RunFor(seconds(3));
  ASSERT_TRUE(RunUntil([&] { return Even(); }));
  ASSERT_TRUE(other.Delete("/app/map").ok());
  ASSERT_TRUE(RunUntil([&] { return Even() && a.revoked.empty(); }));
}

}  // namespace
}  // namespace drover::recipes
