#include "coord/transport/frame_bytes.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace drover::transport {

grpc::ByteBuffer ToByteBuffer(const base::Bytes& bytes) {
  if (bytes.size() < kShareBytes) {
    const grpc::Slice slice(bytes.view().data(), bytes.size());
    return grpc::ByteBuffer(&slice, 1);
  }
  auto* const share = new base::Bytes(bytes);
  const grpc::Slice slice(
      const_cast<char*>(bytes.view().data()), bytes.size(), [](void* owner) { delete static_cast<base::Bytes*>(owner); }, share);
  return grpc::ByteBuffer(&slice, 1);
}

base::Bytes FromByteBuffer(const grpc::ByteBuffer& buffer) {
  const std::size_t size = buffer.Length();
  if (size == 0) return {};
  grpc::Slice single;
  if (size >= kShareBytes && buffer.TrySingleSlice(&single).ok()) {
    auto owner = std::make_shared<const grpc::Slice>(std::move(single));
    const absl::string_view view(reinterpret_cast<const char*>(owner->begin()), owner->size());
    return base::Bytes(std::move(owner), view);
  }
  std::vector<grpc::Slice> slices;
  std::string joined;
  joined.reserve(size);
  if (!buffer.Dump(&slices).ok()) return {};
  for (const grpc::Slice& slice : slices) joined.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return base::Bytes::Adopt(std::move(joined));
}

}  // namespace drover::transport
