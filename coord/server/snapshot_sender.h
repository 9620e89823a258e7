// Sends snapshots to members whose next entry this leader's log no longer has: a file each, in pieces, as fast as they are taken.
//
// Pieces may be lost with their link: what is not acknowledged for a while is sent again from where the receiver is, so a broken
// link costs no more than what was under way. Nothing here decides: a receiver judges what it gets.
// Threads: the loop's; files are read on an executor.
#ifndef DROVER_COORD_SERVER_SNAPSHOT_SENDER_H_
#define DROVER_COORD_SERVER_SNAPSHOT_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "coord/raft/types.h"
#include "coord/server/peer_frame.h"
#include "coord/server/snapshot_seams.h"

namespace drover::coord::server {

class SnapshotSender {
 public:
  struct Options {
    std::size_t chunk_bytes = 256U << 10;
    std::size_t window_bytes = 1U << 20;                    // sent and not acknowledged
    base::Duration retry = std::chrono::milliseconds(500);  // without an acknowledgement: once more from where it stands
    base::Duration patience = std::chrono::seconds(10);     // then it is begun anew, with the newest snapshot
  };

  struct Events {
    std::function<void(base::NodeId, SnapshotChunk)> send;
    // It cannot be read, or whoever got all of it found it damaged: it is not sent again.
    std::function<void(raft::Index)> bad;
  };

  SnapshotSender(SnapshotSeams seams, const Options& options, Events events);
  ~SnapshotSender();
  SnapshotSender(const SnapshotSender&) = delete;
  SnapshotSender& operator=(const SnapshotSender&) = delete;

  // Now and then: the members that need one, and the newest there is (0: none; not one that was bad). What is under way to others ends.
  void Tick(const std::set<base::NodeId>& needy, raft::Index newest);
  void OnAck(base::NodeId from, const SnapshotAck& ack);

  // The oldest that is under way, or that has arrived and its receiver goes on behind it: its file and the entries behind it are
  // still needed.
  [[nodiscard]] std::optional<raft::Index> oldest() const;
  [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }  // in all

 private:
  // The executor's.
  struct Source {
    std::string path;
    std::unique_ptr<base::File> file;
  };
  struct Transfer {
    raft::Index index;
    std::shared_ptr<Source> source;
    std::uint64_t id = 0;  // 0: the file is not open yet
    std::uint64_t size = 0;
    std::uint64_t acked = 0;
    std::uint64_t sent = 0;
    std::uint64_t turn = 0;  // a read of an earlier turn is void: it begins where no piece is wanted any more
    bool reading = false;
    base::Instant progressed;
  };

  void Begin(base::NodeId to, raft::Index index);
  void Pump(base::NodeId to, Transfer* transfer);
  void GiveUp(raft::Index index);
  // Null: it has ended, or another one was begun.
  Transfer* Find(base::NodeId to, const std::shared_ptr<Source>& source);

  const SnapshotSeams seams_;
  const Options options_;
  const Events events_;
  raft::Index bad_;  // the newest that was found to be
  std::map<base::NodeId, Transfer> transfers_;
  std::uint64_t sent_bytes_ = 0;
  std::shared_ptr<SnapshotSender*> self_;  // completions may outlive the sender
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SNAPSHOT_SENDER_H_
