// What Raft wants done, as one value. Node::Perform does it, in the order of the fields.
#ifndef DROVER_COORD_RAFT_OUTPUT_H_
#define DROVER_COORD_RAFT_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "coord/raft/messages.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

enum class RoleName : std::uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

struct RoleChange {
  RoleName role = RoleName::kFollower;
  Term term;
  base::NodeId leader;  // 0: not known

  friend bool operator==(const RoleChange&, const RoleChange&) = default;
};

// A read asked for with `context` may be served from any state that has applied `index`.
struct ReadState {
  std::uint64_t context = 0;
  Index index;

  friend bool operator==(const ReadState&, const ReadState&) = default;
};

// To be made durable in one piece. Writes of successive outputs may be joined into one, never reordered.
struct Write {
  std::uint64_t sequence = 0;  // grows by one from write to write; Raft::OnPersisted is told the highest that is durable
  std::optional<HardState> hard_state;
  // A snapshot was installed: all that the log on disk holds is void, and it goes on behind the snapshot's end.
  std::optional<SnapshotPoint> restart;
  std::optional<Index> truncate_from;  // entries from here on are void (a conflict's); the log on disk holds this index
  std::vector<Entry> entries;          // contiguous; follow what is left
};

// Entries for a slow follower that are no longer in memory: read them from the log and hand them to Raft::OnLogRead. At most one is
// asked for per peer at a time.
struct LogRead {
  base::NodeId peer;
  Index first;
  std::size_t bytes = 0;  // of payloads; one entry at least
};

struct Output {
  // Messages need not wait for the write that stands beside them: those that promise something are held back by the machine until
  // OnPersisted (votes, acknowledgements), the others promise nothing.
  std::optional<Write> write;
  std::vector<Message> messages;
  std::vector<LogRead> log_reads;
  // The snapshot that Raft::Install was given takes the place of what was applied so far; `committed` follows it.
  std::optional<SnapshotPoint> installed;
  // To be applied in this order. They are durable on a quorum, perhaps not on this node yet.
  std::vector<Entry> committed;
  // To be served once their index is applied.
  std::vector<ReadState> reads;
  std::optional<RoleChange> role_change;

  [[nodiscard]] bool empty() const {
    return !write && messages.empty() && log_reads.empty() && !installed && committed.empty() && reads.empty() && !role_change;
  }
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_OUTPUT_H_
