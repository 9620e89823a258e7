// Takes a snapshot of the state while the node goes on: the walk in slices on the loop, compression and writing on an executor.
//
// Nothing here is needed for what is acknowledged: whatever goes wrong, the snapshot is given up, its file removed, and the log
// keeps what it has. Threads: the loop's.
#ifndef DROVER_COORD_SERVER_SNAPSHOT_TAKER_H_
#define DROVER_COORD_SERVER_SNAPSHOT_TAKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/loop.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/snapshot_seams.h"
#include "coord/tree/snapshot_walk.h"

namespace drover::coord::server {

class SnapshotTaker {
 public:
  struct Options {
    // One slice: so many nodes and sessions, or so many bytes. About 0.3 ms of the loop.
    std::size_t slice_things = 400;
    std::size_t slice_bytes = 64U << 10;
    base::Duration slice_pause = std::chrono::milliseconds(4);
    std::size_t part_bytes = 1U << 20;  // is handed to the executor
    std::size_t parts_max = 4;          // that wait there: then the walk waits, too
    log::SnapshotWriter::Options file;
  };
  struct Taken {
    raft::Index index;
    std::uint64_t bytes = 0;  // of the file
    std::uint64_t nodes = 0;
    base::Duration took{};
  };
  struct Events {
    std::function<void(const Taken&)> taken;  // it is durable
    std::function<void(const absl::Status&)> failed;
  };

  SnapshotTaker(SnapshotSeams seams, const Options& options, Events events);
  ~SnapshotTaker();
  SnapshotTaker(const SnapshotTaker&) = delete;
  SnapshotTaker& operator=(const SnapshotTaker&) = delete;

  // `machine` as it is now; it must stay until the snapshot is taken, has failed or is aborted. Not while one is under way.
  void Begin(tree::StateMachine* machine, const log::SnapshotHead& head);
  // Gives it up without a word.
  void Abort();
  [[nodiscard]] bool active() const { return run_ != nullptr; }

 private:
  struct Run;

  void Slice();
  void HandOver();
  void OnWritten(const std::shared_ptr<Run>& run);

  const SnapshotSeams seams_;
  const Options options_;
  const Events events_;

  std::unique_ptr<tree::SnapshotWalk> walk_;
  std::shared_ptr<Run> run_;
  std::size_t waiting_ = 0;  // parts that the executor has
  base::Instant began_;
  base::Timer timer_;
  std::shared_ptr<SnapshotTaker*> self_;  // completions may outlive the taker
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SNAPSHOT_TAKER_H_
