// Recipes on three nodes while processes are paused, killed and cut off and nodes fail. The history of the tree says who held what
// (holding.h); a store outside of the tree, which refuses tokens older than the newest that it has seen, says what got through.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coord/base/random.h"
#include "drover/coord/status.h"
#include "drover/recipes/election.h"
#include "drover/recipes/lock.h"
#include "drover/recipes/shard_map.h"
#include "drover/recipes/value.h"
#include "tests/coord/client/sim_process.h"
#include "tests/coord/recipes/holding.h"
#include "tests/coord/server/sim_cluster.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCluster;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kNodes = 3;
constexpr int kActors = 4;
constexpr std::uint32_t kShards = 6;
constexpr std::uint32_t kPermits = 2;
constexpr base::Duration kSessionTimeout = seconds(2);

// What the recipes protect: it keeps the newest token that it has seen of each resource, and what it is sent may be long under way.
class Store {
 public:
  explicit Store(sim::SimWorld* world) : world_(world) {}

  void Send(const std::string& resource, base::Zxid token, const std::string& who) {
    const bool slow = world_->random().Below(10) == 0;
    world_->Schedule(nullptr, world_->Between(milliseconds(1), slow ? seconds(6) : seconds(0) + milliseconds(20)), [=, this] {
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
  explicit Scene(std::uint64_t seed) : cluster(kNodes, seed), store(&cluster.world) {}

  SimCluster cluster;
  Store store;
  std::vector<Claim> claims;
  std::int64_t added = 0;    // to the counter, for certain
  std::int64_t unknown = 0;  // and perhaps
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
  Part(Scene* scene, SimProcess* process, std::string name) : scene_(scene), process_(process), name_(std::move(name)) {}

  // Writes to both kinds of resource: to one in the tree under a guard, and to the store with the token.
  void Use(const std::string& resource, const coord::Compare& guard, const Claim& claim) {
    if (claim.rule != Rule::kPermits) scene_->store.Send(resource, claim.token, process_->host());
    const std::string path = absl::StrCat("/resources/", resource);
    process_->session()->Commit({.compares = {guard},
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
  SimProcess* const process_;
  bool served_ = false;

 private:
  const std::string name_;
};

template <typename L>
class LockPart final : public Part, private LockObserver {
 public:
  template <typename... Args>
  LockPart(Scene* scene, SimProcess* process, const std::string& resource, Rule rule, std::function<void(L&, bool)> acquire,
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

class ElectionPart final : public Part, private ElectionObserver {
 public:
  ElectionPart(Scene* scene, SimProcess* process)
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
  ShardPart(Scene* scene, SimProcess* process)
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
  CounterPart(Scene* scene, SimProcess* process) : Part(scene, process, "counter"), counter_(process->session(), "/counter") {}

  void Tick() override {
    if (adding_) return;
    adding_ = true;
    ++scene_->unknown;
    counter_.Add(1, [this](const absl::StatusOr<std::int64_t>& sum) {
      adding_ = false;
      if (!sum.ok()) return;
      EXPECT_TRUE(numbers_.insert(*sum).second) << "each caller gets another number";
      --scene_->unknown;
      ++scene_->added;
      served_ = true;
    });
  }

 private:
  static inline std::set<std::int64_t> numbers_;
  bool adding_ = false;
  Counter counter_;

 public:
  static void Forget() { numbers_.clear(); }
};

// A process that uses them all, and begins anew when its session is over.
class Actor final : private coord::SessionObserver {
 public:
  Actor(Scene* scene, int id) : scene_(scene), host_(absl::StrCat("actor", id)) { Start(); }
  ~Actor() { Kill(); }

  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] bool running() const { return process_ != nullptr; }
  [[nodiscard]] sim::SimLoop& loop() { return *process_->loop(); }

  void Start() {
    coord::SessionOptions options;
    options.timeout = kSessionTimeout;
    std::vector<std::string> endpoints;
    for (int node = 1; node <= kNodes; ++node) endpoints.push_back(SimCluster::Client(node));
    expired_ = false;
    process_ = std::make_unique<SimProcess>(&scene_->cluster.world, &scene_->cluster.network, host_, std::move(endpoints), options);
    tick_ = std::make_unique<base::Timer>(process_->loop());
    Begin();
    Tick();
  }
  void Kill() {
    if (process_ == nullptr) return;
    parts_.clear();
    tick_.reset();
    process_->Kill();
    process_.reset();
  }
  void Renew() {
    for (const auto& part : parts_) part->Renew();
  }
  // What of it still waits; empty: nothing.
  [[nodiscard]] std::string Waits() const {
    if (!running()) return host_;
    for (const auto& part : parts_) {
      if (!part->Served()) return absl::StrCat(host_, " for ", part->name());
    }
    return "";
  }

 private:
  void OnExpired(const absl::Status& /*why*/) override { expired_ = true; }

  void Begin() {
    SimProcess* const p = process_.get();
    p->session()->AddObserver(this);
    parts_.push_back(std::make_unique<LockPart<Mutex>>(scene_, p, "mutex", Rule::kFirst, [](Mutex& m, bool impatient) {
      m.Acquire(impatient ? milliseconds(500) : milliseconds(0));
    }));
    parts_.push_back(
        std::make_unique<LockPart<ReadWriteLock>>(scene_, p, "rw", Rule::kReadWrite, [](ReadWriteLock& lock, bool writes) {
          writes ? lock.AcquireWrite() : lock.AcquireRead();
        }));
    parts_.push_back(std::make_unique<LockPart<Semaphore>>(
        scene_, p, "semaphore", Rule::kPermits, [](Semaphore& s, bool) { s.Acquire(); }, kPermits));
    parts_.push_back(std::make_unique<ElectionPart>(scene_, p));
    parts_.push_back(std::make_unique<ShardPart>(scene_, p));
    parts_.push_back(std::make_unique<CounterPart>(scene_, p));
  }
  void Tick() {
    if (std::exchange(expired_, false)) {
      parts_.clear();
      process_->OpenSession();
      Begin();
    }
    for (const auto& part : parts_) part->Tick();
    tick_->Set(scene_->cluster.world.Between(milliseconds(20), milliseconds(120)), [this] { Tick(); });
  }

  Scene* const scene_;
  const std::string host_;
  std::unique_ptr<SimProcess> process_;
  bool expired_ = false;
  std::vector<std::unique_ptr<Part>> parts_;
  std::unique_ptr<base::Timer> tick_;
};

// All events of the tree, by a process that nothing happens to.
class Witness final : private coord::WatchListener {
 public:
  explicit Witness(SimCluster* cluster)
      : process_(&cluster->world, &cluster->network, "witness",
                 {SimCluster::Client(1), SimCluster::Client(2), SimCluster::Client(3)}, {.timeout = seconds(60)}) {
    process_.session()->Watch("/", {.kind = coord::WatchKind::kRecursive, .with_data = true, .after = {}}, this);
  }
  [[nodiscard]] SimProcess& process() { return process_; }
  [[nodiscard]] const std::vector<coord::Event>& events() const { return events_; }
  [[nodiscard]] bool armed() const { return armed_; }

 private:
  void OnArmed(base::Zxid /*zxid*/) override { armed_ = true; }
  void OnEvent(const coord::Event& event) override { events_.push_back(event); }
  void OnCompacted() override { ADD_FAILURE() << "the history that the judge reads has a gap"; }
  void OnEnded(const absl::Status& why) override { ADD_FAILURE() << why; }

  SimProcess process_;
  bool armed_ = false;
  std::vector<coord::Event> events_;
};

// One thing goes wrong, and is well again by itself some time later.
void Break(Scene& scene, std::vector<std::unique_ptr<Actor>>& actors, base::Random& random) {
  SimCluster& cluster = scene.cluster;
  Actor& actor = *actors[random.Below(kActors)];
  const int node = 1 + static_cast<int>(random.Below(kNodes));
  const base::Duration lasting = milliseconds(200 + random.Below(5000));
  const auto later = [&](base::Task heal) { cluster.world.Schedule(nullptr, lasting, std::move(heal)); };
  const bool all_nodes_run = cluster.running(1) && cluster.running(2) && cluster.running(3);
  switch (random.Below(6)) {
    case 0:
      if (!actor.running() || actor.loop().paused()) return;
      actor.loop().Pause();
      return later([&actor] {
        if (actor.running() && actor.loop().paused()) actor.loop().Resume();
      });
    case 1:
      actor.Kill();
      return later([&actor] {
        if (!actor.running()) actor.Start();
      });
    case 2:
      cluster.network.CutPair(actor.host(), SimCluster::Host(node));
      return later([&, node] { cluster.network.HealPair(actor.host(), SimCluster::Host(node)); });
    case 3:
      for (int id = 1; id <= kNodes; ++id) cluster.network.CutPair(actor.host(), SimCluster::Host(id));
      return later([&] {
        for (int id = 1; id <= kNodes; ++id) cluster.network.HealPair(actor.host(), SimCluster::Host(id));
      });
    case 4:
      if (!all_nodes_run) return;
      cluster.Crash(node);
      return later([&cluster, node] {
        if (!cluster.running(node)) cluster.Start(node);
      });
    case 5:
      cluster.Isolate(node);
      return later([&cluster, node] { cluster.Isolate(node, false); });
  }
}

// "FIRST-LAST", or one.
std::vector<std::uint64_t> Seeds() {
  const char* const asked = std::getenv("DROVER_TEST_RECIPES");
  const std::vector<std::string> ends = absl::StrSplit(asked == nullptr ? "1-12" : asked, '-');
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) {
    ADD_FAILURE() << "DROVER_TEST_RECIPES says which seeds: 1-200, or 28";
  }
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  return seeds;
}

// Tokens only grow in what is written under a guard.
void CheckTokens(const std::vector<coord::Event>& events) {
  std::map<std::string, std::uint64_t> newest;
  for (const coord::Event& event : events) {
    std::uint64_t token = 0;
    if (event.path.rfind("/resources/", 0) != 0 || !absl::SimpleAtoi(event.data, &token)) continue;
    if (event.path == "/resources/rw" || event.path == "/resources/semaphore") continue;  // several hold at a time
    EXPECT_GE(token, newest[event.path]) << event.path << " at " << event.zxid.value;
    newest[event.path] = token;
  }
}

TEST(RecipeFaults, NobodyHoldsWhatAnotherHolds) {
  int refused = 0;
  for (const std::uint64_t seed : Seeds()) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    CounterPart::Forget();
    Scene scene(seed);
    base::SeededRandom random(seed);
    scene.cluster.StartAll();
    ASSERT_NE(scene.cluster.AwaitLeader(), 0);
    Witness witness(&scene.cluster);
    ASSERT_TRUE(witness.process().RunUntil([&] { return witness.armed(); }));
    std::vector<std::unique_ptr<Actor>> actors;
    for (int i = 0; i < kActors; ++i) actors.push_back(std::make_unique<Actor>(&scene, i));
    for (int i = 0; i < 40; ++i) {
      scene.cluster.world.RunFor(milliseconds(100 + random.Below(1500)));
      Break(scene, actors, random);
    }

    // All is well again: everybody gets what it wants.
    scene.cluster.world.RunFor(seconds(6));
    scene.cluster.network.HealAll();
    scene.cluster.StartAll();
    ASSERT_NE(scene.cluster.AwaitLeader(), 0);
    for (const auto& actor : actors) {
      if (!actor->running()) actor->Start();
      actor->Renew();
    }
    const auto waits = [&] {
      for (const auto& actor : actors) {
        if (!actor->Waits().empty()) return actor->Waits();
      }
      return std::string();
    };
    EXPECT_TRUE(scene.cluster.world.RunUntil([&] { return waits().empty(); }, seconds(60))) << waits() << " waits for ever";
    actors.clear();
    const auto counter = witness.process().Get("/counter");
    ASSERT_TRUE(counter.ok()) << counter.status();
    ASSERT_TRUE(witness.process().RunUntil(
        [&] { return !witness.events().empty() && witness.events().back().zxid >= scene.claims.back().at; }));

    std::int64_t sum = 0;
    ASSERT_TRUE(absl::SimpleAtoi(counter->node.data, &sum));
    EXPECT_GE(sum, scene.added);
    EXPECT_LE(sum, scene.added + scene.unknown);
    const absl::Status verdict = CheckClaims(witness.events(), scene.claims);
    EXPECT_TRUE(verdict.ok()) << verdict;
    CheckTokens(witness.events());
    refused += scene.store.refused();
    RecordProperty(absl::StrCat("claims_", seed), static_cast<int>(scene.claims.size()));
    if (::testing::Test::HasFailure()) return;
  }
  if (Seeds().size() > 1) {
    EXPECT_GT(refused, 0) << "nobody was late: the faults do not do what they are here for";
  }
}

}  // namespace
}  // namespace drover::recipes
