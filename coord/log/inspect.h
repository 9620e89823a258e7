// Looks at a data directory without changing it or taking its lock: for `log dump`, `log verify` and tests.
#ifndef DROVER_COORD_LOG_INSPECT_H_
#define DROVER_COORD_LOG_INSPECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/file_system.h"
#include "coord/log/data_directory.h"
#include "coord/log/frame.h"
#include "coord/log/segment.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

// Hears of everything that counts, in the order written. All methods may be left out.
class InspectVisitor {
 public:
  virtual ~InspectVisitor() = default;
  virtual void OnSegment(const std::string& /*path*/, const SegmentHeader& /*header*/) {}
  // `proven`: known to have been synced. A whole last frame may be not.
  virtual void OnFrame(const Frame& /*frame*/, bool /*proven*/) {}
  virtual void OnEntry(const raft::Entry& /*entry*/) {}
};

struct Inspection {
  std::optional<Identity> identity;
  base::ClusterId cluster;
  raft::HardState hard_state;
  raft::Index first_index;
  raft::Index last_index;
  raft::Index commit;  // known from headers and restarts
  std::uint64_t segments = 0;
  std::uint64_t frames = 0;
  std::uint64_t entries_written = 0;  // with those truncated later
  // Whole ones, ascending; and what is wrong with the others. (Recovery passes over a damaged one if an older one is whole and the
  // log leads on from that.)
  struct Snapshot {
    raft::Index index;
    std::uint64_t bytes = 0;
    std::uint64_t parts = 0;
  };
  std::vector<Snapshot> snapshots;
  std::vector<absl::Status> damaged_snapshots;  // without advice
  // For people: a torn tail, superseded segments. Not errors: recovery deals with them.
  std::vector<std::string> notes;
};

// Reads all of it, snapshots too. OK: recovery would succeed (as far as reading goes). Otherwise the error with which it would
// refuse, after the visitor has heard of all that can be read. A node may be writing to the directory: its last frame then may look
// torn. ABORTED: it has dropped segments that were about to be read, try again. NOT_FOUND: no log there.
absl::StatusOr<Inspection> Inspect(base::FileSystem* fs, const std::string& directory, InspectVisitor* visitor);

// Of the words of a refusal those that say what is wrong where, without what is to be done about it by who starts the node.
[[nodiscard]] std::string WithoutAdvice(const absl::Status& refusal);

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_INSPECT_H_
