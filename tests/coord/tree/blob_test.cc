#include "coord/tree/blob.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace drover::coord::tree {
namespace {

TEST(BlobTest, ABlobOfNothingIsEmpty) {
  EXPECT_EQ(Blob().view(), "");
  EXPECT_EQ(Blob("").view(), "");
}

TEST(BlobTest, BytesAreKeptWhateverTheyAre) {
  for (const std::size_t size : {1, 3, 4, 100, 4096, 1 << 20}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7);
    const Blob blob{absl::string_view(bytes)};
    EXPECT_EQ(blob.view(), bytes) << size;
  }
}

TEST(BlobTest, BytesMoveWithoutBeingCopied) {
  Blob from("data");
  const char* const at = from.view().data();
  const Blob to = std::move(from);
  EXPECT_EQ(to.view(), "data");
  EXPECT_EQ(to.view().data(), at);
}

}  // namespace
}  // namespace drover::coord::tree
