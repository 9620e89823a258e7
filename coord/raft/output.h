// What Raft wants done, as one value. Node::Perform does it, in the order of the fields.
#ifndef DROVER_COORD_RAFT_OUTPUT_H_
#define DROVER_COORD_RAFT_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "coord/raft/messages.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

enum class RoleName : std::uint8_t { kFollower, kLeader };

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

struct Output {
  // To be written in one piece, hard state first, and synced; then Raft::OnDurable is told the last of the entries. Batches of
  // successive outputs may be joined into one write, never reordered.
  std::optional<HardState> hard_state;
  std::vector<Entry> entries;
  // To be sent once everything handed out to persist so far is durable.
  std::vector<Message> messages;
  // To be applied in this order. Never before they were durable.
  std::vector<Entry> committed;
  // To be served once their index is applied.
  std::vector<ReadState> reads;
  std::optional<RoleChange> role_change;

  [[nodiscard]] bool empty() const {
    return !hard_state && entries.empty() && messages.empty() && committed.empty() && reads.empty() && !role_change;
  }
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_OUTPUT_H_
