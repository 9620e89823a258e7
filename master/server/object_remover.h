// Removes the objects of retired tasks: what they read and wrote. Called only by the master that committed the removal of the
// record, so no other process can still need them. Names are listed, because attempts that are forgotten wrote, too.
//
// Bounded: a few removals at a time; what does not fit into the queue, or fails, is left in the store. Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_OBJECT_REMOVER_H_
#define DROVER_MASTER_SERVER_OBJECT_REMOVER_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "drover/worker/v1/record.pb.h"
#include "master/pool/pool_store.h"

namespace drover::master::server {

class ObjectRemover {
 public:
  explicit ObjectRemover(pool::PoolStore* store) : store_(store) {}
  ~ObjectRemover() { *alive_ = false; }

  void Remove(const std::string& task, const worker::v1::TaskRecord& record);

  // Tasks whose objects may have been left behind.
  [[nodiscard]] std::size_t left_behind() const { return left_behind_; }

 private:
  static constexpr std::size_t kQueueMax = 100'000;
  static constexpr std::size_t kUnderWayMax = 8;
  static constexpr std::size_t kPage = 1'000;

  void Next();
  void RemovePage(std::string prefix);
  void Done(bool complete);

  pool::PoolStore* const store_;
  std::deque<std::string> prefixes_;
  std::size_t under_way_ = 0;
  std::size_t left_behind_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// False if the record shows that the task never had an object.
[[nodiscard]] bool MayHaveObjects(const worker::v1::TaskRecord& record);

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_OBJECT_REMOVER_H_
