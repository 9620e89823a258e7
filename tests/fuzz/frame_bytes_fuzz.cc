// coord/transport: frames out of the buffers that they came in, however these were cut; and a peer's address out of its name.
//
// An input is pieces (input.h), which are the slices of one buffer.
#include <cstdint>
#include <string>
#include <vector>

#include "coord/base/check.h"
#include "coord/transport/frame_bytes.h"
#include "coord/transport/peer_address.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  std::vector<grpc::Slice> slices;
  std::string whole;
  for (Input input(data, size); !input.empty();) {
    const absl::string_view piece = input.Piece();
    slices.emplace_back(piece.data(), piece.size());
    whole.append(piece.data(), piece.size());
  }
  const drover::base::Bytes frame = drover::transport::FromByteBuffer(grpc::ByteBuffer(slices.data(), slices.size()));
  DROVER_CHECK(frame.view() == whole);
  DROVER_CHECK(drover::transport::FromByteBuffer(drover::transport::ToByteBuffer(frame)) == frame);
  const std::string address = drover::transport::PeerAddress(whole);
  DROVER_CHECK(address.empty() || address.size() == 4 || address.size() == 16);
  return 0;
}
