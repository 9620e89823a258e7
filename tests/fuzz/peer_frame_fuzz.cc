// coord/server/peer_frame.h: what nodes say to each other, in hellos, consensus and pieces of snapshots.
#include <cstdint>
#include <utility>
#include <variant>

#include "coord/base/check.h"
#include "coord/raft/messages.h"
#include "coord/server/peer_frame.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::server;  // NOLINT

base::Bytes Encode(const PeerFrame& frame) {
  PeerFrameBuilder builder;
  for (const PeerItem& item : frame.items) builder.Add(item);
  DROVER_CHECK(builder.count() == frame.items.size());
  return builder.Finish(frame.header);
}

void CheckWithin(const PeerFrame& frame, absl::string_view bytes) {
  for (const PeerItem& item : frame.items) {
    if (const auto* forward = std::get_if<Forward>(&item)) DROVER_CHECK(Within(forward->commands.view(), bytes));
    if (const auto* chunk = std::get_if<SnapshotChunk>(&item)) DROVER_CHECK(Within(chunk->data.view(), bytes));
    if (const auto* found = std::get_if<Found>(&item)) DROVER_CHECK(Within(found->configuration.view(), bytes));
    if (const auto* standing = std::get_if<Standing>(&item)) DROVER_CHECK(Within(standing->configuration.view(), bytes));
    const auto* const raft = std::get_if<RaftItem>(&item);
    const auto* const append = raft == nullptr ? nullptr : std::get_if<coord::raft::Append>(&raft->body);
    if (append == nullptr) continue;
    coord::raft::Index index = append->previous_index;
    for (const coord::raft::Entry& entry : append->entries) {
      DROVER_CHECK(Within(entry.payload.view(), bytes));
      DROVER_CHECK(entry.index > index && entry.index == index.Next());
      DROVER_CHECK(static_cast<int>(entry.kind) != 0);
      index = entry.index;
    }
  }
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const drover::base::Bytes bytes = drover::base::Bytes::Copy(ViewOf(data, size));
  absl::StatusOr<PeerFrame> frame;
  {
    // An entry or attachment is a byte or two at least, and some 100 bytes in memory, in a vector that grows by doubling.
    const AllocationBound bound(size, 512);
    frame = ParsePeerFrame(bytes);
  }
  if (!frame.ok()) {
    DROVER_CHECK(absl::IsInvalidArgument(frame.status())) << frame.status().ToString();
    CheckRefusal(frame.status());
    return 0;
  }
  DROVER_CHECK(frame->header.from.value != 0 && frame->header.to.value != 0);
  CheckWithin(*frame, bytes.view());
  const drover::base::Bytes once = Encode(*frame);
  const absl::StatusOr<PeerFrame> again = ParsePeerFrame(once);
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK(again->header == frame->header && again->items.size() == frame->items.size());
  DROVER_CHECK(Encode(*again) == once);
  for (PeerItem& item : frame->items) {
    if (auto* raft = std::get_if<RaftItem>(&item)) {
      const drover::coord::raft::Message message = MessageOf(frame->header, std::move(*raft));
      PeerFrameBuilder builder;
      builder.Add(message);
      DROVER_CHECK(ParsePeerFrame(builder.Finish(frame->header)).ok());
    }
  }
  return 0;
}
