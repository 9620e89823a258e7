// How a subtree from a file gets into the tree: transactions of bounded size, each of which applies wholly or not at all.
//
// Pure: the file and what is there go in, transactions come out. Nodes that are there are changed only as long as they are as they
// were read (versions), so that what others did meanwhile is refused and never overwritten.
#ifndef DROVER_CLIENT_CLI_IMPORT_PLAN_H_
#define DROVER_CLIENT_CLI_IMPORT_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/subtree_file.h"
#include "client/cli/subtree_reading.h"
#include "drover/coord/types.h"

namespace drover::cli {

enum class ImportMode {
  kNew,      // refused if the node is there
  kMerge,    // what is there is made as in the file; what the file does not name stays
  kReplace,  // what is there is deleted first
};

struct ImportOptions {
  std::string path;  // where to
  ImportMode mode = ImportMode::kNew;
  bool parents = false;  // make those of `path`
  // Who imports has proved who he is. A node's list may not let him make its children: then the node has, until they are there, a
  // list that lets him alone. Without a proof such a list is refused.
  bool authenticated = false;
  std::size_t operations_max = 1'000;
  std::size_t bytes_max = std::size_t{3} << 20;
};

struct ImportCounts {
  std::uint64_t created = 0;
  std::uint64_t set = 0;
  std::uint64_t acls_set = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t deleted = 0;

  ImportCounts& operator+=(const ImportCounts& more);
};

struct ImportBatch {
  coord::Transaction transaction;
  ImportCounts counts;  // what it does
  std::string last;     // the last node that it changes
};

struct ImportPlan {
  std::vector<ImportBatch> batches;  // in this order
  ImportCounts counts;
};

// `present`: what is at and below the path; nothing: there is no such node. ALREADY_EXISTS, FAILED_PRECONDITION and
// INVALID_ARGUMENT name the node.
[[nodiscard]] absl::StatusOr<ImportPlan> PlanImport(const SubtreeFile& file, const ImportOptions& options,
                                                    const SubtreeReading& present);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_IMPORT_PLAN_H_
