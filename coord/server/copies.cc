#include "coord/server/copies.h"

#include <utility>

namespace drover::coord::server {

void Copies::OnAnswer(base::Instant now, base::NodeId id, base::BootNonce boot) {
  Known& known = known_[id];
  known.answering = boot;
  known.answered = now;
}

bool Copies::OnAsked(base::Instant now, base::NodeId id, base::BootNonce boot, std::string address) {
  Known& known = known_[id];
  if (known.asking != boot) {
    known.asking = boot;
    known.asked = now;
  }
  const bool other = known.answering != base::BootNonce() && known.answering != boot;
  if (!other || known.answered - known.asked < options_.settle) return false;
  known.address = std::move(address);
  known.found = now;
  return true;
}

std::vector<Copy> Copies::Seen(base::Instant now) const {
  std::vector<Copy> seen;
  for (const auto& [id, known] : known_) {
    if (known.found && now - *known.found < options_.window) seen.push_back({id, known.address});
  }
  return seen;
}

}  // namespace drover::coord::server
