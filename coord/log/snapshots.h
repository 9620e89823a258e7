// The snapshots of a data directory: which there are, and the one that is being received from another node.
//
// Threads: blocking; one thread at a time, any: an executor's.
#ifndef DROVER_COORD_LOG_SNAPSHOTS_H_
#define DROVER_COORD_LOG_SNAPSHOTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/file_system.h"
#include "coord/log/snapshot_file.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

// Ascending. Half-written ones are none.
absl::StatusOr<std::vector<raft::Index>> ListSnapshots(base::FileSystem* fs, const std::string& directory);
// Before anybody writes there: removes what crashes left half written.
absl::Status RemoveUnfinishedSnapshots(base::FileSystem* fs, const std::string& directory);
// Those below `index`.
absl::Status RemoveSnapshotsBelow(base::FileSystem* fs, const std::string& directory, raft::Index index);

// A snapshot that comes in pieces, front to back.
class IncomingSnapshot {
 public:
  // Of `bytes` in all. RESOURCE_EXHAUSTED: the disk is full; so for all calls.
  static absl::StatusOr<std::unique_ptr<IncomingSnapshot>> Begin(base::FileSystem* fs, const std::string& directory,
                                                                 raft::Index index, std::uint64_t bytes);
  IncomingSnapshot(const IncomingSnapshot&) = delete;
  IncomingSnapshot& operator=(const IncomingSnapshot&) = delete;

  // The piece that follows what has come. INVALID_ARGUMENT: beyond the end.
  absl::Status Write(absl::string_view piece);
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] bool whole() const { return received_ == bytes_; }

  // Where it lies, for a SnapshotReader to judge it.
  [[nodiscard]] const std::string& path() const { return path_; }
  // Syncs it and gives it its name.
  absl::Status Adopt();
  // Removes what has come, if it was not adopted; if that fails, the next start of the process does it.
  void Discard();

 private:
  IncomingSnapshot(base::FileSystem* fs, std::string directory, raft::Index index, std::uint64_t bytes);

  base::FileSystem* const fs_;
  const std::string directory_;
  const raft::Index index_;
  const std::string path_;
  const std::uint64_t bytes_;
  std::unique_ptr<base::File> file_;
  std::uint64_t received_ = 0;
  std::uint64_t synced_ = 0;
  bool adopted_ = false;
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_SNAPSHOTS_H_
