// What the makers, senders and receivers of snapshots stand on.
#ifndef DROVER_COORD_SERVER_SNAPSHOT_SEAMS_H_
#define DROVER_COORD_SERVER_SNAPSHOT_SEAMS_H_

#include <string>

#include "coord/base/file_system.h"
#include "coord/base/loop.h"

namespace drover::coord::server {

// All of it outlives whoever is given it, and the executor's work, too.
struct SnapshotSeams {
  base::Loop* loop = nullptr;
  base::Executor* executor = nullptr;  // the one for snapshots: what touches the files runs there, one after another
  base::FileSystem* files = nullptr;
  std::string directory;  // the node's data directory
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SNAPSHOT_SEAMS_H_
