#include "tests/chaos/recorder.h"

#include <utility>

namespace drover::chaos {

void Recorder::SessionEnded(base::SessionId session, check::Stamp alive, check::Stamp ended) {
  check::Operation end;
  end.kind = check::Kind::kEndSession;
  end.owner = session;
  end.invoked = alive;
  end.returned = ended;
  const std::lock_guard lock(mu_);
  ends_.push_back(std::move(end));
}

void Recorder::Fault(std::string what) {
  const std::lock_guard lock(mu_);
  faults_.push_back(std::move(what));
}

std::vector<check::Operation> Recorder::Operations() const {
  std::vector<check::Operation> operations = history_.operations();
  const std::lock_guard lock(mu_);
  operations.insert(operations.end(), ends_.begin(), ends_.end());
  return operations;
}

std::vector<std::string> Recorder::faults() const {
  const std::lock_guard lock(mu_);
  return faults_;
}

}  // namespace drover::chaos
