// Puts items into the rivals' queue, through every fault, and knows which were certainly put.
//
// Threads: its session has one of its own; every method may be called from any other.
#ifndef DROVER_TESTS_RIVALS_PRODUCER_H_
#define DROVER_TESTS_RIVALS_PRODUCER_H_

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "drover/coord/blocking.h"
#include "drover/recipes/queue.h"

namespace drover::rivals {

class Producer {
 public:
  // Throws if no node answers.
  explicit Producer(const std::vector<std::string>& endpoints);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // One; does not wait for it.
  void Put();
  // Waits until all are there; gives their names. Throws if that does not come, or one was refused.
  [[nodiscard]] std::set<std::string> AwaitPut();
  // Waits until no item is left in the queue; false: that does not come.
  [[nodiscard]] bool AwaitEmpty();

 private:
  std::unique_ptr<coord::BlockingClient> client_;
  std::unique_ptr<recipes::Queue> queue_;  // on the client's loop alone

  std::mutex mu_;  // guards what follows
  int under_way_ = 0;
  std::set<std::string> put_;
  std::string refused_;
};

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_PRODUCER_H_
