#include "tests/sim/check/history.h"

#include <utility>

namespace drover::sim::check {

std::size_t History::Invoked(Operation operation) {
  const std::lock_guard lock(mu_);
  operation.invoked = ++last_;
  operation.returned.reset();
  operations_.push_back(std::move(operation));
  return operations_.size() - 1;
}

void History::Returned(std::size_t operation, Result result, base::Zxid zxid) {
  const std::lock_guard lock(mu_);
  Operation& o = operations_.at(operation);
  o.returned = ++last_;
  o.result = std::move(result);
  o.zxid = zxid;
}

Stamp History::Next() {
  const std::lock_guard lock(mu_);
  return ++last_;
}

std::vector<Operation> History::operations() const {
  const std::lock_guard lock(mu_);
  return operations_;
}

}  // namespace drover::sim::check
