#include "coord/server/leases.h"

#include <algorithm>

namespace drover::coord::server {

Leases::Silence Leases::At(base::Instant now) const {
  return clock_ + std::clamp<Silence>(now - last_tick_, Silence::zero(), options_.tick_max);
}

void Leases::Queue(base::SessionId session, Lease* lease) {
  if (lease->queued != Silence::zero()) queue_.erase({lease->queued, session});
  lease->queued = lease->deadline;
  queue_.insert({lease->queued, session});
}

void Leases::Lead(base::Instant now, const std::vector<LeaseTerms>& sessions) {
  queue_.clear();
  leases_.clear();
  leading_ = true;
  last_tick_ = now;
  for (const LeaseTerms& terms : sessions) Open(now, terms);
}

void Leases::Follow() {
  leading_ = false;
  queue_.clear();
  leases_.clear();
}

void Leases::Open(base::Instant now, const LeaseTerms& terms) {
  if (!leading_) return;
  Lease& lease = leases_[terms.session];
  lease.timeout = terms.timeout;
  lease.grace = terms.disconnect_grace;
  lease.deadline = At(now) + lease.timeout;
  Queue(terms.session, &lease);
}

void Leases::End(base::SessionId session) {
  const auto it = leases_.find(session);
  if (it == leases_.end()) return;
  queue_.erase({it->second.queued, session});
  leases_.erase(it);
}

void Leases::Attach(base::Instant now, base::SessionId session, const Place& place, std::uint64_t attach) {
  const auto it = leases_.find(session);
  if (it == leases_.end()) return;
  Lease& lease = it->second;
  // The stream that opened the session is the first, 0; of a client that does not count each is.
  if (attach < lease.attach) return;
  lease.attach = attach;
  if (lease.newest != place) lease.acknowledged = false;
  lease.newest = place;
  Contact(now, session);
}

void Leases::Contact(base::Instant now, base::SessionId session) {
  const auto it = leases_.find(session);
  if (it == leases_.end() || it->second.expiring) return;
  it->second.deadline = At(now) + it->second.timeout;
}

bool Leases::MayAcknowledge(base::SessionId session) const {
  const auto it = leases_.find(session);
  return it != leases_.end() && !it->second.expiring;
}

void Leases::Acknowledged(base::SessionId session, base::NodeId node) {
  const auto it = leases_.find(session);
  if (it != leases_.end() && it->second.newest.node == node) it->second.acknowledged = true;
}

void Leases::LinkBroke(base::Instant now, base::SessionId session, const Place& place) {
  const auto it = leases_.find(session);
  if (it == leases_.end()) return;
  Lease& lease = it->second;
  if (lease.grace == Silence::zero() || lease.newest != place || !lease.acknowledged || lease.expiring) return;
  lease.deadline = std::min(lease.deadline, At(now) + lease.grace);
  if (lease.deadline < lease.queued) Queue(session, &lease);
}

void Leases::Tick(base::Instant now) {
  clock_ = At(now);
  last_tick_ = now;
}

std::vector<base::SessionId> Leases::TakeExpired(std::size_t max) {
  std::vector<base::SessionId> expired;
  while (!queue_.empty() && queue_.begin()->first <= clock_ && expired.size() < max) {
    const base::SessionId session = queue_.begin()->second;
    Lease& lease = leases_.at(session);
    if (lease.deadline > clock_) {
      Queue(session, &lease);
      continue;
    }
    queue_.erase(queue_.begin());
    lease.queued = Silence::zero();
    lease.expiring = true;
    expired.push_back(session);
  }
  std::sort(expired.begin(), expired.end());
  return expired;
}

}  // namespace drover::coord::server
