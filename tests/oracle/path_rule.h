// ZooKeeper's rule of what is a path, said a second time: as its client library has it (PathUtils.validatePath), over UTF-16.
// Independent of coord/tree's on purpose. Pure.
#ifndef DROVER_TESTS_ORACLE_PATH_RULE_H_
#define DROVER_TESTS_ORACLE_PATH_RULE_H_

#include "absl/strings/string_view.h"

namespace drover::oracle {

[[nodiscard]] bool IsPath(absl::string_view path);
// Of a create: a sequential one is judged with a number at its end.
[[nodiscard]] bool IsPathToCreate(absl::string_view path, bool sequential);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_PATH_RULE_H_
