#include "coord/tree/path.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drover::coord::tree {
namespace {

TEST(Path, IsWhatZooKeeperTakes) {
  for (const char* path : {"/", "/a", "/a/b", "/a.b", "/...", "/.a", "/a..", "/a b", "/\xc3\xa4", "/\xe2\x82\xac"}) {
    EXPECT_TRUE(IsPath(path)) << path;
  }
}

TEST(Path, IsNotWhatZooKeeperRefuses) {
  const std::vector<std::string> refused = {
      "",
      "a",
      "a/b",
      "//",
      "/a/",
      "//a",
      "/a//b",
      "/.",
      "/..",
      "/a/.",
      "/a/..",
      "/./a",
      "/../a",
      "/a/./b",
      "/a/../b",
      std::string("/a\0b", 4),
      "/a\x01",
      "/a\x1f",
      "/a\x7f",
      "/a\n",
      "/a\xc2\x80",          // U+0080
      "/a\xc2\x9f",          // U+009F
      "/a\xee\x80\x80",      // U+E000
      "/a\xef\xa3\xbf",      // U+F8FF
      "/a\xef\xbf\xb0",      // U+FFF0
      "/a\xef\xbf\xbf",      // U+FFFF
      "/a\xf0\x9f\x98\x80",  // U+1F600: two surrogates to ZooKeeper
      "/a\xff",              // and what is no UTF-8
      "/a\xc3",
      "/a\xc0\xaf",
      "/a\xed\xa0\x80",
  };
  for (const std::string& path : refused) EXPECT_FALSE(IsPath(path)) << path;
}

TEST(Path, EachFaultIsNamed) {
  const std::pair<std::string, std::string> table[] = {
      {"", "a path begins with \"/\""},
      {"a/b", "a path begins with \"/\""},
      {"/a//b", "a path has no empty names: no \"//\", and no \"/\" at its end"},
      {"/a/", "a path has no empty names: no \"//\", and no \"/\" at its end"},
      {"/a/../b", "\".\" and \"..\" are no names in a path"},
      {"/a\n", "a path has no control characters"},
      {"/a\xff", "a path is UTF-8"},
      {"/a\xf0\x9f\x98\x80", "a path has no characters of U+0080-009F, U+D800-F8FF, or U+FFF0 and above"},
  };
  for (const auto& [path, fault] : table) EXPECT_EQ(PathFault(path), fault);
  EXPECT_EQ(PathFault("/a"), nullptr);
  EXPECT_EQ(SequentialPathFault("/a/"), nullptr);
  EXPECT_STREQ(SequentialPathFault("a"), "a path begins with \"/\"");
}

TEST(Path, NeighboursOfTheRefusedRangesAreTaken) {
  for (const char* path : {"/ ", "/~", "/\xc2\xa0", "/\xed\x9f\xbf", "/\xef\xa4\x80", "/\xef\xbf\xaf"})
    EXPECT_TRUE(IsPath(path)) << path;
}

TEST(Path, SequentialCreateMayAskForAnOpenLastComponent) {
  for (const char* path : {"/", "/a/", "/a", "/a/.", "/a/..", "/a/b-"}) EXPECT_TRUE(IsSequentialPath(path)) << path;
  for (const char* path : {"", "a", "//", "/a//", "/./a", "/../", "/a\x01"}) EXPECT_FALSE(IsSequentialPath(path)) << path;
}

TEST(Path, ParentAndName) {
  EXPECT_EQ(ParentOf("/a"), "/");
  EXPECT_EQ(ParentOf("/a/b"), "/a");
  EXPECT_EQ(ParentOf("/a/b/"), "/a/b");
  EXPECT_EQ(NameOf("/a"), "a");
  EXPECT_EQ(NameOf("/a/bc"), "bc");
  EXPECT_EQ(NameOf("/a/"), "");
}

TEST(Path, BelowIsByComponentsNotByBytes) {
  EXPECT_TRUE(IsAtOrBelow("/a", "/"));
  EXPECT_TRUE(IsAtOrBelow("/", "/"));
  EXPECT_TRUE(IsAtOrBelow("/a/b", "/a"));
  EXPECT_TRUE(IsAtOrBelow("/a", "/a"));
  EXPECT_FALSE(IsAtOrBelow("/ab", "/a"));
  EXPECT_FALSE(IsAtOrBelow("/", "/a"));
  EXPECT_FALSE(IsAtOrBelow("/b", "/a"));
}

TEST(Path, OrderIsByComponents) {
  // '-' and ' ' sort before '/', so by plain bytes "/a-" would come between "/a" and "/a/b".
  const std::vector<std::string> sorted = {"/", "/a", "/a/b", "/a/b/c", "/a/c", "/a ", "/a-", "/a-/x", "/aa", "/b", "/\xc3\xa4"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      const int order = ComparePaths(sorted[i], sorted[j]);
      EXPECT_EQ(order < 0, i < j) << sorted[i] << " " << sorted[j];
      EXPECT_EQ(order == 0, i == j) << sorted[i] << " " << sorted[j];
    }
  }
}

TEST(Path, ComponentsComeOneByOne) {
  absl::string_view rest = "a/bc/d";
  absl::string_view name;
  ASSERT_TRUE(NextComponent(&rest, &name));
  EXPECT_EQ(name, "a");
  ASSERT_TRUE(NextComponent(&rest, &name));
  EXPECT_EQ(name, "bc");
  ASSERT_TRUE(NextComponent(&rest, &name));
  EXPECT_EQ(name, "d");
  EXPECT_FALSE(NextComponent(&rest, &name));
}

}  // namespace
}  // namespace drover::coord::tree
