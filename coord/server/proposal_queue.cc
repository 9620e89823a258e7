#include "coord/server/proposal_queue.h"

#include <utility>
#include <vector>

namespace drover::coord::server {

tree::Origin ProposalQueue::Admit(Waiter waiter) {
  if (!gathering_) gathering_.emplace();
  waiters_.emplace_hint(waiters_.end(), ++last_tag_, std::move(waiter));
  return tree::Origin{node_, boot_, last_tag_};
}

void ProposalQueue::AddRequest(Waiter waiter, const tree::Asker& asker, std::uint64_t seen, absl::string_view request) {
  const tree::Origin origin = Admit(std::move(waiter));
  gathering_->AddRequest(origin, asker.session, seen, request, asker.address, asker.identities);
  EndIfFull();
}

void ProposalQueue::AddOpen(Waiter waiter, const tree::OpenSessionView& open) {
  const tree::Origin origin = Admit(std::move(waiter));
  gathering_->AddOpen(origin, open);
  EndIfFull();
}

void ProposalQueue::EndIfFull() {
  if (gathering_->size() >= batch_bytes_) End();
}

void ProposalQueue::End() {
  const std::size_t count = gathering_->count();
  batches_.push_back(Batch{gathering_->Finish(), count, last_tag_});
  gathering_.reset();
}

const ProposalQueue::Batch* ProposalQueue::Front() {
  if (batches_.empty() && gathering_) End();
  return batches_.empty() ? nullptr : &batches_.front();
}

void ProposalQueue::HandOver() {
  const Batch& batch = batches_.front();
  handed_.push_back({batch.last_tag, batch.commands.size()});
  handed_bytes_ += batch.commands.size();
  batches_.pop_front();
}

const Waiter* ProposalQueue::Peek(const tree::Origin& origin) const {
  if (origin.node != node_ || origin.boot != boot_) return nullptr;
  const auto it = waiters_.find(origin.tag);
  return it == waiters_.end() ? nullptr : &it->second;
}

std::optional<Waiter> ProposalQueue::Take(const tree::Origin& origin) {
  if (origin.node != node_ || origin.boot != boot_) return std::nullopt;
  while (!handed_.empty() && handed_.front().last_tag <= origin.tag) {
    handed_bytes_ -= handed_.front().bytes;
    handed_.pop_front();
  }
  const auto it = waiters_.find(origin.tag);
  if (it == waiters_.end()) return std::nullopt;
  Waiter waiter = std::move(it->second);
  waiters_.erase(it);
  return waiter;
}

std::vector<Waiter> ProposalQueue::TakeHandedOver() {
  std::vector<Waiter> waiters;
  if (handed_.empty()) return waiters;
  const auto end = waiters_.upper_bound(handed_.back().last_tag);
  for (auto it = waiters_.begin(); it != end; ++it) waiters.push_back(std::move(it->second));
  waiters_.erase(waiters_.begin(), end);
  handed_.clear();
  handed_bytes_ = 0;
  return waiters;
}

void ProposalQueue::FailCalls(const absl::Status& status) {
  std::vector<ExecuteDone> calls;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    if (auto* call = std::get_if<ExecuteDone>(&it->second)) {
      calls.push_back(std::move(*call));
      it = waiters_.erase(it);
    } else {
      ++it;
    }
  }
  for (ExecuteDone& call : calls) call(status);
}

}  // namespace drover::coord::server
