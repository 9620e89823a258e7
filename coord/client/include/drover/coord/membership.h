// Who belongs to the coordination cluster, and changes of that while it runs: one blocking call each, to one node.
//
// Errors are those of drover.coord.v1.Membership (proto/drover/coord/v1/membership.proto): NOT_FOUND, FAILED_PRECONDITION
// (refused), ABORTED (not now, nothing was done), UNAVAILABLE (not the leader, or nobody answered: ask again). Threads: any.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_MEMBERSHIP_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_MEMBERSHIP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/time.h"

namespace drover::coord {

struct Member {
  std::uint64_t id = 0;
  std::uint64_t incarnation = 0;
  std::string address;
  bool voter = false;             // else a learner
  std::uint64_t lag_entries = 0;  // known to the leader only, as is the next
  std::uint64_t silent_ms = 0;
};

struct Members {
  std::uint64_t cluster_id = 0;
  std::uint64_t leader_id = 0;  // 0: not known
  std::vector<Member> members;
};

// kList: as far as the node knows. kListByLeader: by the leader alone, when a majority has confirmed it (an older node does as with
// kList).
enum class MemberCall { kList, kAdd, kPromote, kRemove, kReadmit, kTransferLeader, kListByLeader };

// `address`: of kAdd and kReadmit. The members as the node knows them afterwards.
[[nodiscard]] absl::StatusOr<Members> CallMembership(const std::string& endpoint, MemberCall call, std::uint64_t id,
                                                     const std::string& address, base::Duration timeout);

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_MEMBERSHIP_H_
