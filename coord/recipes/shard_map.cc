#include "drover/recipes/shard_map.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/checksum.h"
#include "coord/base/loop.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"
#include "drover/recipes/election.h"
#include "drover/recipes/membership.h"

namespace drover::recipes {
namespace {

std::string EncodeOwners(const std::vector<std::string>& owners) {
  return nlohmann::json{{"owners", owners}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// What is no map, or of another number of shards, names nobody.
std::vector<std::string> DecodeOwners(absl::string_view data, std::uint32_t shards) {
  std::vector<std::string> owners(shards);
  const nlohmann::json json = nlohmann::json::parse(data.begin(), data.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("owners") || !json["owners"].is_array() || json["owners"].size() != shards) return owners;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    if (json["owners"][shard].is_string()) owners[shard] = json["owners"][shard];
  }
  return owners;
}

}  // namespace

std::vector<std::string> SpreadShards(std::vector<std::string> owners, const std::vector<std::string>& members, bool even) {
  if (members.empty()) return owners;
  std::map<std::string, std::vector<std::size_t>> by_member;
  for (const std::string& member : members) by_member[member];
  std::vector<std::size_t> free;
  for (std::size_t shard = 0; shard < owners.size(); ++shard) {
    const auto owner = by_member.find(owners[shard]);
    owner == by_member.end() ? free.push_back(shard) : owner->second.push_back(shard);
  }
  // Whoever has most may have the one more.
  std::vector<std::string> order;
  for (const auto& [name, shards] : by_member) order.push_back(name);
  std::stable_sort(order.begin(), order.end(),
                   [&](const std::string& a, const std::string& b) { return by_member[a].size() > by_member[b].size(); });
  const std::size_t least = owners.size() / order.size();
  const std::size_t more = owners.size() % order.size();
  for (std::size_t i = 0; even && i < order.size(); ++i) {
    std::vector<std::size_t>& has = by_member[order[i]];
    const std::size_t share = least + (i < more ? 1 : 0);
    while (has.size() > share) {
      free.push_back(has.back());
      has.pop_back();
    }
  }
  std::sort(free.begin(), free.end());
  for (const std::size_t shard : free) {
    const auto poorest = std::min_element(by_member.begin(), by_member.end(),
                                          [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    poorest->second.push_back(shard);
    owners[shard] = poorest->first;
  }
  return owners;
}

class ShardMap::Impl final : private coord::SubtreeCache::Listener, private ElectionObserver, private MemberObserver {
 public:
  Impl(base::Loop* loop, coord::Session* session, ShardOptions options, ShardObserver* observer)
      : session_(session),
        options_(std::move(options)),
        members_(absl::StrCat(options_.path, "/members")),
        map_(absl::StrCat(options_.path, "/map")),
        own_(absl::StrCat(options_.path, "/own")),
        observer_(observer),
        settle_(loop),
        retry_(loop),
        member_(loop, session, {.path = members_, .name = options_.name, .data = ""}, this),
        election_(session, {.path = absl::StrCat(options_.path, "/leader"), .data = options_.name}, this),
        cache_(session, {.path = options_.path}, this) {
    DROVER_CHECK(options_.shards > 0 && options_.shards <= ShardOptions::kShardsMax)
        << "1 to " << ShardOptions::kShardsMax << " shards";
    election_.Stand();
  }
  ~Impl() { *alive_ = false; }

  void Release(std::uint32_t shard) {
    const auto owned = owned_.find(shard);
    if (owned == owned_.end()) return;
    const LockGrant grant = owned->second;
    owned_.erase(owned);
    revoked_.erase(shard);
    Delete(grant);
  }

  void Leave(coord::DoneCallback done) {
    left_.push_back(std::move(done));
    if (std::exchange(leaving_, true)) return;
    leads_.reset();
    election_.Resign([](const absl::Status&) {});
    member_.Leave([this, alive = alive_](const absl::Status&) {
      if (*alive) Evaluate();
    });
    for (const auto& [shard, grant] : std::map<std::uint32_t, LockGrant>(owned_)) Revoke(shard);
    TellLeftIfDone();
  }

  [[nodiscard]] const std::map<std::uint32_t, LockGrant>& owned() const { return owned_; }
  [[nodiscard]] std::string OwnPath(std::uint32_t shard) const { return absl::StrCat(own_, "/", shard); }
  [[nodiscard]] std::string OwnerOf(std::uint32_t shard) const {
    const coord::Node* const node = cache_.synced() ? cache_.Find(OwnPath(shard)) : nullptr;
    return node == nullptr ? "" : node->data;
  }
  [[nodiscard]] std::uint32_t ShardOf(absl::string_view key) const {
    return static_cast<std::uint32_t>(base::Checksum(key) % options_.shards);
  }

 private:
  static constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);

  // ---- what the tree tells ----

  void OnCacheChanged(const coord::Event* event) override {
    const bool members = event == nullptr || absl::StartsWith(event->path, members_);
    plan_due_ = plan_due_ || members;
    if (members && leads_) SettleAgain();
    Evaluate();
  }
  void OnCacheProgress(base::Zxid /*zxid*/) override { Evaluate(); }
  void OnCacheEnded(const absl::Status& why) override { End(why); }

  void OnElected(const Leadership& mine) override {
    leads_ = mine;
    plan_due_ = true;
    SettleAgain();
    Evaluate();
  }
  void OnDeposed(const absl::Status& why) override {
    leads_.reset();
    if (coord::IsSessionExpired(why)) return;
    retry_.Set(kRetryDelay, [this] { Again(); });
  }
  void OnRegistered(base::Zxid /*incarnation*/) override { Evaluate(); }
  void OnNameTaken(const coord::Node& holder) override {
    if (!ended_) observer_->OnNameTaken(holder);
  }
  void OnLost(const absl::Status& why) override {
    if (coord::IsSessionExpired(why)) return;  // the view's end tells
    if (coord::IsNoNode(why))
      return session_->loop()->Post([this, alive = alive_] {
        if (*alive && !ended_ && !leaving_ && member_.state() == Member::State::kLost) member_.Rejoin(session_);
      });
    End(why);
  }

  void Evaluate() {
    if (ended_ || !cache_.synced()) return;
    const std::shared_ptr<bool> alive = alive_;
    if (!LookAtOwned() || !*alive) return;
    const coord::Node* const map = cache_.Find(map_);
    const base::Zxid written = map == nullptr ? base::Zxid() : map->stat.mzxid;
    if (meant_.empty() || written != meant_from_) {
      meant_from_ = written;
      meant_ = DecodeOwners(map == nullptr ? "" : map->data, options_.shards);
      plan_due_ = true;
    }
    if (plan_due_ && !planning_ && leads_ && cache_.zxid() >= leads_->since) Plan(map);
    if (map == nullptr) return;
    for (std::uint32_t shard = 0; shard < options_.shards; ++shard) {
      if (meant_[shard] == options_.name && !leaving_) {
        Take(shard, meant_from_);
      } else if (owned_.count(shard) > 0) {
        Revoke(shard);
        if (!*alive || ended_) return;
      }
    }
  }

  // ---- what this process owns ----

  // False: this was destroyed.
  bool LookAtOwned() {
    const std::shared_ptr<bool> alive = alive_;
    std::vector<std::uint32_t> gone;
    for (const auto& [shard, grant] : owned_) {
      if (cache_.zxid() < grant.token) continue;
      const coord::Node* const node = cache_.Find(grant.path);
      if (node == nullptr || node->stat.czxid != grant.token) gone.push_back(shard);
    }
    for (const std::uint32_t shard : gone) {
      owned_.erase(shard);
      revoked_.erase(shard);
      observer_->OnLost(shard, coord::RefusedError(coord::Code::kNoNode, "the shard's node was deleted", cache_.zxid()));
      if (!*alive) return false;
    }
    if (!gone.empty()) TellLeftIfDone();
    return *alive;
  }

  void Take(std::uint32_t shard, base::Zxid map) {
    if (member_.state() != Member::State::kRegistered || owned_.count(shard) > 0 || taking_.count(shard) > 0) return;
    // Its owner has it still; or it is ours, and the view does not show yet that we have given it back.
    if (cache_.Find(OwnPath(shard)) != nullptr) return;
    taking_.insert(shard);
    const std::string path = OwnPath(shard);
    session_->Commit({.compares = {member_.Guard(), coord::Compare::Mzxid(map_, map)},
                      .then = {coord::Operation::Create(path, options_.name, {.ephemeral = true, .parents = true})},
                      .otherwise = {}},
                     [this, alive = alive_, shard, path](const absl::StatusOr<coord::TransactionResult>& taken) {
                       if (*alive && !ended_) OnTaken(shard, path, taken);
                     });
  }

  void OnTaken(std::uint32_t shard, const std::string& path, const absl::StatusOr<coord::TransactionResult>& taken) {
    taking_.erase(shard);
    if (!taken.ok() && !coord::IsNodeExists(taken.status())) return retry_.Set(kRetryDelay, [this] { Again(); });
    if (!taken.ok() || !taken->succeeded) return;  // something has changed: the view will show it, and Evaluate decides anew
    const base::Zxid token = taken->results[0].stat.czxid;
    const LockGrant grant{path, token, token};
    if (leaving_) {
      Delete(grant);
      return;
    }
    owned_[shard] = grant;
    observer_->OnAcquired(shard, grant);
  }

  void Revoke(std::uint32_t shard) {
    if (revoked_.insert(shard).second) observer_->OnRevoked(shard);
  }

  void Delete(const LockGrant& grant) {
    ++deleting_;
    session_->Commit({.compares = {coord::Compare::Czxid(grant.path, grant.token)},
                      .then = {coord::Operation::Delete(grant.path)},
                      .otherwise = {}},
                     [this, alive = alive_, grant](const absl::StatusOr<coord::TransactionResult>& deleted) {
                       if (!*alive || ended_) return;
                       --deleting_;
                       const bool over = coord::IsSessionExpired(deleted.status()) || coord::IsOutcomeUnknown(deleted.status());
                       if (!deleted.ok() && !over) {
                         to_delete_.push_back(grant);
                         return retry_.Set(kRetryDelay, [this] { Again(); });
                       }
                       TellLeftIfDone();
                     });
  }

  // What was not taken by the service.
  void Again() {
    for (const LockGrant& grant : std::exchange(to_delete_, {})) Delete(grant);
    if (!leaving_ && election_.state() == Election::State::kIdle) election_.Stand();
    Evaluate();
  }

  void TellLeftIfDone() {
    if (!leaving_ || !owned_.empty() || deleting_ > 0 || !to_delete_.empty() || !taking_.empty()) return;
    TellLeft(absl::OkStatus());
  }
  void TellLeft(const absl::Status& status) {
    const std::shared_ptr<bool> alive = alive_;
    for (coord::DoneCallback& done : std::exchange(left_, {})) {
      session_->loop()->Post([alive, done = std::move(done), status]() mutable {
        if (*alive && done) done(status);
      });
    }
  }

  // ---- what the leader plans ----

  // Those who have just come shall not make everything move if they go again at once.
  void SettleAgain() {
    settled_ = false;
    settle_.Set(options_.settle, [this] {
      settled_ = true;
      plan_due_ = true;
      Evaluate();
    });
  }

  [[nodiscard]] std::vector<std::string> Members() const {
    std::vector<std::string> names;
    const std::string prefix = absl::StrCat(members_, "/");
    for (auto it = cache_.nodes().upper_bound(members_); it != cache_.nodes().end() && coord::PathCovers(members_, it->first);
         ++it) {
      names.push_back(it->first.substr(prefix.size()));
    }
    return names;
  }

  // `map`: as it is in the view; null: there is none yet.
  void Plan(const coord::Node* map) {
    plan_due_ = false;
    const std::vector<std::string> next = SpreadShards(meant_, Members(), settled_);
    if (map != nullptr && next == meant_) return;
    planning_ = true;
    coord::Transaction transaction;
    transaction.compares = {election_.Guard()};
    if (map == nullptr) {
      transaction.compares.push_back(coord::Compare::Absent(map_));
      transaction.then = {coord::Operation::Create(map_, EncodeOwners(next), {.parents = true})};
    } else {
      transaction.compares.push_back(coord::Compare::Mzxid(map_, map->stat.mzxid));
      transaction.then = {coord::Operation::Set(map_, EncodeOwners(next))};
    }
    session_->Commit(std::move(transaction), [this, alive = alive_](const absl::StatusOr<coord::TransactionResult>& written) {
      if (!*alive || ended_) return;
      planning_ = false;
      if (written.ok()) {  // done, or deposed: the view tells, or has told
        if (plan_due_) Evaluate();
        return;
      }
      plan_due_ = true;
      retry_.Set(kRetryDelay, [this] { Again(); });
    });
  }

  void End(const absl::Status& why) {
    if (std::exchange(ended_, true)) return;
    settle_.Cancel();
    retry_.Cancel();
    const std::shared_ptr<bool> alive = alive_;
    for (const auto& [shard, grant] : std::exchange(owned_, {})) {
      observer_->OnLost(shard, why);
      if (!*alive) return;
    }
    TellLeft(absl::OkStatus());
    observer_->OnShardsEnded(why);
  }

  coord::Session* const session_;
  const ShardOptions options_;
  const std::string members_;
  const std::string map_;
  const std::string own_;
  ShardObserver* const observer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  bool ended_ = false;
  bool leaving_ = false;
  std::optional<Leadership> leads_;
  bool settled_ = false;
  bool plan_due_ = false;  // what the plan follows from has changed
  bool planning_ = false;
  std::vector<std::string> meant_;  // by the map
  base::Zxid meant_from_;           // the map's mzxid; 0: there is none
  std::map<std::uint32_t, LockGrant> owned_;
  std::set<std::uint32_t> revoked_;   // of those owned
  std::set<std::uint32_t> taking_;    // creates under way
  std::size_t deleting_ = 0;          // deletions under way
  std::vector<LockGrant> to_delete_;  // deletions to be asked for again
  std::vector<coord::DoneCallback> left_;
  base::Timer settle_;
  base::Timer retry_;
  Member member_;
  Election election_;
  coord::SubtreeCache cache_;
};

ShardMap::ShardMap(base::Loop* loop, coord::Session* session, ShardOptions options, ShardObserver* observer)
    : impl_(std::make_unique<Impl>(loop, session, std::move(options), observer)) {}
ShardMap::~ShardMap() = default;

void ShardMap::Release(std::uint32_t shard) {
  impl_->Release(shard);
}
void ShardMap::Leave(coord::DoneCallback done) {
  impl_->Leave(std::move(done));
}
const std::map<std::uint32_t, LockGrant>& ShardMap::owned() const {
  return impl_->owned();
}
coord::Compare ShardMap::Guard(std::uint32_t shard) const {
  const auto owned = impl_->owned().find(shard);
  DROVER_CHECK(owned != impl_->owned().end()) << "shard " << shard << " is not owned here";
  return coord::Compare::Czxid(owned->second.path, owned->second.token);
}
std::string ShardMap::OwnerOf(std::uint32_t shard) const {
  return impl_->OwnerOf(shard);
}
std::uint32_t ShardMap::ShardOf(absl::string_view key) const {
  return impl_->ShardOf(key);
}

}  // namespace drover::recipes
