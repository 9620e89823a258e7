// Deletes subtrees that are larger than one write may delete.
#ifndef DROVER_CLIENT_CLI_SUBTREE_DELETION_H_
#define DROVER_CLIENT_CLI_SUBTREE_DELETION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "drover/coord/blocking.h"

namespace drover::cli {

// All at once, if one write may delete so much (10,000 nodes). Else in several, from below, the node itself last, so that whoever
// looks meanwhile sees a part, and an error leaves one. `version` is of the node: it is compared before anything is deleted, and
// with the node. Errors: as of BlockingClient::DeleteSubtree; NOT_EMPTY if somebody else goes on creating below the node.
[[nodiscard]] absl::StatusOr<coord::DeleteSubtreeResult> DeleteSubtree(coord::BlockingClient& core, const std::string& path,
                                                                       std::optional<std::uint32_t> version);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_SUBTREE_DELETION_H_
