// The members that a new cluster begins with, as people write them: "1=host:port,2=host:port". Pure.
#ifndef DROVER_COORD_SERVER_INITIAL_CLUSTER_H_
#define DROVER_COORD_SERVER_INITIAL_CLUSTER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/raft/configuration.h"

namespace drover::coord::server {

// Id and address of each, ascending by id.
using InitialMembers = std::vector<std::pair<base::NodeId, std::string>>;

// INVALID_ARGUMENT: a member that cannot be, or an id or an address that is there twice; says which.
[[nodiscard]] absl::StatusOr<InitialMembers> ParseInitialCluster(absl::string_view text);
[[nodiscard]] std::string TextOf(const InitialMembers& members);

// The founders of a cluster, as they would be written.
[[nodiscard]] InitialMembers MembersOf(const raft::Configuration& founding);

// Whether a cluster that was founded with `founding` is the one that `given` means. Of a node that is alone the address may change:
// nobody dials it. FAILED_PRECONDITION, with both lists.
[[nodiscard]] absl::Status CheckFoundedWith(const raft::Configuration& founding, const InitialMembers& given);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_INITIAL_CLUSTER_H_
