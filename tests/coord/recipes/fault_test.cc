// Recipes on three nodes while processes are paused, killed and cut off and nodes fail. The history of the tree says who held what
// (holding.h); a store outside of the tree, which refuses tokens older than the newest that it has seen, says what got through.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
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
#include "tests/coord/client/sim_process.h"
#include "tests/coord/recipes/fault_parts.h"
#include "tests/coord/recipes/holding.h"
#include "tests/coord/server/sim_cluster.h"
#include "tests/support/seeds.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCluster;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kNodes = 3;
constexpr base::Duration kSessionTimeout = seconds(2);

std::string HostOf(int actor) {
  return absl::StrCat("actor", actor);
}

// A process that uses them all, and begins anew when its session is over.
class Actor final : private coord::SessionObserver {
 public:
  Actor(Scene* scene, int id) : scene_(scene), host_(HostOf(id)) { Start(); }
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
    parts_.push_back(std::make_unique<LockPart<ReadWriteLock>>(
        scene_, p, "rw", Rule::kReadWrite,
        [](ReadWriteLock& lock, bool writes) { writes ? lock.AcquireWrite() : lock.AcquireRead(); }));
    parts_.push_back(std::make_unique<LockPart<Semaphore>>(
        scene_, p, "semaphore", Rule::kPermits, [](Semaphore& s, bool) { s.Acquire(); }, kPermits));
    parts_.push_back(std::make_unique<MultiPart>(scene_, p));
    parts_.push_back(std::make_unique<ElectionPart>(scene_, p));
    parts_.push_back(std::make_unique<ShardPart>(scene_, p));
    parts_.push_back(std::make_unique<BarrierPart>(scene_, p));
    parts_.push_back(std::make_unique<CounterPart>(scene_, p));
    parts_.push_back(std::make_unique<QueuePart>(scene_, p));
    std::vector<std::string> hosts;
    for (int i = 0; i < kActors; ++i) hosts.push_back(HostOf(i));
    parts_.push_back(std::make_unique<CommitPart>(scene_, p, std::move(hosts)));
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

// To commit was decided only where all had voted yes, and what was told is what was decided.
void JudgeCommits(const std::vector<coord::Event>& events, const Scene& scene) {
  std::map<std::string, std::map<std::string, std::string>> votes;
  std::map<std::string, bool> decisions;
  for (const coord::Event& event : events) {
    const std::vector<std::string> parts = absl::StrSplit(event.path, '/');
    if (parts.size() < 4 || parts[1] != "commits" || event.type == coord::Event::Type::kDeleted) continue;
    const std::string& id = parts[2];
    if (parts.size() == 5) votes[id][parts[4]] = event.data;
    if (parts[3] != "decision") continue;
    EXPECT_TRUE(decisions.emplace(id, event.data == "commit").second) << id << " was decided twice";
    for (const auto& [name, vote] : votes[id]) {
      EXPECT_TRUE(event.data == "abort" || vote == "yes") << id << ": the vote of " << name << " was '" << vote << "'";
    }
  }
  for (const auto& [id, commit] : scene.decisions) {
    EXPECT_EQ(decisions.count(id), 1u) << id;
    EXPECT_EQ(decisions[id], commit) << id;
  }
}

TEST(RecipeFaults, NobodyHoldsWhatAnotherHolds) {
  int refused = 0;
  std::map<bool, int> decided;
  std::size_t items = 0;
  const std::vector<std::uint64_t> seeds = testing::SeedsAsked("DROVER_TEST_RECIPES", "1-12");
  for (const std::uint64_t seed : seeds) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Scene scene(kNodes, seed);
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
    scene.closing = true;
    for (const char* path : {"/queue/items", "/commits"}) {
      const auto empty = [&] {
        const auto parent = witness.process().Exists(path);
        return parent.ok() && (!parent->stat || parent->stat->num_children == 0);
      };
      for (int second = 0; second < 60 && !empty(); ++second) scene.cluster.world.RunFor(seconds(1));
      EXPECT_TRUE(empty()) << path << " is never empty";
    }
    actors.clear();
    const auto counter = witness.process().Get("/counter");
    ASSERT_TRUE(counter.ok()) << counter.status();
    ASSERT_TRUE(witness.process().RunUntil(
        [&] { return !witness.events().empty() && witness.events().back().zxid >= scene.claims.back().at; }));

    std::int64_t sum = 0;
    ASSERT_TRUE(absl::SimpleAtoi(counter->node.data, &sum));
    EXPECT_GE(sum, scene.added);
    EXPECT_LE(sum, scene.added + scene.unknown);
    const auto done = CheckItems(witness.events(), "/queue", "/done", scene.put);
    ASSERT_TRUE(done.ok()) << done.status();
    scene.claims.insert(scene.claims.end(), done->begin(), done->end());
    JudgeCommits(witness.events(), scene);
    const absl::Status verdict = CheckClaims(witness.events(), scene.claims);
    EXPECT_TRUE(verdict.ok()) << verdict;
    CheckTokens(witness.events());
    refused += scene.store.refused();
    items += scene.put.size();
    for (const auto& [id, commit] : scene.decisions) ++decided[commit];
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("refused by the store %d, items %zu, commits %d, aborts %d\n", refused, items, decided[true], decided[false]);
  if (seeds.size() > 1) {
    EXPECT_GT(items, 0u);
    EXPECT_GT(decided[true], 0);
    EXPECT_GT(decided[false], 0);
    EXPECT_GT(refused, 0) << "nobody was late: the faults do not do what they are here for";
  }
}

}  // namespace
}  // namespace drover::recipes
