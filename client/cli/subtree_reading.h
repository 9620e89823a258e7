// A whole subtree read at one state, though it takes many calls: everything is read twice, and what is the same both times was so
// in between.
//
// A Stat changes with every change of its node and of which children it has (czxid, mzxid, pzxid, aversion). So where both passes
// find the same nodes with the same Stats, no node of the subtree changed between its two readings, and the state at the moment
// between the passes is what was read. Else it is read anew, a few times.
#ifndef DROVER_CLIENT_CLI_SUBTREE_READING_H_
#define DROVER_CLIENT_CLI_SUBTREE_READING_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/tree_walk.h"
#include "drover/coord/types.h"

namespace drover::cli {

struct SubtreeSource {
  PageSource pages;               // with data
  PageSource pages_without_data;  // for the second pass
  std::function<absl::StatusOr<coord::AclResult>(const std::string& path)> acl;
};

struct SubtreeReading {
  std::vector<coord::Node> nodes;  // in PathLess order, the root first
  std::vector<coord::Acl> acls;    // one for each node; empty: everybody may do everything
  coord::Zxid zxid;
  bool one_state = true;
};

enum class Consistency {
  kOneState,  // ABORTED if it changed during each of several tries
  kAnyState,  // each node as it was when it was read
};

// RESOURCE_EXHAUSTED if there is more than an exported subtree may hold; PERMISSION_DENIED if a node, or the whole of its access
// control list, may not be read.
[[nodiscard]] absl::StatusOr<SubtreeReading> ReadSubtree(const SubtreeSource& source, Consistency consistency);

// The same of the core.
[[nodiscard]] absl::StatusOr<SubtreeReading> ReadSubtree(CoreReads* reads, const std::string& path, Consistency consistency);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_SUBTREE_READING_H_
