// The way from one configuration of a running cluster to another that was asked for, one voter at a time. Pure.
#ifndef DROVER_COORD_SERVER_MEMBER_CHANGE_H_
#define DROVER_COORD_SERVER_MEMBER_CHANGE_H_

#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "coord/raft/configuration.h"

namespace drover::coord::server {

struct MemberChange {
  enum class Kind {
    kAdd,      // as a learner; of a member that is there, its address
    kReadmit,  // a member whose directory was lost comes back, with another incarnation, as a learner
    kPromote,  // a learner becomes a voter
    kRemove,
  };
  Kind kind = Kind::kAdd;
  base::NodeId id;
  std::string address;            // of kAdd; of kReadmit, empty: where it was
  base::Incarnation incarnation;  // of kAdd and kReadmit: as the node that listens there says
};

// What is to be proposed next: removal before addition, where both are needed. Nothing: `now` is what was asked for, so a change
// that is asked for once more is done already. NOT_FOUND: there is no such member. FAILED_PRECONDITION: it cannot be, and why.
[[nodiscard]] absl::StatusOr<std::optional<raft::Configuration>> NextConfiguration(const raft::Configuration& now,
                                                                                   const MemberChange& change);

// FAILED_PRECONDITION: of the voters of `next` fewer than a quorum are among those that answer, so it could not be committed, nor
// anything after it.
[[nodiscard]] absl::Status CheckQuorum(const raft::Configuration& next, const std::set<base::NodeId>& answering);

// Somebody has the id of a member, and not its data directory. FAILED_PRECONDITION, in words that say what to do.
[[nodiscard]] absl::Status OtherLife(base::NodeId id);
// Who listens at `address` has belonged to this cluster with its data directory, and does so no more: it may be an older copy, that
// has forgotten how it voted. FAILED_PRECONDITION, in words that say what to do.
[[nodiscard]] absl::Status UsedDirectory(base::NodeId id, const std::string& address);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_MEMBER_CHANGE_H_
