// Paths of nodes as they are typed where there is a node at hand. Pure.
#ifndef DROVER_CLIENT_CLI_NODE_PATH_H_
#define DROVER_CLIENT_CLI_NODE_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace drover::cli {

// `typed` seen from the node `at`: absolute, or relative to it, with "." and "..", which above the root is the root. "" is `at`.
[[nodiscard]] std::string ResolvePath(absl::string_view at, absl::string_view typed);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_NODE_PATH_H_
