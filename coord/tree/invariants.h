// What holds of a state machine between any two commands; checked by tests, dev builds and the simulator.
#ifndef DROVER_COORD_TREE_INVARIANTS_H_
#define DROVER_COORD_TREE_INVARIANTS_H_

#include "absl/status/status.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::tree {

// Walks everything. The error names the node or session and what is wrong with it:
// 1. a node's parent holds it under its name, and names are ordered and valid components
// 2. the tree's node count and bytes are the sums over its nodes
// 3. zxids: none above the last; czxid <= mzxid, pzxid; a child is not older than its parent
// 4. children_created >= children; cversion = 2 * children_created - children
// 5. an ephemeral has no children, its session lives, and the session's ephemerals are exactly the nodes that name it
// 6. a node's count of its descendants is the number of them, and that of their bytes the sum; the nodes that end by themselves are
// exactly the tree's list of these, those with a quota that of the quotas; each ACL is used as often as nodes have it
// 7. seen <= last write; exactly the answers between them are kept, and kept_bytes is their sum; session ids are at most the last
// zxid
[[nodiscard]] absl::Status CheckInvariants(const StateMachine& machine);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_INVARIANTS_H_
