// Paths of the tree: what is one, and their order.
//
// A path is UTF-8: "/" (the root), or one "/name" or more. The rules are ZooKeeper's (PathUtils.validatePath): no empty, "." or
// ".." component, no trailing "/", no control characters (U+0000-001F, U+007F-009F), no private-use or surrogate characters
// (U+D800-F8FF), nothing in U+FFF0-FFFF, and, as there, nothing above U+FFFF. Pure functions.
#ifndef DROVER_COORD_TREE_PATH_H_
#define DROVER_COORD_TREE_PATH_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace drover::coord::tree {

// The rule that it breaks, as a sentence for people; null: it is a path.
[[nodiscard]] const char* PathFault(absl::string_view path);
// The same of what a sequential create may ask for: what becomes a path when digits are appended ("/a/" does).
[[nodiscard]] const char* SequentialPathFault(absl::string_view path);

[[nodiscard]] inline bool IsPath(absl::string_view path) {
  return PathFault(path) == nullptr;
}
[[nodiscard]] inline bool IsSequentialPath(absl::string_view path) {
  return SequentialPathFault(path) == nullptr;
}

// Of a valid path that is not "/": what is before the last "/" ("/" for children of the root), and what is behind it.
[[nodiscard]] absl::string_view ParentOf(absl::string_view path);
[[nodiscard]] absl::string_view NameOf(absl::string_view path);

// `path` is `root` or below it; both valid.
[[nodiscard]] bool IsAtOrBelow(absl::string_view path, absl::string_view root);

// Order of lists: component by component, each by its bytes; a node comes before its children. <0, 0, >0. Both valid.
[[nodiscard]] int ComparePaths(absl::string_view a, absl::string_view b);

// Takes the first component off the front of a relative path ("a/b" -> "a", leaving "b"). False when nothing is left.
[[nodiscard]] bool NextComponent(absl::string_view* rest, absl::string_view* component);

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_PATH_H_
