// The words of the consensus core that log, tree and server speak too. Nothing but plain values.
#ifndef DROVER_COORD_RAFT_TYPES_H_
#define DROVER_COORD_RAFT_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/base/strong.h"

namespace drover::coord::raft {

// Number of a reign: at most one leader each. 0: before the first.
using Term = base::Strong<struct TermTag>;
// Place of an entry in the log: 1, 2, 3 ... without gaps. 0: before the first entry.
using Index = base::Strong<struct IndexTag>;

// What an entry carries. The numbers are part of the log's format.
enum class EntryKind : std::uint8_t {
  kNoop = 1,    // empty; the first thing a leader appends in its term
  kConfig = 2,  // payload: EncodeConfiguration (coord/raft/configuration.h)
  kData = 3,    // payload: drover.peer.v1.Batch
  kExpiry = 4,  // payload: drover.peer.v1.Batch of ExpireSessions; not held back by the bound on uncommitted bytes
};

// One of those above; a newer program may have others.
[[nodiscard]] constexpr bool IsKnown(EntryKind kind) {
  return kind >= EntryKind::kNoop && kind <= EntryKind::kExpiry;
}

// Shares its payload; copying is cheap.
struct Entry {
  Term term;
  Index index;
  EntryKind kind = EntryKind::kNoop;
  base::Bytes payload;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// Where a snapshot stands: it says all that the entries up to `index` do.
struct SnapshotPoint {
  Index index;                // of the last entry in it
  Term term;                  // of that entry
  Index configuration_index;  // of the last configuration in it
  base::Bytes configuration;  // that one, as its entry carries it

  friend bool operator==(const SnapshotPoint&, const SnapshotPoint&) = default;
};

// What must be on disk before this node speaks in `term`: written in one piece, never half.
struct HardState {
  Term term;
  base::NodeId vote;  // 0: nobody in this term

  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_TYPES_H_
