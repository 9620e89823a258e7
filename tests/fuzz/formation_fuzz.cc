// coord/server/formation.h: hellos and foundings of a cluster that is being formed, as frames from the network.
//
// An input is a byte (which of three members this is, the low two bits; a restored state, the next), then peer frames in pieces
// (input.h).
#include <cstdint>
#include <optional>
#include <variant>

#include "coord/base/check.h"
#include "coord/server/formation.h"
#include "coord/server/peer_frame.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::server;  // NOLINT

InitialMembers Members() {
  return {{base::NodeId(1), "a:1"}, {base::NodeId(2), "b:2"}, {base::NodeId(3), "c:3"}};
}

void Check(const Formation& formation, base::NodeId self) {
  DROVER_CHECK(!formation.Waiting().empty());
  if (!formation.failed().ok()) {
    CheckRefusal(formation.failed());
    DROVER_CHECK(!formation.formed());
  }
  if (!formation.formed()) return;
  // A founding that a node takes up names it and the members it was told of, and can be written and read.
  DROVER_CHECK(formation.formed()->Names(self, base::Incarnation(10 + self.value)));
  DROVER_CHECK(CheckFoundedWith(*formation.formed(), Members()).ok());
  const auto again = coord::raft::DecodeConfiguration(coord::raft::EncodeConfiguration(*formation.formed()).view());
  DROVER_CHECK(again.ok() && *again == *formation.formed());
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  const std::uint8_t flags = input.Byte();
  const drover::base::NodeId self(1 + (flags & 3) % 3);
  Formation formation({.id = self,
                       .incarnation = drover::base::Incarnation(10 + self.value),
                       .cluster = drover::base::ClusterId(99),
                       .started = drover::base::WallTime(1000),
                       .restored = (flags & 4) != 0},
                      Members());
  (void)formation.NextRound();
  while (!input.empty()) {
    const absl::StatusOr<PeerFrame> frame = ParsePeerFrame(drover::base::Bytes::Copy(input.Piece()));
    if (!frame.ok()) continue;
    // The node hears of the other members alone.
    if (frame->header.from == self || frame->header.from.value > 3) continue;
    for (const PeerItem& item : frame->items) {
      if (const auto* hello = std::get_if<Hello>(&item)) {
        const absl::StatusOr<std::optional<Hello>> answer = formation.OnHello(frame->header, *hello);
        if (!answer.ok()) CheckRefusal(answer.status());
      }
      if (const auto* found = std::get_if<Found>(&item)) formation.OnFound(frame->header, *found);
      Check(formation, self);
    }
  }
  return 0;
}
