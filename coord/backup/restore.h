// From a backup to the data directory of a node that founds a new cluster with its state.
//
// The new cluster has an id of its own, no sessions and no ephemerals, and zxids that the old one cannot have given out
// (coord/tree/new_cluster.h). Its members are those that are named: the one with the lowest id gets the state, founds as ever
// (Formation) when the others have answered with empty directories, and hands it to them. So the state is in one directory only,
// and two clusters cannot come of it. Blocking.
#ifndef DROVER_COORD_BACKUP_RESTORE_H_
#define DROVER_COORD_BACKUP_RESTORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "coord/backup/backup_file.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/base/random.h"
#include "coord/server/initial_cluster.h"
#include "coord/tree/new_cluster.h"

namespace drover::coord::backup {

struct Restored {
  base::ClusterId cluster;
  base::Zxid zxid;  // the last one of the state that it begins with
  tree::LeftBehind left;
};

// What a restore refuses before it reads anything. INVALID_ARGUMENT: `id` is not the lowest of `members`. FAILED_PRECONDITION:
// `directory` is not empty. What a restore has left there that was interrupted is replaced: no node can have started from it.
[[nodiscard]] absl::Status CheckRestore(base::FileSystem* files, const std::string& directory, base::NodeId id,
                                        const server::InitialMembers& members);

// Makes `directory`, with `state` as that of a new cluster; `taken`, `now`: when the backup was, and what it is by this machine's
// clock. As CheckRestore; OUT_OF_RANGE: the zxid would grow too large; RESOURCE_EXHAUSTED: the disk is full. Killed at any instant,
// or after an error, it leaves `directory` as it was, or marked, so that no node starts there until a restore has ended
// (server::MarkRestore).
[[nodiscard]] absl::StatusOr<Restored> Restore(base::FileSystem* files, base::Random* random, tree::StateMachine* state,
                                               base::WallTime taken, base::WallTime now, const std::string& directory,
                                               base::NodeId id, const server::InitialMembers& members);

}  // namespace drover::coord::backup

#endif  // DROVER_COORD_BACKUP_RESTORE_H_
