// After a permanent loss of the majority: what one node has becomes a new cluster of this node alone.
//
// By itself a node that is left may not go on, for it cannot know what the others have acknowledged or decided. Whoever forces it
// takes that upon himself: what this node had not received is lost, and what it had received and knew not to be committed is kept,
// though the cluster may have decided otherwise. So the result is another cluster, as after a restore, and the directory as it was
// is kept beside it. Blocking.
#ifndef DROVER_COORD_BACKUP_FORCE_SINGLE_H_
#define DROVER_COORD_BACKUP_FORCE_SINGLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "coord/backup/restore.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/base/time.h"
#include "coord/raft/types.h"
#include "coord/server/initial_cluster.h"

namespace drover::coord::backup {

struct ForceOptions {
  std::string directory;
  std::string address;  // of the new cluster's one member; empty: what it had in the old one
  std::string suffix;   // the old directory is kept as `directory` + this; nothing of that name is there
  base::WallTime now;   // by this machine's clock
};

struct Forced {
  Restored restored;
  base::NodeId node;
  base::ClusterId old_cluster;
  server::InitialMembers old_members;
  bool was_member = true;  // this directory's node, by what its log says last
  std::string address;
  std::string kept_as;  // where the old directory is now
  // The state is that of the snapshot (0: none) and of all entries behind it that this node's log holds whole.
  raft::Index snapshot;
  raft::Index last;
  raft::Index committed;  // known here to be; what lies behind may or may not have been decided so
  std::uint64_t nodes = 0;
};

// The node must not run. FAILED_PRECONDITION: it does, or there is no node's directory (any more: an earlier attempt died between
// its two renames), or by its own log it was no member any more and no address was given. DATA_LOSS: snapshot and log are damaged,
// so that they say no state; the words say where, and which whole snapshot is left. OUT_OF_RANGE, RESOURCE_EXHAUSTED: as Restore.
// After an error the directory is in its place, or the words say where it is. (As at any start, the log may have got a further
// segment.)
[[nodiscard]] absl::StatusOr<Forced> ForceSingle(base::FileSystem* files, base::Random* random, const ForceOptions& options);

}  // namespace drover::coord::backup

#endif  // DROVER_COORD_BACKUP_FORCE_SINGLE_H_
