#include "tests/support/history.h"

#include <chrono>

namespace drover::testing {
namespace {

std::uint64_t NowNanos() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

}  // namespace

std::size_t History::Ask(int client, std::string call) {
  const std::lock_guard lock(mu_);
  operations_.push_back({client, std::move(call), "", Told::kUnknown, NowNanos(), 0});
  return operations_.size() - 1;
}

void History::Answer(std::size_t operation, Told told, std::string answer) {
  const std::lock_guard lock(mu_);
  Operation& o = operations_.at(operation);
  o.told = told;
  o.answer = std::move(answer);
  o.told_at = NowNanos();
}

std::vector<Operation> History::Operations() const {
  const std::lock_guard lock(mu_);
  return operations_;
}

}  // namespace drover::testing
