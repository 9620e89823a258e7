// The data of a node: bytes in one allocation of just their size, behind their length; none for no bytes.
//
// Eight bytes where it is held, against a string's 32, and nothing is kept in reserve: what a node's data takes matters a million
// times over, what growing it takes does not. Owns its bytes. Threads: one.
#ifndef DROVER_COORD_TREE_BLOB_H_
#define DROVER_COORD_TREE_BLOB_H_

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>

#include "absl/strings/string_view.h"
#include "coord/base/check.h"

namespace drover::coord::tree {

class Blob {
 public:
  Blob() = default;
  explicit Blob(absl::string_view bytes) {
    if (bytes.empty()) return;
    DROVER_CHECK(bytes.size() <= std::numeric_limits<Size>::max());
    const auto size = static_cast<Size>(bytes.size());
    block_.reset(new char[sizeof size + bytes.size()]);
    std::memcpy(block_.get(), &size, sizeof size);
    std::memcpy(block_.get() + sizeof size, bytes.data(), bytes.size());
  }

  [[nodiscard]] absl::string_view view() const {
    if (block_ == nullptr) return {};
    Size size = 0;
    std::memcpy(&size, block_.get(), sizeof size);
    return {block_.get() + sizeof size, size};
  }

 private:
  using Size = std::uint32_t;

  std::unique_ptr<char[]> block_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_BLOB_H_
