// The pool's object store as a process of the pool reaches it: found in the tree, or announced there by the first process that was
// given one, opened, and proven by its marker to be the same one.
//
// A store that hangs settles nothing for ever: reading its marker has a time limit. Threads: the loop's.
#ifndef DROVER_MASTER_POOL_POOL_STORE_H_
#define DROVER_MASTER_POOL_POOL_STORE_H_

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

namespace drover::pool {

using StoreOpener = std::function<absl::StatusOr<std::unique_ptr<store::ObjectStore>>(const std::string& url, bool create)>;

struct PoolStoreOptions {
  std::string path;          // of the pool's store node
  std::string url;           // --store; empty: the one that the tree names
  std::string fresh_marker;  // random, if it turns out to be the pool's first
  // Before the core is asked again.
  base::Duration retry_delay = std::chrono::milliseconds(200);
  // A store that has not shown its marker (or taken one) by then is given up, until it is asked for again.
  base::Duration marker_patience = std::chrono::seconds(10);
};

class PoolStore {
 public:
  // `session` is asked for the session of the moment; null between two.
  PoolStore(base::Loop* loop, PoolStoreOptions options, StoreOpener opener, std::function<coord::Session*()> session);
  ~PoolStore();
  PoolStore(const PoolStore&) = delete;
  PoolStore& operator=(const PoolStore&) = delete;

  // Calls back at once if the store is open, else when the question is settled (it waits for the core as long as it takes):
  //   FAILED_PRECONDITION  the pool has no store (none() is true then), or the one reached here is another one
  //   DEADLINE_EXCEEDED    the store did not show its marker in time
  //   others               opening it failed
  // The sentence is for the operator. After an error the next call tries anew.
  using Done = absl::AnyInvocable<void(absl::StatusOr<store::ObjectStore*>)>;
  void Use(Done done);
  // The store if it is open; else looks for it (another process may have announced one meanwhile), for a later call, and gives
  // UNAVAILABLE before the first look has been settled, FAILED_PRECONDITION after.
  [[nodiscard]] absl::StatusOr<store::ObjectStore*> Now();
  // Null until open.
  [[nodiscard]] store::ObjectStore* store() const { return checked_ ? store_.get() : nullptr; }
  // As far as was looked: the tree names no store, and none was given here.
  [[nodiscard]] bool none() const { return none_; }
  // Of the store that was opened last.
  [[nodiscard]] const std::string& url() const { return url_; }

  // Questions to the old session are not answered any more: they are asked of the new one.
  void SessionReplaced();

 private:
  void LookUp();
  void OnNode(absl::StatusOr<coord::GetResult> got);
  // False, and settled, if it cannot be opened.
  bool Open(const std::string& url, bool create);
  void Check(const worker::v1::StoreInfo& info);
  void CreateFirst();
  void Announce(std::string marker);
  void Settle(const absl::Status& status);

  // Wraps a callback so that it is not called after SessionReplaced, Settle or destruction.
  template <typename F>
  auto Current(F f) {
    return [turn = std::weak_ptr<int>(turn_), f = std::move(f)](auto result) mutable {
      if (turn.lock() != nullptr) f(std::move(result));
    };
  }

  base::Loop* const loop_;
  const PoolStoreOptions options_;
  const StoreOpener opener_;
  const std::function<coord::Session*()> session_;
  std::unique_ptr<store::ObjectStore> store_;
  std::string url_;
  bool checked_ = false;
  bool settled_ = false;  // once
  bool none_ = false;
  bool busy_ = false;
  std::shared_ptr<int> turn_ = std::make_shared<int>(0);
  std::vector<Done> waiting_;
  base::Timer retry_;
  base::Timer marker_limit_;
};

}  // namespace drover::pool

#endif  // DROVER_MASTER_POOL_POOL_STORE_H_
