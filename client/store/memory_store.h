// An ObjectStore in memory, for tests and the simulator: same contract as the real one, completions posted on a loop.
//
// Threads: the loop's. Damage and failures are injected by its owner; what it holds survives the processes that a simulator kills.
#ifndef DROVER_CLIENT_STORE_MEMORY_STORE_H_
#define DROVER_CLIENT_STORE_MEMORY_STORE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/store/object_store.h"

namespace drover::store {

// The objects themselves; several MemoryStores (one per simulated process) may share them.
struct MemoryObjects {
  struct Object {
    std::string data;
    Digest digest{};
    base::WallTime modified;
  };
  std::map<std::string, Object> objects;
  std::uint64_t object_bytes_max = kObjectBytesMax;
  // While not OK, every operation completes with it and without effect.
  absl::Status failure;
};

class MemoryStore final : public ObjectStore {
 public:
  // Both must outlive it; `objects` may be shared.
  MemoryStore(base::Loop* loop, MemoryObjects* objects);
  ~MemoryStore() override;

  void Put(std::string key, base::Bytes data, Done<ObjectRef> done) override;
  void Get(std::string key, Range range, Done<GetResult> done) override;
  void List(std::string prefix, std::string after, std::size_t limit, Done<ListPage> done) override;
  void Delete(std::vector<std::string> keys, DoneStatus done) override;

 private:
  // Completes on the loop, unless the store is gone by then.
  template <typename D, typename R>
  void Complete(D done, R result);

  base::Loop* const loop_;
  MemoryObjects* const objects_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_MEMORY_STORE_H_
