// What the members of a cluster have said of feature levels: which the program of each knows, and which it has promised. Pure.
//
// A level is raised in two steps, so that an upgrade that was begun can be taken back until all have it. What a program knows is
// said in every frame, and holds for this process of the member. When all members know the next level, the leader wishes it; each
// then promises it in its data directory, and from there on no program that does not know the level can run there. A promise is
// said when it is durable, and holds for ever for this incarnation of the member. When all have promised, the leader raises.
#ifndef DROVER_COORD_SERVER_MEMBER_LEVELS_H_
#define DROVER_COORD_SERVER_MEMBER_LEVELS_H_

#include <map>
#include <optional>

#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/raft/configuration.h"

namespace drover::coord::server {

// Not thread-safe.
class MemberLevels {
 public:
  // Of any node. 0, of a program that does not say, is the first level.
  void Heard(base::NodeId node, base::Incarnation incarnation, base::FeatureLevel known, base::FeatureLevel promised);
  // Forgets who is none of these.
  void Keep(const raft::Configuration& members);

  // What the program of the member knows, as it said last; nothing, if it has not said.
  [[nodiscard]] std::optional<base::FeatureLevel> KnownBy(const raft::Member& member) const;
  // The level behind that of `members`, if the programs of all of them know it.
  [[nodiscard]] std::optional<base::FeatureLevel> Wish(const raft::Configuration& members) const;
  // All of them, learners too, have promised `level`.
  [[nodiscard]] bool AllPromised(const raft::Configuration& members, base::FeatureLevel level) const;

 private:
  struct Said {
    base::Incarnation incarnation;
    base::FeatureLevel known;
    base::FeatureLevel promised;
  };
  [[nodiscard]] const Said* Find(const raft::Member& member) const;

  std::map<base::NodeId, Said> said_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_MEMBER_LEVELS_H_
