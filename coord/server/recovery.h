// From a data directory to a node's beginning: identity, log, configuration.
#ifndef DROVER_COORD_SERVER_RECOVERY_H_
#define DROVER_COORD_SERVER_RECOVERY_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/log/log.h"
#include "coord/raft/raft.h"
#include "coord/server/log_writer.h"

namespace drover::coord::server {

struct Recovery {
  Disk disk;
  base::Incarnation incarnation;
  raft::Recovered raft;
};

// Opens or founds the directory of node `id`. An empty one begins a cluster of its own with a random id, of which this node,
// reached at `address`, is the one voter. Blocking. FAILED_PRECONDITION: locked, or another node's or incarnation's directory.
// UNIMPLEMENTED: the log is of a cluster with more voters. RESOURCE_EXHAUSTED: no space to begin with; free some, then once more.
// Otherwise as log::Log::Open.
absl::StatusOr<Recovery> Recover(base::FileSystem* files, base::Random* random, const std::string& directory, base::NodeId id,
                                 const std::string& address, const log::Options& options);

// Every entry of the log, in order. DATA_LOSS: what was whole at Recover is not any more.
absl::Status ReplayLog(log::Log* log, absl::FunctionRef<void(const raft::Entry&)> apply);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_RECOVERY_H_
