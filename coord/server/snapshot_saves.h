// The backups that are on their way to whoever asked for one: each a snapshot's file, sent in pieces as fast as it is taken.
//
// A save has this node take a snapshot that begins after the save was asked for, then reads its file. The file is held open, so it
// may be removed meanwhile. What is sent was checked before; one that is found to be damaged ends the save, and the node is told,
// for nobody else would tell it. Of each save at most a window of pieces is in memory, whatever the client does; one that takes
// nothing for a while is ended. Nothing here decides. Threads: the loop's; files are read on an executor.
#ifndef DROVER_COORD_SERVER_SNAPSHOT_SAVES_H_
#define DROVER_COORD_SERVER_SNAPSHOT_SAVES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/connection.h"
#include "coord/base/file_system.h"
#include "coord/base/loop.h"
#include "coord/raft/types.h"
#include "coord/server/snapshot_seams.h"

namespace drover::coord::server {

// Runs once, on the loop: there is a durable snapshot up to this entry, which holds all that was acknowledged before it was asked
// for.
using SnapshotTakenDone = absl::AnyInvocable<void(absl::StatusOr<raft::Index>)>;

class SnapshotSaves {
 public:
  struct Options {
    std::size_t saves_max = 2;  // at a time; more are refused
    std::size_t piece_bytes = 256U << 10;
    std::size_t window_bytes = 512U << 10;  // handed to the connection and not taken
    base::Duration patience = std::chrono::seconds(60);
  };

  // The snapshot up to this entry is damaged, gone, or cannot be read.
  using Bad = std::function<void(raft::Index, const absl::Status&)>;

  // `take`: has a snapshot taken; asked for once by each save. `bad` may be told the same by several.
  SnapshotSaves(SnapshotSeams seams, const Options& options, std::function<void(SnapshotTakenDone)> take, Bad bad);
  ~SnapshotSaves();
  SnapshotSaves(const SnapshotSaves&) = delete;
  SnapshotSaves& operator=(const SnapshotSaves&) = delete;

  // Takes a stream of SaveSnapshot whose request has come; null if it was refused (its status is sent).
  base::ConnectionEvents* Accept(std::unique_ptr<base::Connection> connection);
  // Ends all of them, and takes no more.
  void Stop(const absl::Status& status);
  [[nodiscard]] std::size_t active() const { return saves_.size(); }

 private:
  class Save;
  class Source;

  void OnTaken(std::uint64_t id, const absl::StatusOr<raft::Index>& index);
  void Pump(std::uint64_t id);
  void EndOfBad(std::uint64_t id, const absl::Status& why);
  void End(std::uint64_t id, const absl::Status& status);
  void Forget(std::uint64_t id);

  const SnapshotSeams seams_;
  const Options options_;
  const std::function<void(SnapshotTakenDone)> take_;
  const Bad bad_;
  std::map<std::uint64_t, std::unique_ptr<Save>> saves_;
  std::uint64_t last_id_ = 0;
  bool stopped_ = false;
  std::shared_ptr<SnapshotSaves*> self_;  // completions may outlive this
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SNAPSHOT_SAVES_H_
