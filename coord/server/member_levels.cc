#include "coord/server/member_levels.h"

#include <algorithm>
#include <cstddef>

#include "coord/base/hooks.h"

namespace drover::coord::server {
namespace {

template <typename Holds>
bool All(const raft::Configuration& members, Holds holds) {
  const auto count = static_cast<std::size_t>(std::count_if(members.members.begin(), members.members.end(), holds));
  if (DROVER_BREAK("raise-level-early")) return count > members.members.size() / 2;
  return count == members.members.size() && count > 0;
}

}  // namespace

void MemberLevels::Heard(base::NodeId node, base::Incarnation incarnation, base::FeatureLevel known, base::FeatureLevel promised) {
  Said& said = said_[node];
  if (said.incarnation != incarnation) said = Said{incarnation, {}, {}};
  said.known = std::max(known, base::kFirstFeatureLevel);
  // What was said earlier may come later; a promise is for ever.
  said.promised = std::max({said.promised, promised, base::kFirstFeatureLevel});
}

void MemberLevels::Keep(const raft::Configuration& members) {
  std::erase_if(said_, [&](const auto& one) { return !members.Names(one.first, one.second.incarnation); });
}

const MemberLevels::Said* MemberLevels::Find(const raft::Member& member) const {
  const auto found = said_.find(member.id);
  return found == said_.end() || found->second.incarnation != member.incarnation ? nullptr : &found->second;
}

std::optional<base::FeatureLevel> MemberLevels::KnownBy(const raft::Member& member) const {
  const Said* const said = Find(member);
  return said == nullptr ? std::nullopt : std::optional(said->known);
}

std::optional<base::FeatureLevel> MemberLevels::Wish(const raft::Configuration& members) const {
  const base::FeatureLevel next = members.feature_level.Next();
  const bool all = All(members, [&](const raft::Member& member) {
    const Said* const said = Find(member);
    return said != nullptr && said->known >= next;
  });
  return all ? std::optional(next) : std::nullopt;
}

bool MemberLevels::AllPromised(const raft::Configuration& members, base::FeatureLevel level) const {
  return All(members, [&](const raft::Member& member) {
    const Said* const said = Find(member);
    return said != nullptr && said->promised >= level;
  });
}

}  // namespace drover::coord::server
