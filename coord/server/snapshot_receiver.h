// Receives a snapshot in pieces, loads it, and hands over the state it says. One at a time.
//
// Pieces are taken in order and written one by one; the last one has the whole file read back, checked from end to end, and made
// into a state: only then it gets its name. Whatever is wrong with it, it is dropped and begun anew.
// Threads: the loop's; everything that touches the file is done on an executor.
#ifndef DROVER_COORD_SERVER_SNAPSHOT_RECEIVER_H_
#define DROVER_COORD_SERVER_SNAPSHOT_RECEIVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/peer_frame.h"
#include "coord/server/snapshot_seams.h"
#include "coord/tree/options.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::server {

class SnapshotReceiver {
 public:
  struct Options {
    std::uint64_t bytes_max = std::uint64_t{64} << 30;  // a larger one is not begun
    // One from another sender, or another one, takes the place of one of which nothing has come for so long.
    base::Duration patience = std::chrono::seconds(2);
  };
  struct Received {
    log::SnapshotHead head;
    std::unique_ptr<tree::StateMachine> state;
    std::uint64_t bytes = 0;
    base::Duration took{};
  };
  struct Events {
    std::function<void(base::NodeId, SnapshotAck)> ack;
    std::function<void(Received)> received;  // its file is durable under its name
    std::function<void(const absl::Status&)> failed;
  };

  // `known`: a snapshot of a cluster above this level fails with UNIMPLEMENTED.
  SnapshotReceiver(SnapshotSeams seams, base::ClusterId cluster, base::FeatureLevel known, const tree::Options& tree,
                   const Options& options, Events events);
  ~SnapshotReceiver();
  SnapshotReceiver(const SnapshotReceiver&) = delete;
  SnapshotReceiver& operator=(const SnapshotReceiver&) = delete;

  void OnChunk(base::NodeId from, const SnapshotChunk& chunk);
  [[nodiscard]] bool active() const { return file_ != nullptr; }

 private:
  struct Incoming;

  void Begin(base::NodeId from, const SnapshotChunk& chunk);
  void OnWritten(const std::shared_ptr<Incoming>& file);
  void Finish();
  void OnFinished(const std::shared_ptr<Incoming>& file);
  void Drop();
  void Acknowledge();

  const SnapshotSeams seams_;
  const base::ClusterId cluster_;
  const base::FeatureLevel known_;
  const tree::Options tree_;
  const Options options_;
  const Events events_;

  base::NodeId from_;
  std::shared_ptr<Incoming> file_;
  std::uint64_t taken_ = 0;  // handed to the executor
  base::Instant began_, heard_;
  std::shared_ptr<SnapshotReceiver*> self_;  // completions may outlive the receiver
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SNAPSHOT_RECEIVER_H_
