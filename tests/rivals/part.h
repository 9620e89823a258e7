// What a rival does: one part for each recipe, which uses what it holds with the token of it, and goes with its session.
//
// An orderly application: it gives back what it holds only once all that it decided to write has been written. So a write that is
// refused is the work of a fault. Threads: all on the session's loop.
#ifndef DROVER_TESTS_RIVALS_PART_H_
#define DROVER_TESTS_RIVALS_PART_H_

#include <algorithm>
#include <cstddef>
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
#include "drover/coord/session.h"
#include "drover/recipes/barrier.h"
#include "drover/recipes/election.h"
#include "drover/recipes/lock.h"
#include "drover/recipes/queue.h"
#include "drover/recipes/shard_map.h"
#include "drover/recipes/two_phase_commit.h"
#include "drover/recipes/value.h"
#include "tests/rivals/courier.h"
#include "tests/rivals/places.h"

namespace drover::rivals {

using recipes::LockGrant;
using recipes::Rule;

// What all parts of a rival have in common; outlives them.
struct Setting {
  std::string name;
  std::vector<std::string> all;  // of the rivals' names
  bool keeps = false;            // never gives back what it holds unless it is told to
  Courier* courier = nullptr;
  base::Random* random = nullptr;
};

class Part {
 public:
  virtual ~Part() = default;
  // Every now and then, at most kTickMax after the last time.
  virtual void Tick() = 0;

 protected:
  explicit Part(const Setting* setting) : setting_(setting) {}

  void Claim(Rule rule, const std::string& path, base::Zxid token, base::Zxid at, std::size_t permits = kPermits) {
    setting_->courier->Say(recipes::Claim{rule, path, token, at, permits, ""});
  }
  [[nodiscard]] Courier& courier() { return *setting_->courier; }
  [[nodiscard]] const std::string& name() const { return setting_->name; }
  [[nodiscard]] const std::vector<std::string>& all() const { return setting_->all; }
  [[nodiscard]] bool OneIn(std::uint64_t count) { return setting_->random->Below(count) == 0; }
  // It has had what it holds for long enough.
  [[nodiscard]] bool Tires(std::uint64_t ticks) { return !setting_->keeps && OneIn(ticks); }

 private:
  const Setting* const setting_;
};

template <typename L>
class LockPart final : public Part, private recipes::LockObserver {
 public:
  template <typename... Args>
  LockPart(const Setting* setting, coord::Session* session, std::string resource, Rule rule, std::function<void(L&, bool)> acquire,
           Args... args)
      : Part(setting),
        resource_(std::move(resource)),
        rule_(rule),
        acquire_(std::move(acquire)),
        lock_(session, {.path = absl::StrCat(kLocksPath, "/", resource_), .data = setting->name}, args..., this) {}

  void Tick() override {
    if (lock_.idle()) return acquire_(lock_, OneIn(3));
    if (!lock_.held()) return;
    leaving_ = leaving_ || Tires(6);
    if (!leaving_) return Use();
    if (courier().Quiet(resource_)) lock_.Release([](const absl::Status&) {});
  }

 private:
  void OnAcquired(const LockGrant& grant) override {
    leaving_ = false;
    Claim(rule_, grant.path, grant.token, grant.since);
    Use();
  }
  void OnLost(const absl::Status& /*why*/) override {}
  void Use() { courier().Write({.resource = resource_, .token = lock_.grant().token, .fenced = rule_ != Rule::kPermits}); }

  const std::string resource_;
  const Rule rule_;
  const std::function<void(L&, bool)> acquire_;
  bool leaving_ = false;
  L lock_;
};

// All the mutexes at `resources` together.
class MultiPart final : public Part, private recipes::MultiLockObserver {
 public:
  MultiPart(const Setting* setting, coord::Session* session, const std::vector<std::string>& resources)
      : Part(setting), lock_(session, PathsOf(resources), setting->name, this) {}

  void Tick() override {
    if (!lock_.held()) return lock_.Acquire(std::chrono::milliseconds(OneIn(3) ? 500 : 0));
    leaving_ = leaving_ || Tires(6);
    if (!leaving_) return Use();
    for (const auto& [path, grant] : grants_) {
      if (!courier().Quiet(ResourceOf(path))) return;
    }
    lock_.Release([](const absl::Status&) {});
  }

 private:
  static std::vector<std::string> PathsOf(const std::vector<std::string>& resources) {
    std::vector<std::string> paths;
    for (const std::string& resource : resources) paths.push_back(absl::StrCat(kLocksPath, "/", resource));
    return paths;
  }
  static std::string ResourceOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  void OnAcquired(const std::map<std::string, LockGrant>& grants) override {
    leaving_ = false;
    grants_ = grants;
    for (const auto& [path, grant] : grants_) Claim(Rule::kFirst, grant.path, grant.token, grant.since);
    Use();
  }
  void OnLost(const absl::Status& /*why*/) override {}
  void Use() {
    for (const auto& [path, grant] : grants_) courier().Write({.resource = ResourceOf(path), .token = grant.token});
  }

  bool leaving_ = false;
  std::map<std::string, LockGrant> grants_;
  recipes::MultiLock lock_;
};

class ElectionPart final : public Part, private recipes::ElectionObserver {
 public:
  ElectionPart(const Setting* setting, coord::Session* session)
      : Part(setting), election_(session, {.path = kElectionPath, .data = setting->name}, this) {}

  void Tick() override {
    if (election_.state() == recipes::Election::State::kIdle) election_.Stand();
    if (election_.state() != recipes::Election::State::kLeading) return;
    leaving_ = leaving_ || Tires(10);
    if (!leaving_) return Use();
    if (courier().Quiet(kLeader)) election_.Resign([](const absl::Status&) {});
  }

 private:
  static constexpr char kLeader[] = "leader";

  void OnElected(const recipes::Leadership& mine) override {
    leaving_ = false;
    Claim(Rule::kFirst, mine.path, mine.epoch, mine.since);
    Use();
  }
  void OnDeposed(const absl::Status& /*why*/) override {}
  void Use() { courier().Write({.resource = kLeader, .token = election_.leadership().epoch}); }

  bool leaving_ = false;
  recipes::Election election_;
};

class ShardPart final : public Part, private recipes::ShardObserver {
 public:
  ShardPart(const Setting* setting, coord::Session* session)
      : Part(setting),
        shards_(session->loop(), session,
                {.path = kShardsPath, .name = setting->name, .shards = kShards, .settle = std::chrono::milliseconds(300)}, this) {}

  void Tick() override {
    const std::map<std::uint32_t, LockGrant> owned = shards_.owned();
    for (const auto& [shard, grant] : owned) {
      if (revoked_.count(shard) == 0) {
        Use(shard, grant);
      } else if (courier().Quiet(ResourceOf(shard))) {
        revoked_.erase(shard);
        shards_.Release(shard);
      }
    }
  }

 private:
  static std::string ResourceOf(std::uint32_t shard) { return absl::StrCat("shard-", shard); }

  void OnAcquired(std::uint32_t shard, const LockGrant& grant) override {
    Claim(Rule::kAlone, grant.path, grant.token, grant.since);
    Use(shard, grant);
  }
  void OnRevoked(std::uint32_t shard) override { revoked_.insert(shard); }
  void OnLost(std::uint32_t shard, const absl::Status& /*why*/) override { revoked_.erase(shard); }
  void Use(std::uint32_t shard, const LockGrant& grant) { courier().Write({.resource = ResourceOf(shard), .token = grant.token}); }

  std::set<std::uint32_t> revoked_;
  recipes::ShardMap shards_;
};

// Meets the others, round after round: all but one of them, for that one may be away.
class BarrierPart final : public Part, private recipes::DoubleBarrierObserver {
 public:
  BarrierPart(const Setting* setting, coord::Session* session)
      : Part(setting), session_(session), count_(std::max<std::size_t>(all().size() - 1, 1)) {}

  void Tick() override {
    if (over_) {
      over_ = inside_ = false;
      recipes::DoubleBarrierObserver* const observer = this;
      barrier_ = std::make_unique<recipes::DoubleBarrier>(
          session_, recipes::DoubleBarrierOptions{.path = kBarrierPath, .name = name(), .count = count_}, observer);
      return barrier_->Enter();
    }
    // It may lose patience, too.
    if (OneIn(inside_ ? 6 : 60)) barrier_->Leave();
  }

 private:
  void OnEntered() override {
    inside_ = true;
    Say(Rule::kTogether);
  }
  void OnLeft() override {
    over_ = true;
    if (inside_) Say(Rule::kAllLeft);
  }
  // Its own life before may be inside still.
  void OnBroken(const absl::Status& /*why*/) override { over_ = true; }
  void Say(Rule rule) {
    const coord::Compare place = barrier_->Guard();
    Claim(rule, place.path, base::Zxid(place.value), barrier_->since(), count_);
  }

  coord::Session* const session_;
  const std::size_t count_;
  bool over_ = true;     // none is under way
  bool inside_ = false;  // it has been let in
  std::unique_ptr<recipes::DoubleBarrier> barrier_;
};

class CounterPart final : public Part {
 public:
  CounterPart(const Setting* setting, coord::Session* session) : Part(setting), counter_(session, kCounterPath) {}

  void Tick() override {
    if (adding_) return;
    adding_ = true;
    counter_.Add(1, [this](const absl::StatusOr<std::int64_t>& sum) {
      adding_ = false;
      if (sum.ok()) courier().Say(Number{*sum});
    });
  }

 private:
  bool adding_ = false;
  recipes::Counter counter_;
};

// Works on items that the test puts; what is done stands in the tree.
class QueuePart final : public Part, private recipes::QueueObserver {
 public:
  QueuePart(const Setting* setting, coord::Session* session)
      : Part(setting), consumer_(session, {.path = kQueuePath, .name = setting->name}, this) {}

  void Tick() override {
    const std::map<std::string, recipes::QueueItem> in_hand = consumer_.in_hand();
    for (const auto& [name, item] : in_hand) {
      if (!courier().Quiet(ResourceOf(name))) continue;
      if (OneIn(5)) {
        consumer_.Return(name, std::chrono::milliseconds(0), [](const absl::Status&) {});
        continue;
      }
      consumer_.Acknowledge(
          name, {coord::Operation::Create(absl::StrCat(kDonePath, "/", name), absl::StrCat(item.token.value), {.parents = true})},
          [](const absl::Status&) {});
    }
  }

 private:
  static std::string ResourceOf(const std::string& item) { return absl::StrCat("item-", item); }

  void OnItem(const recipes::QueueItem& item) override {
    Claim(Rule::kAlone, absl::StrCat(kQueuePath, "/items/", item.name, "/claim"), item.token, item.token);
    courier().Write({.resource = ResourceOf(item.name), .token = item.token});
  }
  void OnItemLost(const std::string& /*name*/, const absl::Status& /*why*/) override {}

  recipes::QueueConsumer consumer_;
};

// Begins commits of all rivals and takes part in those of the others.
class CommitPart final : public Part, private recipes::CommitParticipantObserver {
 public:
  CommitPart(const Setting* setting, coord::Session* session)
      : Part(setting),
        session_(session),
        coordinator_(session, kCommitsPath),
        participant_(session, {.path = kCommitsPath, .name = setting->name}, this) {}

  void Tick() override {
    if (session_->id() != coord::SessionId() && OneIn(20)) {
      const std::string id = absl::StrCat(name(), "-", session_->id().value, "-", ++begun_);  // used once
      coordinator_.Begin(id, all(), "", std::chrono::seconds(2), [this, id](const absl::StatusOr<bool>& committed) {
        if (committed.ok()) courier().Say(Decision{id, *committed});
      });
    }
    for (const std::string& id : std::exchange(prepared_, {})) participant_.Vote(id, !OneIn(8), [](const absl::Status&) {});
    if (OneIn(2)) return;
    for (const std::string& id : std::exchange(decided_, {})) participant_.Finish(id, [](const absl::Status&) {});
  }

 private:
  void OnPrepare(const std::string& id, const std::string& /*what*/) override { prepared_.push_back(id); }
  void OnDecided(const std::string& id, bool commit) override {
    courier().Say(Decision{id, commit});
    decided_.push_back(id);
  }

  coord::Session* const session_;
  std::uint64_t begun_ = 0;
  std::vector<std::string> prepared_, decided_;
  recipes::CommitCoordinator coordinator_;
  recipes::CommitParticipant participant_;
};

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_PART_H_
