// The pool's object store as this worker reaches it: found in the tree, opened, and proven to be the same one.
//
// Threads: the loop's.
#ifndef DROVER_WORKER_AGENT_STORE_KEEPER_H_
#define DROVER_WORKER_AGENT_STORE_KEEPER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/store/object_store.h"
#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::worker::agent {

using StoreOpener = std::function<absl::StatusOr<std::unique_ptr<store::ObjectStore>>(const std::string& url)>;

struct StoreKeeperOptions {
  std::string path;          // of the pool's store node
  std::string url;           // --store; empty: the one that the tree names
  std::string fresh_marker;  // random, for the pool's first store
  base::Duration retry_delay = std::chrono::milliseconds(200);
};

class StoreKeeper {
 public:
  // `session` is asked for the session of the moment.
  StoreKeeper(base::Loop* loop, StoreKeeperOptions options, StoreOpener opener, std::function<coord::Session*()> session);
  ~StoreKeeper();
  StoreKeeper(const StoreKeeper&) = delete;
  StoreKeeper& operator=(const StoreKeeper&) = delete;

  // Calls back at once if the store is open, else when the question is settled (it waits for the core as long as it takes):
  //   FAILED_PRECONDITION  the pool has no store, or the one reached here is another one: the sentence is for the operator
  //   others               opening it failed
  // After an error the next call tries anew.
  using Done = absl::AnyInvocable<void(absl::StatusOr<store::ObjectStore*>)>;
  void Use(Done done);
  // True once Use has succeeded.
  [[nodiscard]] bool open() const { return checked_; }

  // The tree names a store for the pool (as far as was looked).
  [[nodiscard]] bool named() const { return named_; }

  // Calls under way are not answered any more: ask the new session.
  void SessionReplaced();

 private:
  void LookUp();
  void OnNode(absl::StatusOr<coord::GetResult> got);
  void Check(const v1::StoreInfo& info);
  void CreateFirst();
  void Announce(std::string marker);
  void Settle(absl::Status status);
  // Wraps a callback so that it is not called after SessionReplaced or destruction.
  template <typename F>
  auto Current(F f) {
    return [alive = std::weak_ptr<int>(turn_), f = std::move(f)](auto result) mutable {
      if (alive.lock() != nullptr) f(std::move(result));
    };
  }

  base::Loop* const loop_;
  const StoreKeeperOptions options_;
  const StoreOpener opener_;
  const std::function<coord::Session*()> session_;
  std::unique_ptr<store::ObjectStore> store_;
  bool checked_ = false;
  bool named_ = false;
  bool busy_ = false;
  std::shared_ptr<int> turn_ = std::make_shared<int>(0);
  std::vector<Done> waiting_;
  base::Timer retry_;
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_STORE_KEEPER_H_
