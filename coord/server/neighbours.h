// Whom a node dials, where, and which life of it: the members by its configurations, and guests. Pure; not thread-safe.
//
// A guest is a node of the same cluster that speaks to this one and that the configurations here do not name: one that was added,
// and may lead by now, while this node was away; or one that was removed and does not know. Without an address it could not be
// answered, so it says its own. A guest that falls silent is forgotten.
#ifndef DROVER_COORD_SERVER_NEIGHBOURS_H_
#define DROVER_COORD_SERVER_NEIGHBOURS_H_

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/configuration.h"

namespace drover::coord::server {

class Neighbours {
 public:
  struct Options {
    base::Duration guest_patience = std::chrono::seconds(10);
    std::size_t guests_max = 16;
  };
  Neighbours(base::NodeId self, const Options& options) : self_(self), options_(options) {}

  // The last committed one, and the newest in the log. The latter counts where both name a node: what is removed by an entry that
  // is not committed yet may still have to be spoken to.
  void SetConfigurations(const raft::Configuration& committed, const raft::Configuration& newest);
  // `member` shall be spoken to for a while though it is not named, or not with this incarnation. Ignored without an address, and
  // if there are too many.
  void Welcome(base::Instant now, const raft::Member& member);
  // Forgets the silent ones.
  void Tick(base::Instant now);

  // By one of the configurations, with just this incarnation.
  [[nodiscard]] bool Named(base::NodeId id, base::Incarnation incarnation) const;
  // By one of the configurations, whatever incarnation.
  [[nodiscard]] bool Taken(base::NodeId id) const { return members_.contains(id); }
  // 0: it is none.
  [[nodiscard]] base::Incarnation IncarnationOf(base::NodeId id) const;
  [[nodiscard]] std::vector<std::pair<base::NodeId, std::string>> Addresses() const;
  // Grows with each change of Addresses or IncarnationOf.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  struct Guest {
    raft::Member member;
    base::Instant heard;
    bool yields = false;  // its id was nobody's: if it is given to another life, that one counts
  };
  [[nodiscard]] const raft::Member* Find(base::NodeId id) const;

  const base::NodeId self_;
  const Options options_;
  std::map<base::NodeId, raft::Member> members_;  // of both
  std::map<base::NodeId, raft::Member> removed_;  // what the committed one says of those whom the newest names otherwise
  std::map<base::NodeId, Guest> guests_;
  std::uint64_t version_ = 0;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_NEIGHBOURS_H_
