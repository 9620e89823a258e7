// A backup in a file: the snapshot format of coord/log, read from end to end and made into a state.
//
// Blocking. Memory: about what the state takes in a node.
#ifndef DROVER_COORD_BACKUP_BACKUP_FILE_H_
#define DROVER_COORD_BACKUP_BACKUP_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coord/base/file_system.h"
#include "coord/base/time.h"
#include "coord/log/snapshot_file.h"
#include "coord/raft/configuration.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::backup {

struct Backup {
  std::uint32_t version = log::kSnapshotVersion;  // of the format
  log::SnapshotHead head;
  raft::Configuration members;  // of the cluster, when it was taken
  base::WallTime taken;         // by the clock of the node that took it; 0: not known (a snapshot of an earlier version)
  std::uint64_t nodes = 0;      // the root is one
  std::uint64_t sessions = 0;
  std::uint64_t ephemerals = 0;
  std::uint64_t bytes = 0;  // of the file
  std::uint64_t bytes_uncompressed = 0;
  std::uint64_t parts = 0;
  std::unique_ptr<tree::StateMachine> state;  // never null
};

// Checks every byte, and that what they say is a state: what it returns can be restored. NOT_FOUND: no such file. DATA_LOSS:
// damaged, cut, or no backup at all; FAILED_PRECONDITION: of a newer format. UNIMPLEMENTED: of a cluster at a feature level that
// this program does not know. The words say at which offset, what is wrong, and what
// to do.
[[nodiscard]] absl::StatusOr<Backup> ReadBackup(base::FileSystem* files, const std::string& path);

}  // namespace drover::coord::backup

#endif  // DROVER_COORD_BACKUP_BACKUP_FILE_H_
