#include "drover/coord/types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "coord/base/random.h"

namespace drover::coord {
namespace {

TEST(PathLessTest, ANodeComesRightBeforeEverythingBelowIt) {
  const std::vector<std::string> sorted = {"/", "/a", "/a/b", "/a/b/c", "/a/c", "/a!", "/a-b", "/a-b/c", "/a0", "/b", "/\xc3\xa9"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j)
      EXPECT_EQ(PathLess(sorted[i], sorted[j]), i < j) << sorted[i] << " " << sorted[j];
  }
}

TEST(PathLessTest, IsTheOrderOfTheComponentsForRandomPaths) {
  base::SeededRandom random(3);
  const auto make = [&random] {
    std::string path;
    for (std::uint64_t n = 1 + random.Below(3); n > 0; --n) {
      path += '/';
      for (std::uint64_t m = 1 + random.Below(3); m > 0; --m) path += "!-.0a"[random.Below(5)];
    }
    return path;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string a = make();
    const std::string b = make();
    const std::vector<std::string> a_parts = absl::StrSplit(a, '/');
    const std::vector<std::string> b_parts = absl::StrSplit(b, '/');
    ASSERT_EQ(PathLess(a, b), a_parts < b_parts) << a << " " << b;
  }
}

TEST(PathCoversTest, ANodeCoversItselfAndWhatIsBelow) {
  EXPECT_TRUE(PathCovers("/", "/a"));
  EXPECT_TRUE(PathCovers("/", "/"));
  EXPECT_TRUE(PathCovers("/a", "/a"));
  EXPECT_TRUE(PathCovers("/a", "/a/b"));
  EXPECT_FALSE(PathCovers("/a", "/ab"));
  EXPECT_FALSE(PathCovers("/a/b", "/a"));
}

}  // namespace
}  // namespace drover::coord
