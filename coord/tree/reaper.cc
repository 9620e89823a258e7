#include "coord/tree/reaper.h"

namespace drover::coord::tree {

std::vector<Reaper::Due> Reaper::Next(const Tree& tree, base::WallTime now) {
  std::vector<Due> due;
  std::size_t visits = 0;
  const NodesByCreation& mortals = tree.mortals();
  auto it = mortals.lower_bound(from_);
  for (; it != mortals.end(); ++it) {
    const base::Zxid czxid = (*it)->czxid();
    const bool enough = visits >= options_.visits_max || due.size() >= options_.due_max;
    if (enough && czxid >= from_) break;  // not of the transaction that the last one was of
    ++visits;
    from_ = czxid.Next();
    if ((*it)->IsDue(now)) due.push_back({(*it)->Path(), czxid});
  }
  if (it == mortals.end()) from_ = base::Zxid();
  return due;
}

}  // namespace drover::coord::tree
