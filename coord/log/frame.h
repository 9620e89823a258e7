// Frames: what segments are made of. A frame is one batch, one checksum, one write (FORMAT.md).
#ifndef DROVER_COORD_LOG_FRAME_H_
#define DROVER_COORD_LOG_FRAME_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

// Numbers of the format.
enum class FrameType : std::uint8_t {
  kSegment = 1,  // the first frame of a segment: its header
  kBatch = 2,    // hard state, truncation, entries
  kProof = 3,    // nothing: a mark that the frame before it was synced
  kRestart = 4,  // an installed snapshot takes the place of all that came before; and entries that follow it
};

// Where a frame lies. Part of its checksum, so that a frame read from anywhere else is not taken for one.
struct FramePlace {
  base::ClusterId cluster;
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
};

// Names a frame that exists.
struct FrameRef {
  std::uint64_t segment = 0;  // 0: none
  std::uint64_t offset = 0;
  std::uint64_t checksum = 0;

  friend bool operator==(const FrameRef&, const FrameRef&) = default;
};

struct FrameHeader {
  FrameType type = FrameType::kBatch;
  bool truncates = false;      // entries from first_index on are void
  raft::HardState hard_state;  // holds from this frame on
  raft::Index first_index;     // of the first entry, or of the next one if there is none here
  std::uint32_t entry_count = 0;
  std::uint32_t payload_bytes = 0;
};

// What a kRestart frame begins with: the end of a snapshot.
using Restart = raft::SnapshotPoint;

struct Frame {
  FrameHeader header;
  base::Bytes payload;
  FrameRef ref;
  std::uint64_t size = 0;  // header, payload and padding

  [[nodiscard]] std::uint64_t end() const { return ref.offset + size; }
};

inline constexpr std::uint64_t kFrameHeaderBytes = 56;
inline constexpr std::uint64_t kEntryHeaderBytes = 16;
inline constexpr std::uint64_t kRestartHeaderBytes = 24;
inline constexpr std::uint64_t kPayloadBytesMax = std::uint64_t{1} << 31;
inline constexpr std::uint32_t kFrameMagic = 0x52465244;  // "DRFR"

// Frames and the parts of a payload start at multiples of 8.
inline constexpr std::uint64_t Padded(std::uint64_t bytes) {
  return (bytes + 7) & ~std::uint64_t{7};
}

// Writing: StartFrame, then the payload (a Restart where the type says so, then entries), then SealFrame for the place where it
// will lie. It may be sealed again for another place.
std::string StartFrame();
void AppendRestart(const Restart& restart, std::string* frame);
void AppendEntry(const raft::Entry& entry, std::string* frame);
// Fills in the header (payload_bytes is taken from the frame, not from `header`) and pads. Returns the frame's checksum.
std::uint64_t SealFrame(const FramePlace& place, const FrameHeader& header, std::string* frame);

// Reading. `bytes` holds at least kFrameHeaderBytes. Empty if this is no frame header of this place.
struct SealedHeader {
  FrameHeader header;
  std::uint64_t payload_checksum = 0;
  std::uint64_t checksum = 0;
  std::uint64_t size = 0;  // of the whole frame
};
std::optional<SealedHeader> ParseHeader(const FramePlace& place, absl::string_view bytes);
// `payload` with its padding.
[[nodiscard]] bool PayloadIsWhole(const SealedHeader& header, absl::string_view payload);

// Of a kRestart frame; the configuration shares the frame's payload. DATA_LOSS as below.
absl::StatusOr<Restart> DecodeRestart(const Frame& frame);
// Calls `visit` for each entry; the payloads share the frame's. DATA_LOSS if the payload, although its checksum is right, is not
// made of header.entry_count entries: a bug, not damage. UNIMPLEMENTED: an entry of a kind that only newer programs know.
absl::Status ForEachEntry(const Frame& frame, const std::function<void(raft::Entry)>& visit);

// Little-endian numbers, for the headers of this folder.
void PutU32(std::uint32_t value, std::string* out);
void PutU64(std::uint64_t value, std::string* out);
std::uint32_t GetU32(absl::string_view in, std::size_t at);
std::uint64_t GetU64(absl::string_view in, std::size_t at);

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_FRAME_H_
