#include "coord/server/neighbours.h"

#include <algorithm>

namespace drover::coord::server {

void Neighbours::SetConfigurations(const raft::Configuration& committed, const raft::Configuration& newest) {
  members_.clear();
  removed_.clear();
  for (const raft::Member& member : newest.members) members_[member.id] = member;
  for (const raft::Member& member : committed.members) {
    const auto [known, fresh] = members_.try_emplace(member.id, member);
    if (!fresh && known->second.incarnation != member.incarnation) removed_[member.id] = member;
  }
  std::erase_if(guests_, [this](const auto& guest) {
    const auto member = members_.find(guest.first);
    if (member == members_.end()) return false;
    return guest.second.yields || member->second.incarnation == guest.second.member.incarnation;
  });
  ++version_;
}

void Neighbours::Welcome(base::Instant now, const raft::Member& member) {
  if (member.id == self_ || member.address.empty()) return;
  const auto known = guests_.find(member.id);
  if (known == guests_.end() && guests_.size() >= options_.guests_max) return;
  const bool same = known != guests_.end() && known->second.member.incarnation == member.incarnation &&
                    known->second.member.address == member.address;
  guests_[member.id] = Guest{member, now, !members_.contains(member.id)};
  if (!same) ++version_;
}

void Neighbours::Tick(base::Instant now) {
  const std::size_t gone =
      std::erase_if(guests_, [&](const auto& guest) { return now - guest.second.heard >= options_.guest_patience; });
  if (gone > 0) ++version_;
}

const raft::Member* Neighbours::Find(base::NodeId id) const {
  const auto guest = guests_.find(id);
  if (guest != guests_.end()) return &guest->second.member;
  const auto member = members_.find(id);
  return member == members_.end() ? nullptr : &member->second;
}

bool Neighbours::Named(base::NodeId id, base::Incarnation incarnation) const {
  for (const auto* configuration : {&members_, &removed_}) {
    const auto member = configuration->find(id);
    if (member != configuration->end() && member->second.incarnation == incarnation) return true;
  }
  return false;
}

base::Incarnation Neighbours::IncarnationOf(base::NodeId id) const {
  const raft::Member* const member = Find(id);
  return member == nullptr ? base::Incarnation() : member->incarnation;
}

std::vector<std::pair<base::NodeId, std::string>> Neighbours::Addresses() const {
  std::map<base::NodeId, std::string> addresses;
  for (const auto& [id, member] : members_) addresses[id] = member.address;
  for (const auto& [id, guest] : guests_) addresses[id] = guest.member.address;
  addresses.erase(self_);
  return {addresses.begin(), addresses.end()};
}

}  // namespace drover::coord::server
