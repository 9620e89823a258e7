// coord/server/snapshot_receiver.h: pieces of a snapshot's file from another node, in any order.
//
// An input is what each piece says and holds: flags (1 byte: the low bit for a right checksum, the next for an id of its own, the
// next two for who sends it), then the file's size and the piece's offset (4 bytes each), then a piece (input.h). The first piece's
// `size` is that of the file; what is put together and whole is the state it says.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "coord/base/check.h"
#include "coord/base/checksum.h"
#include "coord/server/snapshot_receiver.h"
#include "coord/tree/invariants.h"
#include "tests/fuzz/input.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_world.h"

namespace drover::fuzz {
namespace {

using namespace coord::server;  // NOLINT

constexpr std::uint64_t kFileBytesMax = 1U << 20;

class Receiving {
 public:
  Receiving()
      : world_(1),
        files_(1),
        loop_(&world_),
        executor_(&loop_),
        receiver_({&loop_, &executor_, &files_, "data"}, base::ClusterId(7), base::kNewestFeatureLevel, {},
                  {.bytes_max = kFileBytesMax, .patience = std::chrono::milliseconds(3)}, MakeEvents()) {
    DROVER_CHECK(files_.MakeDirectory("data").ok());
  }

  void Take(Input* input) {
    const std::uint8_t flags = input->Byte();
    SnapshotChunk chunk;
    chunk.id = (flags & 2) != 0 ? 2 : 1;
    chunk.index = coord::raft::Index((flags & 16) != 0 ? 0 : 5);
    chunk.size = input->Number(4);
    chunk.offset = (flags & 32) != 0 ? received_ : input->Number(4);
    chunk.data = base::Bytes::Copy(input->Piece());
    chunk.checksum = base::Checksum(chunk.data.view()) ^ (~flags & 1);
    receiver_.OnChunk(base::NodeId(1 + (flags >> 2 & 3)), chunk);
    world_.RunFor(std::chrono::milliseconds(flags >> 6));
    DROVER_CHECK(files_.bytes() <= 2 * kFileBytesMax);
  }

  ~Receiving() { world_.RunFor(std::chrono::seconds(1)); }

 private:
  SnapshotReceiver::Events MakeEvents() {
    SnapshotReceiver::Events events;
    events.ack = [this](base::NodeId to, const SnapshotAck& ack) {
      DROVER_CHECK(to.value != 0 && ack.received <= kFileBytesMax);
      received_ = ack.received;
    };
    events.received = [](SnapshotReceiver::Received got) {
      DROVER_CHECK(got.state != nullptr && coord::tree::CheckInvariants(*got.state).ok());
    };
    events.failed = [](const absl::Status& status) { CheckRefusal(status); };
    return events;
  }

  std::uint64_t received_ = 0;
  sim::SimWorld world_;
  sim::SimFileSystem files_;
  sim::SimLoop loop_;
  sim::SimExecutor executor_;
  SnapshotReceiver receiver_;
};

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Receiving receiving;
  for (Input input(data, size); !input.empty();) receiving.Take(&input);
  return 0;
}
