// What a log says after a prefix of its frames: hard state, which entries there are, and where they lie.
#ifndef DROVER_COORD_LOG_LOG_STATE_H_
#define DROVER_COORD_LOG_LOG_STATE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "absl/status/status.h"
#include "coord/base/bytes.h"
#include "coord/log/frame.h"
#include "coord/log/segment.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

// The entries of one frame that still count.
struct Extent {
  raft::Index first;
  std::uint64_t count = 0;
  FrameRef frame;
  std::uint64_t frame_bytes = 0;

  [[nodiscard]] raft::Index last() const { return raft::Index(first.value + count - 1); }
};

// A value; about 60 bytes a frame and 16 a term.
class LogState {
 public:
  // Before the first segment of a chain.
  LogState() = default;

  // The header of the next segment. The first one is the beginning of all; a later one must agree with what was applied before,
  // else DATA_LOSS.
  absl::Status ApplySegment(const SegmentHeader& header);
  // A whole frame, but no segment header. DATA_LOSS if it contradicts what was applied before.
  absl::Status ApplyFrame(const Frame& frame);

  // Forgets where entries lie whose frames are in segments below `segment`.
  void DropSegmentsBelow(std::uint64_t segment);
  // Entries up to here are committed; of what lies behind the last index nothing is noted. Never goes back.
  void NoteCommit(raft::Index commit);

  // From elsewhere: the term of the entry before the first, where the log itself does not know it.
  void NoteBaseTerm(raft::Index index, raft::Term term);

  // The header of a segment that begins after all of this.
  [[nodiscard]] SegmentHeader NextHeader(base::ClusterId cluster, std::uint64_t number, const FrameRef& previous) const;

  [[nodiscard]] const raft::HardState& hard_state() const { return hard_state_; }
  [[nodiscard]] raft::Index first_index() const { return extents_.empty() ? last_index_.Next() : extents_.front().first; }
  [[nodiscard]] raft::Index last_index() const { return last_index_; }
  [[nodiscard]] raft::Index commit() const { return commit_; }
  [[nodiscard]] raft::Term TermAt(raft::Index index) const;
  [[nodiscard]] const std::map<raft::Index, base::Bytes>& configurations() const { return configurations_; }
  // The one that holds `index`, or nullptr.
  [[nodiscard]] const Extent* Find(raft::Index index) const;
  [[nodiscard]] const std::deque<Extent>& extents() const { return extents_; }

 private:
  absl::Status ApplyRestart(const Frame& frame);
  void Truncate(raft::Index from);

  bool begun_ = false;
  raft::HardState hard_state_;
  raft::Index last_index_;
  raft::Index commit_;
  std::deque<Extent> extents_;               // contiguous, by index
  std::map<raft::Index, raft::Term> terms_;  // a run of entries of one term, by its first index
  std::map<raft::Index, base::Bytes> configurations_;
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_LOG_STATE_H_
