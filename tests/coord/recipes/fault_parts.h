// What the processes of the tests of faults do: one part for each recipe, and what the parts share.
#ifndef DROVER_TESTS_COORD_RECIPES_FAULT_PARTS_H_
#define DROVER_TESTS_COORD_RECIPES_FAULT_PARTS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/random.h"
#include "drover/coord/status.h"
#include "drover/recipes/barrier.h"
#include "drover/recipes/election.h"
#include "drover/recipes/lock.h"
#include "drover/recipes/queue.h"
#include "drover/recipes/shard_map.h"
#include "drover/recipes/two_phase_commit.h"
#include "drover/recipes/value.h"
#include "tests/coord/client/sim_process.h"
#include "tests/coord/recipes/holding.h"
#include "tests/coord/server/sim_cluster.h"

namespace drover::recipes {

inline constexpr int kActors = 4;
inline constexpr std::uint32_t kShards = 6;
inline constexpr std::uint32_t kPermits = 2;
inline constexpr std::size_t kTogether = 3;  // inside the double barrier, for it to open

// What the recipes protect: it keeps the newest token that it has seen of each resource, and what it is sent may be long under way.
class Store {
 public:
  explicit Store(sim::SimWorld* world) : world_(world) {}

  void Send(const std::string& resource, base::Zxid token, const std::string& who) {
    const bool slow = world_->random().Below(10) == 0;
    world_->Schedule(nullptr,
                     world_->Between(std::chrono::milliseconds(1),
                                     slow ? std::chrono::seconds(6) : std::chrono::seconds(0) + std::chrono::milliseconds(20)),
                     [=, this] {
                       base::Zxid& newest = newest_[resource];
                       if (token < newest) {
                         ++refused_;
                         return;
                       }
                       newest = token;
                       const auto owner = owners_.emplace(std::pair(resource, token), who).first;
                       EXPECT_EQ(owner->second, who) << resource << ": two use the token " << token.value;
                     });
  }
  [[nodiscard]] int refused() const { return refused_; }

 private:
  sim::SimWorld* const world_;
  std::map<std::string, base::Zxid> newest_;
  std::map<std::pair<std::string, base::Zxid>, std::string> owners_;
  int refused_ = 0;
};

struct Scene {
  Scene(int nodes, std::uint64_t seed) : cluster(nodes, seed), store(&cluster.world) {}

  coord::server::SimCluster cluster;
  Store store;
  std::vector<Claim> claims;
  std::int64_t added = 0;          // to the counter, for certain
  std::int64_t unknown = 0;        // and perhaps
  std::set<std::int64_t> numbers;  // that the counter gave
  std::set<std::string> put;       // into the queue, for certain
  std::map<std::string, bool> decisions;
  std::uint64_t lives = 0;  // of parts: for names that are used once
  bool closing = false;     // nothing new is begun
};

// One life of a process's use of one recipe; goes with its session.
class Part {
 public:
  virtual ~Part() = default;
  // Every now and then, on the process's loop.
  virtual void Tick() = 0;
  // It has had what it is here for, since Renew.
  [[nodiscard]] virtual bool Served() const { return served_; }
  void Renew() { served_ = false; }
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  Part(Scene* scene, coord::SimProcess* process, std::string name) : scene_(scene), process_(process), name_(std::move(name)) {}

  // Writes to both kinds of resource: to one in the tree under a guard, and to the store with the token.
  void Use(const std::string& resource, const coord::Compare& guard, const Claim& claim) {
    if (claim.rule != Rule::kPermits) scene_->store.Send(resource, claim.token, process_->host());
    const std::string path = absl::StrCat("/resources/", resource);
    process_->session()->Commit(
        {.compares = {guard},
         .then = {coord::Operation::Create(path, "", {.parents = true, .if_absent = true}),
                  coord::Operation::Set(path, absl::StrCat(claim.token.value))},
         .otherwise = {}},
        [scene = scene_, claim = Claim(claim)](const absl::StatusOr<coord::TransactionResult>& written) mutable {
          if (!written.ok() || !written->succeeded) return;
          claim.at = written->zxid;
          claim.what += " when it wrote";
          scene->claims.push_back(claim);
        });
    served_ = true;
  }
  [[nodiscard]] Claim ClaimOf(Rule rule, const std::string& path, base::Zxid token, base::Zxid at) const {
    return {rule, path, token, at, kPermits, absl::StrCat(process_->host(), " (told)")};
  }
  [[nodiscard]] base::Random& random() { return scene_->cluster.world.random(); }

  Scene* const scene_;
  coord::SimProcess* const process_;
  bool served_ = false;

 private:
  const std::string name_;
};

template <typename L>
class LockPart final : public Part, private LockObserver {
 public:
  template <typename... Args>
  LockPart(Scene* scene, coord::SimProcess* process, const std::string& resource, Rule rule, std::function<void(L&, bool)> acquire,
           Args... args)
      : Part(scene, process, resource),
        resource_(resource),
        rule_(rule),
        acquire_(std::move(acquire)),
        lock_(process->session(), {.path = "/locks/" + resource, .data = process->host()}, args..., this) {}

  void Tick() override {
    if (lock_.idle()) return acquire_(lock_, random().Below(3) == 0);
    if (!lock_.held()) return;
    Use(resource_, lock_.Guard(), ClaimOf(rule_, lock_.grant().path, lock_.grant().token, base::Zxid()));
    if (random().Below(4) == 0) lock_.Release([](const absl::Status&) {});
  }

 private:
  void OnAcquired(const LockGrant& grant) override {
    scene_->claims.push_back(ClaimOf(rule_, grant.path, grant.token, grant.since));
  }
  void OnLost(const absl::Status& /*why*/) override {}

  const std::string resource_;
  const Rule rule_;
  const std::function<void(L&, bool)> acquire_;
  L lock_;
};

// Two of three mutexes, all or none; who wants which differs, so that they wait for each other crosswise.
class MultiPart final : public Part, private MultiLockObserver {
 public:
  MultiPart(Scene* scene, coord::SimProcess* process)
      : Part(scene, process, "several"), lock_(process->session(), TwoOfThree(), process->host(), this) {}

  void Tick() override {
    if (!lock_.held()) return lock_.Acquire(std::chrono::milliseconds(random().Below(3) == 0 ? 500 : 0));
    const std::vector<coord::Compare> guards = lock_.Guards();
    auto guard = guards.begin();
    for (const auto& [path, grant] : grants_) {
      Use(path.substr(path.rfind('/') + 1), *guard++, ClaimOf(Rule::kFirst, grant.path, grant.token, base::Zxid()));
    }
    if (random().Below(4) == 0) lock_.Release([](const absl::Status&) {});
  }

 private:
  std::vector<std::string> TwoOfThree() {
    std::vector<std::string> paths = {"/locks/several-a", "/locks/several-b", "/locks/several-c"};
    std::swap(paths[random().Below(3)], paths[2]);
    paths.pop_back();
    return paths;
  }
  void OnAcquired(const std::map<std::string, LockGrant>& grants) override {
    grants_ = grants;
    for (const auto& [path, grant] : grants_) {
      scene_->claims.push_back(ClaimOf(Rule::kFirst, grant.path, grant.token, grant.since));
    }
  }
  void OnLost(const absl::Status& /*why*/) override {}

  std::map<std::string, LockGrant> grants_;
  MultiLock lock_;
};

class ElectionPart final : public Part, private ElectionObserver {
 public:
  ElectionPart(Scene* scene, coord::SimProcess* process)
      : Part(scene, process, "election"), election_(process->session(), {.path = "/masters", .data = process->host()}, this) {}

  void Tick() override {
    if (election_.state() == Election::State::kIdle) election_.Stand();
    if (election_.state() != Election::State::kLeading) return;
    const Leadership& mine = election_.leadership();
    Use("leader", election_.Guard(), ClaimOf(Rule::kFirst, mine.path, mine.epoch, base::Zxid()));
    if (random().Below(20) == 0) election_.Resign([](const absl::Status&) {});
  }
  // One leads, the others wait.
  [[nodiscard]] bool Served() const override { return election_.state() == Election::State::kStanding || Part::Served(); }

 private:
  void OnElected(const Leadership& mine) override {
    scene_->claims.push_back(ClaimOf(Rule::kFirst, mine.path, mine.epoch, mine.since));
  }
  void OnDeposed(const absl::Status& /*why*/) override {}

  Election election_;
};

class ShardPart final : public Part, private ShardObserver {
 public:
  ShardPart(Scene* scene, coord::SimProcess* process)
      : Part(scene, process, "shards"),
        shards_(process->loop(), process->session(), {.path = "/shards", .name = process->host(), .shards = kShards}, this) {}

  void Tick() override {
    for (const std::uint32_t shard : std::exchange(revoked_, {})) shards_.Release(shard);
    for (const auto& [shard, grant] : shards_.owned()) {
      if (random().Below(3) == 0) {
        Use(absl::StrCat("shard-", shard), shards_.Guard(shard), ClaimOf(Rule::kAlone, grant.path, grant.token, base::Zxid()));
      }
    }
  }
  [[nodiscard]] bool Served() const override { return shards_.owned().size() >= kShards / kActors; }

 private:
  void OnAcquired(std::uint32_t /*shard*/, const LockGrant& grant) override {
    scene_->claims.push_back(ClaimOf(Rule::kAlone, grant.path, grant.token, grant.since));
  }
  void OnRevoked(std::uint32_t shard) override { revoked_.insert(shard); }
  void OnLost(std::uint32_t shard, const absl::Status& /*why*/) override { revoked_.erase(shard); }

  std::set<std::uint32_t> revoked_;
  ShardMap shards_;
};

class CounterPart final : public Part {
 public:
  CounterPart(Scene* scene, coord::SimProcess* process)
      : Part(scene, process, "counter"), counter_(process->session(), "/counter") {}

  void Tick() override {
    if (adding_) return;
    adding_ = true;
    ++scene_->unknown;
    counter_.Add(1, [this](const absl::StatusOr<std::int64_t>& sum) {
      adding_ = false;
      if (!sum.ok()) return;
      EXPECT_TRUE(scene_->numbers.insert(*sum).second) << "each caller gets another number";
      --scene_->unknown;
      ++scene_->added;
      served_ = true;
    });
  }

 private:
  bool adding_ = false;
  Counter counter_;
};

// Meets the others, round after round, for as long as its session lives.
class BarrierPart final : public Part, private DoubleBarrierObserver {
 public:
  BarrierPart(Scene* scene, coord::SimProcess* process) : Part(scene, process, "barrier") {}

  void Tick() override {
    if (over_) {
      over_ = inside_ = false;
      DoubleBarrierObserver* const observer = this;
      barrier_ = std::make_unique<DoubleBarrier>(
          process_->session(), DoubleBarrierOptions{.path = "/barrier", .name = process_->host(), .count = kTogether}, observer);
      return barrier_->Enter();
    }
    // It may lose patience, too.
    if (random().Below(inside_ ? 4 : 50) == 0) barrier_->Leave();
  }

 private:
  void Say(Rule rule) {
    const coord::Compare place = barrier_->Guard();
    scene_->claims.push_back(
        {rule, place.path, base::Zxid(place.value), barrier_->since(), kTogether, absl::StrCat(process_->host(), " (told)")});
  }
  void OnEntered() override {
    inside_ = true;
    Say(Rule::kTogether);
  }
  void OnLeft() override {
    over_ = true;
    if (!inside_) return;
    Say(Rule::kAllLeft);
    served_ = true;
  }
  void OnBroken(const absl::Status& /*why*/) override { over_ = true; }

  bool over_ = true;     // none is under way
  bool inside_ = false;  // it has been let in
  std::unique_ptr<DoubleBarrier> barrier_;
};

// Puts items and works on them; what it has done stands in the tree.
class QueuePart final : public Part, private QueueObserver {
 public:
  QueuePart(Scene* scene, coord::SimProcess* process)
      : Part(scene, process, "queue"),
        queue_(process->session(), {.path = "/queue", .producer = absl::StrCat("p", ++scene->lives)}),
        consumer_(process->session(), {.path = "/queue", .name = process->host()}, this) {}

  void Tick() override {
    if (!scene_->closing && random().Below(10) == 0) {
      const base::Duration delay = std::chrono::milliseconds(random().Below(3) == 0 ? 300 : 0);
      queue_.Put(process_->host(), {.priority = static_cast<std::uint32_t>(random().Below(10)), .delay = delay},
                 [scene = scene_](const absl::StatusOr<std::string>& name) {
                   if (name.ok()) scene->put.insert(*name);
                 });
    }
    const std::map<std::string, QueueItem> in_hand = consumer_.in_hand();
    for (const auto& [name, item] : in_hand) {
      if (random().Below(5) == 0)
        consumer_.Return(name, std::chrono::milliseconds(random().Below(300)), [](const absl::Status&) {});
      if (random().Below(2) == 0) continue;
      consumer_.Acknowledge(
          name, {coord::Operation::Create(absl::StrCat("/done/", name), absl::StrCat(item.token.value), {.parents = true})},
          [](const absl::Status&) {});
    }
  }
  [[nodiscard]] bool Served() const override { return true; }  // all together empty the queue

 private:
  void OnItem(const QueueItem& item) override {
    scene_->claims.push_back(ClaimOf(Rule::kAlone, absl::StrCat("/queue/items/", item.name, "/claim"), item.token, item.token));
  }
  void OnItemLost(const std::string& /*name*/, const absl::Status& /*why*/) override {}

  Queue queue_;
  QueueConsumer consumer_;
};

// Begins commits and takes part in those of the others.
class CommitPart final : public Part, private CommitParticipantObserver {
 public:
  CommitPart(Scene* scene, coord::SimProcess* process, std::vector<std::string> hosts)
      : Part(scene, process, "commits"),
        hosts_(std::move(hosts)),
        life_(++scene->lives),
        coordinator_(process->session(), "/commits"),
        participant_(process->session(), {.path = "/commits", .name = process->host()}, this) {}

  void Tick() override {
    if (!scene_->closing && random().Below(20) == 0) {
      const std::string id = absl::StrCat(life_, "-", ++begun_);
      std::vector<std::string> who;
      for (const std::string& host : hosts_) {
        if (random().Below(2) == 0) who.push_back(host);
      }
      if (who.empty()) who = hosts_;
      coordinator_.Begin(id, who, "", std::chrono::seconds(2), [this, id](const absl::StatusOr<bool>& committed) {
        if (committed.ok()) Decided(id, *committed);
      });
    }
    for (const std::string& id : std::exchange(prepared_, {})) {
      participant_.Vote(id, random().Below(8) != 0, [](const absl::Status&) {});
    }
    if (random().Below(2) == 0) return;
    for (const std::string& id : std::exchange(decided_, {})) {
      participant_.Finish(id, [](const absl::Status&) {});
    }
  }
  [[nodiscard]] bool Served() const override { return true; }  // in the end none is left

 private:
  void OnPrepare(const std::string& id, const std::string& /*what*/) override { prepared_.push_back(id); }
  void OnDecided(const std::string& id, bool commit) override {
    Decided(id, commit);
    decided_.push_back(id);
  }
  void Decided(const std::string& id, bool commit) {
    EXPECT_EQ(scene_->decisions.emplace(id, commit).first->second, commit) << "of " << id << " two things were decided";
  }

  const std::vector<std::string> hosts_;
  const std::uint64_t life_;
  std::uint64_t begun_ = 0;
  std::vector<std::string> prepared_, decided_;
  CommitCoordinator coordinator_;
  CommitParticipant participant_;
};

}  // namespace drover::recipes

#endif  // DROVER_TESTS_COORD_RECIPES_FAULT_PARTS_H_
