#include "coord/base/checksum.h"

#include <string>

#include "gtest/gtest.h"

namespace drover::base {
namespace {

// XXH3_64bits of "" and "abc" as `xxhsum -H3` prints them: the number is part of every on-disk format.
TEST(Checksum, IsXxh3WithSeedZero) {
  EXPECT_EQ(Checksum(""), 0x2d06800538d394c2u);
  EXPECT_EQ(Checksum("abc"), 0x78af5f94892f3950u);
}

TEST(Checksum, OfPartsIsThatOfTheWhole) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  for (const std::size_t cut : {0, 1, 16, 240, 241, 999, 1000}) {
    EXPECT_EQ(Checksum({absl::string_view(text).substr(0, cut), absl::string_view(text).substr(cut)}), Checksum(text)) << cut;
  }
  EXPECT_EQ(Checksum({"", "a", "", "bc"}), Checksum("abc"));
}

TEST(Checksum, SeesEverySingleFlippedBit) {
  const std::string text(300, 'x');
  const std::uint64_t whole = Checksum(text);
  for (std::size_t byte = 0; byte < text.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      ASSERT_NE(Checksum(damaged), whole) << byte << "." << bit;
    }
  }
}

}  // namespace
}  // namespace drover::base
