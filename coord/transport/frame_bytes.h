// Frames between base::Bytes and gRPC's buffers. For this folder's .cc files only.
#ifndef DROVER_COORD_TRANSPORT_FRAME_BYTES_H_
#define DROVER_COORD_TRANSPORT_FRAME_BYTES_H_

#include "coord/base/bytes.h"
#include "grpcpp/support/byte_buffer.h"

namespace drover::transport {

// Frames from this size on are shared, not copied. Below it a copy is cheaper than a share, and keeps a small frame that lives long
// from holding the whole buffer that it was read into.
inline constexpr std::size_t kShareBytes = 2048;

grpc::ByteBuffer ToByteBuffer(const base::Bytes& bytes);
base::Bytes FromByteBuffer(const grpc::ByteBuffer& buffer);

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_FRAME_BYTES_H_
