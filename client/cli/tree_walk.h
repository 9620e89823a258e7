// Through a subtree, page by page: no more of it is in memory than a page.
#ifndef DROVER_CLIENT_CLI_TREE_WALK_H_
#define DROVER_CLIENT_CLI_TREE_WALK_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/tree_core.h"
#include "drover/coord/types.h"

namespace drover::cli {

struct Walk {
  bool one_state = true;  // all pages were of one state
  coord::Zxid zxid;       // of the last page
};

// The page behind the path "after"; "" for the first.
using PageSource = std::function<absl::StatusOr<coord::ListPage>(const std::string& after)>;
// Hands every node of the subtree to `on_node`, the root first, until it returns false. Every page is one state; two may be of
// different ones, so that what moves while the walk lasts may be seen twice, or not at all.
[[nodiscard]] absl::StatusOr<Walk> WalkPages(const PageSource& pages, const std::function<bool(const coord::Node&)>& on_node);

// The same of the core. The status names the path.
[[nodiscard]] absl::StatusOr<Walk> WalkTree(CoreReads* reads, const std::string& path, bool with_data,
                                            const std::function<bool(const coord::Node&)>& on_node);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TREE_WALK_H_
