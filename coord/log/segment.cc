#include "coord/log/segment.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

constexpr absl::string_view kSegmentMagic = "DROVRLOG";
constexpr std::size_t kClusterAt = 16;
constexpr std::size_t kFixedBytes = 80;
constexpr std::uint64_t kBufferBytes = 256 << 10;

}  // namespace

std::string SegmentName(std::uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof(name), "segment-%010llu.log", static_cast<unsigned long long>(number));
  return name;
}

std::optional<std::uint64_t> ParseSegmentName(absl::string_view name) {
  std::uint64_t number = 0;
  absl::string_view digits = name;
  if (!absl::ConsumePrefix(&digits, "segment-") || !absl::ConsumeSuffix(&digits, ".log")) return std::nullopt;
  if (!absl::SimpleAtoi(digits, &number) || number == 0 || SegmentName(number) != name) return std::nullopt;
  return number;
}

std::string EncodeSegmentHeader(const SegmentHeader& header, FrameRef* ref) {
  std::string frame = StartFrame();
  frame.append(kSegmentMagic.data(), kSegmentMagic.size());
  PutU32(kFormatVersion, &frame);
  PutU32(static_cast<std::uint32_t>(header.configurations.size()), &frame);
  PutU64(header.cluster.value, &frame);
  PutU64(header.number, &frame);
  PutU64(header.previous.segment, &frame);
  PutU64(header.previous.offset, &frame);
  PutU64(header.previous.checksum, &frame);
  PutU64(header.base_index.value, &frame);
  PutU64(header.base_term.value, &frame);
  PutU64(header.commit.value, &frame);
  for (const auto& [index, configuration] : header.configurations) {
    PutU64(index.value, &frame);
    PutU64(configuration.size(), &frame);
    frame.append(configuration.view().data(), configuration.size());
    frame.resize(Padded(frame.size()), '\0');
  }
  const FramePlace place{header.cluster, header.number, 0};
  const FrameHeader sealed{.type = FrameType::kSegment, .hard_state = header.hard_state, .first_index = header.base_index.Next()};
  ref->segment = header.number;
  ref->offset = 0;
  ref->checksum = SealFrame(place, sealed, &frame);
  return frame;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(const Frame& frame) {
  const absl::string_view in = frame.payload.view();
  if (frame.header.type != FrameType::kSegment || in.size() < kFixedBytes || in.substr(0, kSegmentMagic.size()) != kSegmentMagic) {
    return absl::InvalidArgumentError("this frame is no segment header");
  }
  if (GetU32(in, 8) != kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat("log format version ", GetU32(in, 8), "; this program reads version ",
                                                      kFormatVersion, ": use the newer program"));
  }
  SegmentHeader header;
  header.cluster = base::ClusterId(GetU64(in, kClusterAt));
  header.number = GetU64(in, 24);
  header.previous = {.segment = GetU64(in, 32), .offset = GetU64(in, 40), .checksum = GetU64(in, 48)};
  header.base_index = raft::Index(GetU64(in, 56));
  header.base_term = raft::Term(GetU64(in, 64));
  header.commit = raft::Index(GetU64(in, 72));
  header.hard_state = frame.header.hard_state;
  if (header.base_index == raft::Index(UINT64_MAX)) return absl::InvalidArgumentError("no entry can come behind its last index");
  if (header.commit > header.base_index) return absl::InvalidArgumentError("more is committed than there is before it");
  if (header.base_term > header.hard_state.term) return absl::InvalidArgumentError("the entry before it is of a later term");
  absl::string_view rest = in.substr(kFixedBytes);
  for (std::uint32_t i = 0; i < GetU32(in, 12); ++i) {
    if (rest.size() < 16) return absl::InvalidArgumentError("a configuration is cut short");
    const raft::Index index(GetU64(rest, 0));
    const std::uint64_t size = GetU64(rest, 8);
    if (size > rest.size() - 16 || Padded(size) > rest.size() - 16)
      return absl::InvalidArgumentError("a configuration is cut short");
    header.configurations[index] = frame.payload.Share(rest.substr(16, size));
    rest.remove_prefix(16 + Padded(size));
  }
  return header;
}

absl::Status Damage(absl::string_view path, std::uint64_t offset, absl::string_view what, absl::string_view what_to_do) {
  return absl::DataLossError(absl::StrCat(path, " at offset ", offset, ": ", what, what_to_do.empty() ? "" : ". ", what_to_do));
}

absl::StatusOr<SegmentReader> SegmentReader::Open(base::File* file, std::string path, std::uint64_t number,
                                                  std::optional<base::ClusterId> cluster) {
  DROVER_ASSIGN_OR_RETURN(const std::uint64_t size, file->Size());
  SegmentReader reader(file, std::move(path), size);
  // The cluster is part of every checksum, so it is read first and believed once the checksum is right.
  DROVER_ASSIGN_OR_RETURN(const absl::string_view fixed, reader.View(0, kFrameHeaderBytes + kFixedBytes));
  if (fixed.size() < kFrameHeaderBytes + kFixedBytes) return Damage(reader.path_, 0, "the segment's header is cut short");
  reader.header_.cluster = base::ClusterId(GetU64(fixed, kFrameHeaderBytes + kClusterAt));
  reader.header_.number = number;
  DROVER_ASSIGN_OR_RETURN(Result result, reader.ReadFrame(0));
  if (!result.frame) {
    // Another segment under this name has a whole header of its own number.
    reader.header_.number = GetU64(fixed, kFrameHeaderBytes + kClusterAt + 8);
    DROVER_ASSIGN_OR_RETURN(result, reader.ReadFrame(0));
    if (result.frame) {
      return Damage(reader.path_, 0, absl::StrCat("this is segment ", reader.header_.number, " under another segment's name"));
    }
    return Damage(reader.path_, 0, "the segment's header is damaged");
  }
  reader.header_frame_ = *std::move(result.frame);
  absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(reader.header_frame_);
  if (absl::IsFailedPrecondition(header.status())) return base::Annotate(header.status(), reader.path_);
  if (!header.ok()) return Damage(reader.path_, 0, header.status().message());
  reader.header_ = *std::move(header);
  if (cluster && reader.header_.cluster != *cluster) {
    return absl::FailedPreconditionError(absl::StrCat(reader.path_, " belongs to cluster ", reader.header_.cluster.value,
                                                      ", this node to cluster ", cluster->value,
                                                      ": the directory holds files of two clusters; put back the right ones"));
  }
  return reader;
}

absl::StatusOr<absl::string_view> SegmentReader::View(std::uint64_t offset, std::uint64_t size) {
  size = offset >= size_ ? 0 : std::min(size, size_ - offset);
  if (size == 0) return absl::string_view();
  if (offset < buffer_offset_ || offset + size > buffer_offset_ + buffer_.size()) {
    DROVER_ASSIGN_OR_RETURN(std::string bytes, file_->ReadAt(offset, std::max(size, kBufferBytes)));
    if (bytes.size() < size) return absl::InternalError(absl::StrCat("read ", path_, ": the file became shorter"));
    buffer_ = base::Bytes::Adopt(std::move(bytes));
    buffer_offset_ = offset;
  }
  return buffer_.view().substr(offset - buffer_offset_, size);
}

absl::Status SegmentReader::Refresh() {
  DROVER_ASSIGN_OR_RETURN(size_, file_->Size());
  buffer_ = base::Bytes();
  return absl::OkStatus();
}

absl::StatusOr<SegmentReader::Result> SegmentReader::ReadFrame(std::uint64_t offset) {
  Result result;
  DROVER_ASSIGN_OR_RETURN(const absl::string_view head, View(offset, kFrameHeaderBytes));
  if (head.size() < kFrameHeaderBytes) return result;
  const std::optional<SealedHeader> sealed = ParseHeader({header_.cluster, header_.number, offset}, head);
  if (!sealed) return result;
  DROVER_ASSIGN_OR_RETURN(const absl::string_view all, View(offset, sealed->size));
  const absl::string_view payload = all.substr(kFrameHeaderBytes);
  if (all.size() < sealed->size || !PayloadIsWhole(*sealed, payload)) {
    result.broken_end = offset + sealed->size;
    return result;
  }
  result.frame = Frame{.header = sealed->header,
                       .payload = buffer_.Share(payload),
                       .ref = {.segment = header_.number, .offset = offset, .checksum = sealed->checksum},
                       .size = sealed->size};
  return result;
}

absl::StatusOr<std::optional<std::uint64_t>> SegmentReader::FindNonZero(std::uint64_t offset) {
  while (offset < size_) {
    DROVER_ASSIGN_OR_RETURN(const absl::string_view bytes, View(offset, kBufferBytes));
    const auto found = std::find_if(bytes.begin(), bytes.end(), [](char c) { return c != '\0'; });
    if (found != bytes.end()) return offset + static_cast<std::uint64_t>(found - bytes.begin());
    offset += bytes.size();
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<std::uint64_t>> SegmentReader::FindFrame(std::uint64_t offset) {
  for (offset = Padded(offset); offset + kFrameHeaderBytes <= size_; offset += 8) {
    DROVER_ASSIGN_OR_RETURN(const absl::string_view magic, View(offset, 4));
    if (GetU32(magic, 0) != kFrameMagic) continue;
    DROVER_ASSIGN_OR_RETURN(const Result result, ReadFrame(offset));
    if (result.frame) return offset;
  }
  return std::nullopt;
}

}  // namespace drover::coord::log
