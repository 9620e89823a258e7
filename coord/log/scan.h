// Reads a directory's chain of segments from the first frame to the last, and judges its end. Recovery and inspection share it.
#ifndef DROVER_COORD_LOG_SCAN_H_
#define DROVER_COORD_LOG_SCAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/log/frame.h"
#include "coord/log/log_state.h"
#include "coord/log/segment.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

// Hears everything that counts, in order. An error ends the scan with it.
class ScanVisitor {
 public:
  virtual absl::Status OnSegment(const SegmentReader& segment) = 0;
  // Proven frames only: a whole last frame that nothing proves is in Tail.
  virtual absl::Status OnFrame(const Frame& frame) = 0;

 protected:
  ~ScanVisitor() = default;
};

// The end of the last segment.
struct Tail {
  // The last frame known to have been synced; the segment's header if no other is.
  FrameRef proven;
  // The frame behind it, if it is whole: synced or not, acknowledged or not.
  std::optional<Frame> unproven;
  // Or a mark behind it.
  std::optional<Frame> mark;
  // What follows is a torn write, from here on.
  std::optional<std::uint64_t> torn_at;
  // Nothing behind the header is proven.
  bool header_only = false;
};

struct Scanned {
  std::vector<SegmentHeader> chain;  // oldest first, never empty
  Tail tail;
  std::vector<std::string> stale;    // names of segments that later ones superseded, and of unfinished ones
  std::vector<std::string> spares;   // names of files that wait to become segments
  std::uint64_t highest_number = 0;  // of any segment file
};

// `cluster`: that of the caller, or empty for whichever it is. NOT_FOUND: no segment. DATA_LOSS: damaged. FAILED_PRECONDITION:
// another cluster's or newer. Changes nothing.
absl::StatusOr<Scanned> Scan(base::FileSystem* fs, const std::string& directory, std::optional<base::ClusterId> cluster,
                             ScanVisitor* visitor);

// Has anything been written? `state`: of the proven frames.
[[nodiscard]] bool HasBegun(const LogState& state, const Scanned& scanned);

// Are all entries there that the newest snapshot, up to `snapshot`, does not cover (0: there is none)? `first_index` is the log's
// first entry, the unproven frame counted. DATA_LOSS: earlier segments are missing. Recovery and inspection judge by it.
absl::Status CheckBeginning(const std::string& directory, const Scanned& scanned, raft::Index first_index, raft::Index snapshot);

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_SCAN_H_
