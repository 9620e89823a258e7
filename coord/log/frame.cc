#include "coord/log/frame.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/checksum.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

constexpr std::uint8_t kTruncates = 1;
constexpr std::size_t kPayloadChecksumAt = 40;
constexpr std::size_t kChecksumAt = 48;
static_assert(kChecksumAt + 8 == kFrameHeaderBytes);
static_assert(kFrameHeaderBytes % 8 == 0 && kEntryHeaderBytes % 8 == 0 && kRestartHeaderBytes % 8 == 0);

void PutAt(std::uint64_t value, std::size_t bytes, std::size_t at, std::string* out) {
  for (std::size_t i = 0; i < bytes; ++i) (*out)[at + i] = static_cast<char>(value >> (8 * i));
}

// Of the place and of all of the header but the checksum itself; the payload is in it by its own checksum.
std::uint64_t HeaderChecksum(const FramePlace& place, absl::string_view header) {
  std::string where;
  PutU64(place.cluster.value, &where);
  PutU64(place.segment, &where);
  PutU64(place.offset, &where);
  return base::Checksum({where, header.substr(0, kChecksumAt)});
}

absl::Status Malformed(const Frame& frame) {
  return absl::DataLossError(absl::StrCat("segment ", frame.ref.segment, " at offset ", frame.ref.offset,
                                          ": a frame with the right checksum is not well-formed inside"));
}

}  // namespace

void PutU32(std::uint32_t value, std::string* out) {
  for (int i = 0; i < 4; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void PutU64(std::uint64_t value, std::string* out) {
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

std::uint32_t GetU32(absl::string_view in, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(in[at + i])) << (8 * i);
  return value;
}

std::uint64_t GetU64(absl::string_view in, std::size_t at) {
  return GetU32(in, at) | static_cast<std::uint64_t>(GetU32(in, at + 4)) << 32;
}

std::string StartFrame() {
  return std::string(kFrameHeaderBytes, '\0');
}

void AppendRestart(const Restart& restart, std::string* frame) {
  PutU64(restart.term.value, frame);
  PutU64(restart.configuration_index.value, frame);
  PutU64(restart.configuration.size(), frame);
  frame->append(restart.configuration.view().data(), restart.configuration.size());
  frame->resize(Padded(frame->size()), '\0');
}

void AppendEntry(const raft::Entry& entry, std::string* frame) {
  PutU64(entry.term.value, frame);
  PutU32(static_cast<std::uint32_t>(entry.payload.size()), frame);
  PutU32(static_cast<std::uint32_t>(entry.kind), frame);
  frame->append(entry.payload.view().data(), entry.payload.size());
  frame->resize(Padded(frame->size()), '\0');
}

std::uint64_t SealFrame(const FramePlace& place, const FrameHeader& header, std::string* frame) {
  frame->resize(Padded(frame->size()), '\0');
  const std::uint64_t payload_bytes = frame->size() - kFrameHeaderBytes;
  DROVER_CHECK(payload_bytes <= kPayloadBytesMax) << payload_bytes << " bytes in one frame";
  PutAt(kFrameMagic, 4, 0, frame);
  PutAt(static_cast<std::uint8_t>(header.type), 1, 4, frame);
  PutAt(header.truncates ? kTruncates : 0, 1, 5, frame);
  PutAt(0, 2, 6, frame);
  PutAt(payload_bytes, 4, 8, frame);
  PutAt(header.entry_count, 4, 12, frame);
  PutAt(header.hard_state.term.value, 8, 16, frame);
  PutAt(header.hard_state.vote.value, 8, 24, frame);
  PutAt(header.first_index.value, 8, 32, frame);
  PutAt(base::Checksum(absl::string_view(*frame).substr(kFrameHeaderBytes)), 8, kPayloadChecksumAt, frame);
  const std::uint64_t checksum = HeaderChecksum(place, *frame);
  PutAt(checksum, 8, kChecksumAt, frame);
  return checksum;
}

std::optional<SealedHeader> ParseHeader(const FramePlace& place, absl::string_view bytes) {
  if (GetU32(bytes, 0) != kFrameMagic) return std::nullopt;
  SealedHeader sealed;
  sealed.checksum = GetU64(bytes, kChecksumAt);
  if (sealed.checksum != HeaderChecksum(place, bytes)) return std::nullopt;
  sealed.payload_checksum = GetU64(bytes, kPayloadChecksumAt);
  FrameHeader& header = sealed.header;
  header.type = static_cast<FrameType>(bytes[4]);
  header.truncates = (bytes[5] & kTruncates) != 0;
  header.payload_bytes = GetU32(bytes, 8);
  header.entry_count = GetU32(bytes, 12);
  header.hard_state.term = raft::Term(GetU64(bytes, 16));
  header.hard_state.vote = base::NodeId(GetU64(bytes, 24));
  header.first_index = raft::Index(GetU64(bytes, 32));
  sealed.size = kFrameHeaderBytes + Padded(header.payload_bytes);
  return sealed;
}

bool PayloadIsWhole(const SealedHeader& header, absl::string_view payload) {
  return payload.size() == header.size - kFrameHeaderBytes && base::Checksum(payload) == header.payload_checksum;
}

absl::StatusOr<Restart> DecodeRestart(const Frame& frame) {
  const absl::string_view in = frame.payload.view();
  if (in.size() < kRestartHeaderBytes) return Malformed(frame);
  const std::uint64_t size = GetU64(in, 16);
  const std::uint64_t room = in.size() - kRestartHeaderBytes;
  if (size > room || Padded(size) > room || frame.header.first_index.value == 0) return Malformed(frame);
  return Restart{frame.header.first_index.Previous(), raft::Term(GetU64(in, 0)), raft::Index(GetU64(in, 8)),
                 frame.payload.Share(in.substr(kRestartHeaderBytes, size))};
}

absl::Status ForEachEntry(const Frame& frame, const std::function<void(raft::Entry)>& visit) {
  absl::string_view rest = frame.payload.view();
  if (frame.header.type == FrameType::kRestart) {
    DROVER_ASSIGN_OR_RETURN(const Restart restart, DecodeRestart(frame));
    rest.remove_prefix(kRestartHeaderBytes + Padded(restart.configuration.size()));
  }
  raft::Index index = frame.header.first_index;
  if (frame.header.entry_count > std::numeric_limits<std::uint64_t>::max() - index.value) return Malformed(frame);
  for (std::uint32_t i = 0; i < frame.header.entry_count; ++i, index = index.Next()) {
    if (rest.size() < kEntryHeaderBytes) return Malformed(frame);
    const std::uint64_t size = GetU32(rest, 8);
    const std::uint32_t kind = GetU32(rest, 12);
    if (rest.size() - kEntryHeaderBytes < Padded(size)) return Malformed(frame);
    if (kind == 0 || kind > UINT8_MAX) return Malformed(frame);
    if (!raft::IsKnown(static_cast<raft::EntryKind>(kind))) {
      return absl::UnimplementedError(absl::StrCat("entry ", index.value, " in the log is of kind ", kind,
                                                   ", which this program does not know: start a newer drover-coord; nothing was "
                                                   "changed"));
    }
    visit(raft::Entry{raft::Term(GetU64(rest, 0)), index, static_cast<raft::EntryKind>(kind),
                      frame.payload.Share(rest.substr(kEntryHeaderBytes, size))});
    rest.remove_prefix(kEntryHeaderBytes + Padded(size));
  }
  if (!rest.empty()) return Malformed(frame);
  return absl::OkStatus();
}

}  // namespace drover::coord::log
