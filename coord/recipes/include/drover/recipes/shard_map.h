// A shard map: N shards spread evenly over the processes that are alive, each owned by one of them at a time.
//
//   class Server : public recipes::ShardObserver {
//     void OnAcquired(std::uint32_t shard, const recipes::LockGrant& grant) override { store_->Open(shard, grant.token); }
//     void OnRevoked(std::uint32_t shard) override { store_->Close(shard, [=] { shards_->Release(shard); }); }
//     void OnLost(std::uint32_t shard, const absl::Status& why) override { store_->Drop(shard); }
//   };
//   recipes::ShardMap shards(loop, session, {.path = "/app/shards", .name = "server-1", .shards = 256}, &server);
//
// How it goes. All processes stand for election; the leader writes who is meant to own what into `<path>/map`, moving as few shards
// as an even spread allows. A process that is meant to own a shard takes `<path>/own/<shard>`, an ephemeral node that can be there
// once: so nobody owns a shard before the one before has given it back, or its session has ended. The czxid of that node is the
// *token*.
//
// Guarantees
//   As seen by a resource that refuses a token lower than the highest it has seen for the shard, never two own one. (Alone the map
//   cannot stop a process that is paused past its session; see lock.h.) A process that comes or goes moves only what an even spread
//   makes move. What has lost its owner is given to another at once; what is moved to even the spread waits for `settle`.
//
// Failure
//   Link lost: nothing changes here; ownership lasts as long as the session. Session expired: OnLost for each shard, then OnEnded:
//   make another with the new session. An own node that somebody deletes: OnLost(kNoNode), and it is taken again. The leader dies:
//   the next one goes on; owners notice nothing.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy it before its session; that gives nothing back:
// Leave.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_SHARD_MAP_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_SHARD_MAP_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"
#include "drover/recipes/lock.h"

namespace drover::recipes {

class ShardObserver {
 public:
  // It is this process's from now on.
  virtual void OnAcquired(std::uint32_t shard, const LockGrant& grant) = 0;
  // It is meant for another one: stop serving it, then Release it.
  virtual void OnRevoked(std::uint32_t shard) = 0;
  // It is not this process's any more, and nobody here gave it back: stop serving it.
  virtual void OnLost(std::uint32_t shard, const absl::Status& why) = 0;
  // Another process holds this one's name, and has for long: perhaps two were given the same. It is waited for.
  virtual void OnNameTaken(const coord::Node& /*holder*/) {}
  // This process takes no part any more: its session ended, or the service refused its name. Final.
  virtual void OnShardsEnded(const absl::Status& /*why*/) {}

 protected:
  ~ShardObserver() = default;
};

struct ShardOptions {
  std::string path;          // the map's own; made if missing
  std::string name;          // of this process, unique
  std::uint32_t shards = 1;  // the same for all; at most kShardsMax
  base::Duration settle = std::chrono::seconds(1);

  static constexpr std::uint32_t kShardsMax = 16'384;
};

class ShardMap {
 public:
  // `loop` is the session's; `observer` must outlive it.
  ShardMap(base::Loop* loop, coord::Session* session, ShardOptions options, ShardObserver* observer);
  ~ShardMap();
  ShardMap(const ShardMap&) = delete;
  ShardMap& operator=(const ShardMap&) = delete;

  // After OnRevoked: this process serves it no more.
  void Release(std::uint32_t shard);
  // Takes no new shards; each that it owns is revoked. Says when all are given back.
  void Leave(coord::DoneCallback done);

  [[nodiscard]] const std::map<std::uint32_t, LockGrant>& owned() const;
  // True in the service only while this process owns it by this very token. Only of one that it owns.
  [[nodiscard]] coord::Compare Guard(std::uint32_t shard) const;
  // Who owns it, as far as the view shows; empty: nobody.
  [[nodiscard]] std::string OwnerOf(std::uint32_t shard) const;
  // Which of the shards a key belongs to.
  [[nodiscard]] std::uint32_t ShardOf(absl::string_view key) const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// Who shall own what: `owners` (by shard; empty: nobody) changed as little as possible. With `even`, members own as many as each
// other, or one more; else only what nobody alive owns is given to whoever has least. Without members nothing changes.
[[nodiscard]] std::vector<std::string> SpreadShards(std::vector<std::string> owners, const std::vector<std::string>& members,
                                                    bool even);

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_SHARD_MAP_H_
