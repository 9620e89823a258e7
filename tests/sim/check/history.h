// The recorder: clients say what they ask and what they are told; stamps are its own count, so their order is the real one.
#ifndef DROVER_TESTS_SIM_CHECK_HISTORY_H_
#define DROVER_TESTS_SIM_CHECK_HISTORY_H_

#include <cstddef>
#include <mutex>
#include <vector>

#include "coord/base/ids.h"
#include "tests/sim/check/operation.h"

namespace drover::sim::check {

// Any thread. Grows with the run: about 300 bytes an operation.
class History {
 public:
  // Before the request is handed to the client library. `invoked` is filled in. Returns the operation's number, for Returned.
  std::size_t Invoked(Operation operation);
  // After its final answer came. Not called where the outcome stays unknown (a lost session, a unary call that failed).
  void Returned(std::size_t operation, Result result, base::Zxid zxid = {});
  // For what else is to be ordered with them: answers, events, bookmarks.
  [[nodiscard]] Stamp Next();

  [[nodiscard]] std::vector<Operation> operations() const;

 private:
  mutable std::mutex mu_;
  Stamp last_ = 0;
  std::vector<Operation> operations_;
};

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_HISTORY_H_
