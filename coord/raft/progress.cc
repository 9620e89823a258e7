#include "coord/raft/progress.h"

#include <algorithm>

namespace drover::coord::raft {

bool Progress::CanSend(const WindowLimits& limits) const {
  if (needs_snapshot) return false;
  if (probing_) return !probe_out_;
  return in_flight_.size() < limits.appends && in_flight_bytes_ < limits.bytes;
}

void Progress::Sent(Index last, std::size_t bytes) {
  if (probing_) {
    probe_out_ = true;
    return;
  }
  next_ = last.Next();
  in_flight_.push_back({last, bytes});
  in_flight_bytes_ += bytes;
}

void Progress::Accepted(Index match, Index received) {
  match_ = std::max(match_, match);
  held_ = std::max(held_, match_);
  while (!in_flight_.empty() && in_flight_.front().last <= match_) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  // It has what it was thought to need from a snapshot.
  if (needs_snapshot && received >= next_) Probe();
  if (probing_) {
    probing_ = false;
    probe_out_ = false;
    next_ = std::max(received, match_).Next();
  }
  next_ = std::max(next_, match_.Next());
}

bool Progress::Rejected(Index previous, Index agree) {
  if (previous <= match_ || previous >= next_) return false;
  // While probing, only the answer to the probe that is out counts.
  if (probing_ && previous != next_.Previous()) return false;
  Probe();
  next_ = std::max(match_, std::min(previous.Previous(), agree)).Next();
  return true;
}

void Progress::Probe() {
  if (!probing_) next_ = match_.Next();
  probing_ = true;
  probe_out_ = false;
  needs_snapshot = false;
  in_flight_.clear();
  in_flight_bytes_ = 0;
}

void Progress::Forget(Index next) {
  Probe();
  match_ = Index();
  next_ = next;
}

}  // namespace drover::coord::raft
