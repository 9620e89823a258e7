// coord/log/frame.h and segment.h: what stands inside of a frame whose checksum is right.
//
// An input is the frame's type, flags and number of entries (4 bytes), its first index (8 bytes), then its payload.
#include <cstdint>
#include <string>
#include <vector>

#include "coord/base/check.h"
#include "coord/log/frame.h"
#include "coord/log/log_state.h"
#include "coord/log/segment.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::log;  // NOLINT
namespace raft = coord::raft;

constexpr FramePlace kPlace{base::ClusterId(7), 3, 0};

Frame Sealed(std::string bytes, const FrameHeader& header) {
  const std::uint64_t checksum = SealFrame(kPlace, header, &bytes);
  const std::optional<SealedHeader> parsed = ParseHeader(kPlace, bytes);
  DROVER_CHECK(parsed && parsed->checksum == checksum && parsed->size == bytes.size());
  DROVER_CHECK(PayloadIsWhole(*parsed, absl::string_view(bytes).substr(kFrameHeaderBytes)));
  DROVER_CHECK(parsed->header.type == header.type && parsed->header.truncates == header.truncates);
  DROVER_CHECK(parsed->header.entry_count == header.entry_count && parsed->header.first_index == header.first_index);
  const std::uint64_t size = bytes.size();
  const base::Bytes all = base::Bytes::Adopt(std::move(bytes));
  return Frame{parsed->header, all.Share(all.view().substr(kFrameHeaderBytes)), {kPlace.segment, 0, checksum}, size};
}

absl::StatusOr<std::vector<raft::Entry>> Entries(const Frame& frame) {
  std::vector<raft::Entry> entries;
  const absl::Status status = ForEachEntry(frame, [&](raft::Entry entry) {
    DROVER_CHECK(Within(entry.payload.view(), frame.payload.view()));
    DROVER_CHECK(entries.empty() || entry.index > entries.back().index);
    entries.push_back(std::move(entry));
  });
  if (!status.ok()) return status;
  return entries;
}

void CheckEntries(const Frame& frame) {
  absl::StatusOr<std::vector<raft::Entry>> entries;
  {
    const AllocationBound bound(frame.size, 32);
    entries = Entries(frame);
  }
  if (!entries.ok()) {
    DROVER_CHECK(absl::IsDataLoss(entries.status()) || absl::IsUnimplemented(entries.status())) << entries.status().ToString();
    return CheckRefusal(entries.status());
  }
  DROVER_CHECK(entries->size() == frame.header.entry_count);
  std::string again = StartFrame();
  if (frame.header.type == FrameType::kRestart) {
    const absl::StatusOr<Restart> restart = DecodeRestart(frame);
    DROVER_CHECK(restart.ok());
    AppendRestart(*restart, &again);
  }
  for (const raft::Entry& entry : *entries) AppendEntry(entry, &again);
  const Frame written = Sealed(std::move(again), frame.header);
  DROVER_CHECK(written.size == frame.size);
  const absl::StatusOr<std::vector<raft::Entry>> read = Entries(written);
  DROVER_CHECK(read.ok() && *read == *entries);
}

void CheckRestart(const Frame& frame) {
  const absl::StatusOr<Restart> restart = DecodeRestart(frame);
  if (!restart.ok()) return CheckRefusal(restart.status());
  DROVER_CHECK(Within(restart->configuration.view(), frame.payload.view()));
}

void CheckSegmentHeader(const Frame& frame) {
  absl::StatusOr<SegmentHeader> header;
  {
    const AllocationBound bound(frame.size, 64);
    header = DecodeSegmentHeader(frame);
  }
  if (!header.ok()) return CheckRefusal(header.status());
  for (const auto& [index, configuration] : header->configurations) {
    DROVER_CHECK(Within(configuration.view(), frame.payload.view()));
  }
  FrameRef ref;
  std::string bytes = EncodeSegmentHeader(*header, &ref);
  const base::Bytes all = base::Bytes::Adopt(std::move(bytes));
  const std::optional<SealedHeader> sealed = ParseHeader({header->cluster, header->number, 0}, all.view());
  DROVER_CHECK(sealed && sealed->size == all.size());
  const absl::StatusOr<SegmentHeader> again =
      DecodeSegmentHeader({sealed->header, all.Share(all.view().substr(kFrameHeaderBytes)), ref, sealed->size});
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK(again->number == header->number && again->previous == header->previous && again->cluster == header->cluster);
  DROVER_CHECK(again->base_index == header->base_index && again->base_term == header->base_term);
  DROVER_CHECK(again->commit == header->commit && again->configurations == header->configurations);
  DROVER_CHECK(again->hard_state == header->hard_state);
}

// A log of that one frame behind an empty beginning.
void CheckState(const Frame& frame) {
  LogState state;
  DROVER_CHECK(state.ApplySegment({.number = 1}).ok());
  const absl::Status applied = state.ApplyFrame(frame);
  if (!applied.ok()) return CheckRefusal(applied);
  DROVER_CHECK(state.first_index() <= state.last_index().Next());
  for (const Extent& extent : state.extents()) DROVER_CHECK(extent.last() <= state.last_index());
  const SegmentHeader next = state.NextHeader(base::ClusterId(7), 2, frame.ref);
  DROVER_CHECK(state.ApplySegment(next).ok());
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  FrameHeader header;
  header.type = static_cast<FrameType>(input.Byte());
  header.truncates = (input.Byte() & 1) != 0;
  header.entry_count = static_cast<std::uint32_t>(input.Number(2));
  header.first_index = raft::Index(input.Number(8));
  header.hard_state = {raft::Term(9), drover::base::NodeId(1)};
  std::string bytes = StartFrame();
  bytes += std::string(input.Rest());
  const Frame frame = Sealed(std::move(bytes), header);
  CheckEntries(frame);
  CheckRestart(frame);
  CheckSegmentHeader(frame);
  CheckState(frame);
  return 0;
}
