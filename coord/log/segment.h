// Segments: the files of the log. Their headers, their names, and reading their frames.
#ifndef DROVER_COORD_LOG_SEGMENT_H_
#define DROVER_COORD_LOG_SEGMENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/log/frame.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

// The first frame of a segment: what held before it. Never rewritten.
struct SegmentHeader {
  base::ClusterId cluster;
  std::uint64_t number = 0;  // 1, 2, 3 ...
  FrameRef previous;         // the last frame that counts before this segment; what lies behind it is void
  raft::HardState hard_state;
  raft::Index base_index;  // of the last entry before this segment
  raft::Term base_term;    // its term, 0 if unknown
  raft::Index commit;      // known then
  // The last configuration committed then and all later ones, as entries.
  std::map<raft::Index, base::Bytes> configurations;
};

inline constexpr std::uint32_t kFormatVersion = 1;

// "segment-0000000001.log"
std::string SegmentName(std::uint64_t number);
// Empty if this is not a segment's name.
std::optional<std::uint64_t> ParseSegmentName(absl::string_view name);

// A whole frame, for the offset 0 of the segment.
std::string EncodeSegmentHeader(const SegmentHeader& header, FrameRef* ref);
// INVALID_ARGUMENT with a reason: the frame is whole, but no header that this version reads.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(const Frame& frame);

// What is to be done about damage in a node's directory.
inline constexpr absl::string_view kDamagedLog =
    "The log is damaged and this node must not go on with it. Keep a copy of the directory. In a cluster the others go on without "
    "this node as long as most of them run: give it an empty directory, start it with --join, and let it in again by drover "
    "cluster "
    "member readmit; no older copy may take its place. A single node is restored from a backup.";
// The words of every refusal: what is wrong where, and what to do about it (may be empty).
absl::Status Damage(absl::string_view path, std::uint64_t offset, absl::string_view what,
                    absl::string_view what_to_do = kDamagedLog);

// Reads the frames of one segment, through a buffer. `file` must outlive it.
class SegmentReader {
 public:
  // FAILED_PRECONDITION: it belongs to another cluster, or to a newer version. DATA_LOSS: the header is damaged, or another
  // segment's.
  static absl::StatusOr<SegmentReader> Open(base::File* file, std::string path, std::uint64_t number,
                                            std::optional<base::ClusterId> cluster);

  // Frames share the buffer they were read into.
  struct Result {
    std::optional<Frame> frame;
    // Without a frame: where it would end, if its header at least is whole.
    std::optional<std::uint64_t> broken_end;
  };
  absl::StatusOr<Result> ReadFrame(std::uint64_t offset);

  // The first byte at or behind `offset` that is not zero.
  absl::StatusOr<std::optional<std::uint64_t>> FindNonZero(std::uint64_t offset);
  // The first whole frame at or behind `offset`.
  absl::StatusOr<std::optional<std::uint64_t>> FindFrame(std::uint64_t offset);

  // Forgets what was buffered and how long the file was: another process may be writing to it.
  absl::Status Refresh();

  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] const Frame& header_frame() const { return header_frame_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  SegmentReader(base::File* file, std::string path, std::uint64_t size) : file_(file), path_(std::move(path)), size_(size) {}

  // `size` bytes at `offset`, fewer at the end of the file. Valid until the next call.
  absl::StatusOr<absl::string_view> View(std::uint64_t offset, std::uint64_t size);

  base::File* file_;
  std::string path_;
  std::uint64_t size_;
  SegmentHeader header_;
  Frame header_frame_;
  base::Bytes buffer_;
  std::uint64_t buffer_offset_ = 0;
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_SEGMENT_H_
