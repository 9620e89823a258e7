// The pool's object store, where this host reaches it: its address comes from the tree, and it is used only if its marker is the
// pool's. Blocking. Threads: any.
#ifndef DROVER_CLIENT_INTERNAL_STORE_ACCESS_H_
#define DROVER_CLIENT_INTERNAL_STORE_ACCESS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/internal/directory.h"
#include "client/store/inline_executor.h"
#include "client/store/object_store.h"
#include "coord/base/mutex.h"

namespace drover::client {

class StoreAccess {
 public:
  // `directory` may be null: the store is then never reached.
  explicit StoreAccess(Directory* directory) : directory_(directory) {}

  // Looks until the core has answered once; what was found then stays so.
  bool Reachable(Deadline deadline);

  // UNAVAILABLE if not reachable, else the store's errors.
  absl::StatusOr<store::ObjectRef> Put(const std::string& key, std::string data);
  absl::StatusOr<base::Bytes> Get(const std::string& key);

 private:
  absl::Status Open(Deadline deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Directory* const directory_;
  base::Mutex mu_;
  bool looked_ ABSL_GUARDED_BY(mu_) = false;
  store::InlineExecutor executor_;  // what makes the store's calls blocking
  std::unique_ptr<store::ObjectStore> store_ ABSL_GUARDED_BY(mu_);
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_STORE_ACCESS_H_
