// The pool's object store as this master reaches it: found in the tree or announced there by the first process that was given one,
// opened, and proven by its marker to be the same one.
//
// Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_POOL_STORE_H_
#define DROVER_MASTER_SERVER_POOL_STORE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/store/object_store.h"
#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::master::server {

struct PoolStoreOptions {
  std::string path;          // of the pool's store node
  std::string url;           // --store; empty: the one that the tree names
  std::string fresh_marker;  // random, if it turns out to be the pool's first
  base::Duration retry_delay = std::chrono::milliseconds(200);
};

class PoolStore {
 public:
  using Opener = std::function<absl::StatusOr<std::unique_ptr<store::ObjectStore>>(const std::string& url)>;

  PoolStore(base::Loop* loop, PoolStoreOptions options, Opener opener, std::function<coord::Session*()> session);

  // Looks it up; calls back once the question is settled:
  //   OK                   it can be used, or the pool has none and none was given (store() is null then)
  //   FAILED_PRECONDITION  the store reached here is another one than the pool's
  //   others               it could not be opened
  void Open(std::function<void(absl::Status)> done);
  // Questions to the old session are asked of the new one.
  void SessionReplaced();

  // Null until opened, or while the pool has none.
  [[nodiscard]] store::ObjectStore* store() const { return checked_ ? store_.get() : nullptr; }
  // With a sentence, while there is no store: UNAVAILABLE until Open has settled it, then FAILED_PRECONDITION.
  [[nodiscard]] absl::StatusOr<store::ObjectStore*> Use();

 private:
  void LookUp();
  void Check(const worker::v1::StoreInfo& info);
  void CreateFirst();
  void Announce(std::string marker);
  void Settle(const absl::Status& status);

  // Wraps a callback so that it is not called after SessionReplaced or destruction.
  template <typename F>
  auto Current(F f) {
    return [turn = std::weak_ptr<int>(turn_), f = std::move(f)](auto result) mutable {
      if (turn.lock() != nullptr) f(std::move(result));
    };
  }

  base::Loop* const loop_;
  const PoolStoreOptions options_;
  const Opener opener_;
  const std::function<coord::Session*()> session_;
  std::function<void(absl::Status)> done_;
  std::unique_ptr<store::ObjectStore> store_;
  bool checked_ = false;
  bool busy_ = false;
  std::shared_ptr<int> turn_ = std::make_shared<int>(0);
  base::Timer retry_;
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_POOL_STORE_H_
