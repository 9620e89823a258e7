#include "client/cli/subtree_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

coord::Node Sized(const std::string& path, std::uint32_t bytes) {
  coord::Node node;
  node.path = path;
  node.stat.data_length = bytes;
  return node;
}

TEST(SubtreeSummaryTest, TheChildWithMostBytesComesFirst) {
  SubtreeSummary summary;
  for (const auto& [path, bytes] : std::vector<std::pair<std::string, std::uint32_t>>{
           {"/a", 1}, {"/a/b", 5}, {"/a/c", 0}, {"/a/c/d", 20}, {"/a/e", 5}, {"/a/e/f", 0}}) {
    summary.Add(Sized(path, bytes));
  }
  EXPECT_EQ(summary.whole().nodes, 6u);
  EXPECT_EQ(summary.whole().bytes, 31u);
  const auto all = summary.Biggest(10);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].path, "/a/c");
  EXPECT_EQ(all[0].nodes, 2u);
  EXPECT_EQ(all[0].bytes, 20u);
  EXPECT_EQ(all[1].path, "/a/e") << "as many bytes, more nodes";
  EXPECT_EQ(summary.Biggest(1).size(), 1u);
  EXPECT_EQ(summary.children(), 3u);
  const Item item = summary.WholeItem();
  EXPECT_EQ(item.cells.size(), SubtreeSummary::Names().size());
  EXPECT_EQ(item.json["largest"], "/a/c/d");
  EXPECT_EQ(item.json["depth"], 2);
}

TEST(SubtreeSummaryTest, DepthIsCountedFromTheRootOfTheTreeToo) {
  SubtreeSummary summary;
  for (const char* path : {"/", "/a", "/a/b", "/a/b/c", "/d"}) summary.Add(Sized(path, 0));
  EXPECT_EQ(summary.WholeItem().json["depth"], 3);
  EXPECT_EQ(summary.Biggest(5).front().nodes, 3u);
}

TEST(SubtreeSummaryTest, OwnersAreCountedWithTheirOldestNode) {
  SubtreeSummary summary;
  summary.Add(Sized("/a", 0));
  for (const auto& [path, ctime] : std::vector<std::pair<std::string, int>>{{"/a/x", 7}, {"/a/y", 3}}) {
    coord::Node node = Sized(path, 2);
    node.stat.ephemeral_owner = coord::SessionId(9);
    node.stat.ctime = base::WallTime(ctime);
    summary.Add(node);
  }
  ASSERT_EQ(summary.owners().size(), 1u);
  const auto& owned = summary.owners().at(coord::SessionId(9));
  EXPECT_EQ(owned.nodes, 2u);
  EXPECT_EQ(owned.bytes, 4u);
  EXPECT_EQ(owned.path, "/a/y");
  EXPECT_EQ(summary.WholeItem().json["ephemerals"], 2);
}

}  // namespace
}  // namespace drover::cli
