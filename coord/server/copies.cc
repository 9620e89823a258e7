#include "coord/server/copies.h"

namespace drover::coord::server {

void Copies::OnAnswer(base::Instant now, base::NodeId id, base::BootNonce boot) {
  Known& known = known_[id];
  known.answering = boot;
  known.answered = now;
}

bool Copies::OnAsked(base::Instant now, base::NodeId id, base::BootNonce boot) {
  Known& known = known_[id];
  if (known.asking != boot) {
    known.asking = boot;
    known.asked = now;
  }
  const bool other = known.answering != base::BootNonce() && known.answering != boot;
  return other && known.answered - known.asked >= options_.settle;
}

}  // namespace drover::coord::server
