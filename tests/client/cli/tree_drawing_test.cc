#include "client/cli/tree_drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using ::testing::ElementsAre;

coord::Node OfSize(const std::string& path, std::uint32_t bytes) {
  coord::Node node;
  node.path = path;
  node.stat.data_length = bytes;
  return node;
}

TreeDrawing Draw(DrawingBounds bounds, const std::vector<std::string>& paths) {
  TreeDrawing drawing(bounds);
  for (const std::string& path : paths) drawing.Add(OfSize(path, 10));
  return drawing;
}

// Each row as "node|nodes|bytes".
std::vector<std::string> Rows(const TreeDrawing& drawing) {
  std::vector<std::string> rows;
  for (const Item& item : drawing.Items(/*cuts=*/true)) rows.push_back(item.cells[0] + "|" + item.cells[1] + "|" + item.cells[2]);
  return rows;
}

TEST(TreeDrawingTest, EachNodeCountsWhatIsAtAndBelowIt) {
  const TreeDrawing drawing = Draw({}, {"/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e"});
  EXPECT_THAT(Rows(drawing), ElementsAre("/a|5|50", "├── b|3|30", "│   ├── c|1|10", "│   └── d|1|10", "└── e|1|10"));
  EXPECT_EQ(drawing.Cut(), "");
}

TEST(TreeDrawingTest, TheWholeTreeIsDrawnFromItsRoot) {
  EXPECT_THAT(Rows(Draw({}, {"/", "/a", "/a/b", "/c"})), ElementsAre("/|4|40", "├── a|2|20", "│   └── b|1|10", "└── c|1|10"));
}

TEST(TreeDrawingTest, WhatIsTooDeepIsCountedAndToldOf) {
  const TreeDrawing drawing = Draw({.depth = 1}, {"/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/e"});
  EXPECT_THAT(Rows(drawing), ElementsAre("/a|5|50", "├── b/...|3|30", "└── e|1|10"));
  EXPECT_EQ(drawing.Cut(), "nodes not drawn: 2 deeper than --depth 1");
  EXPECT_THAT(Rows(Draw({.depth = 0}, {"/", "/a"})), ElementsAre("/...|2|20"));
}

TEST(TreeDrawingTest, ChildrenBeyondTheBoundAreOneRow) {
  const TreeDrawing drawing = Draw({.children = 1}, {"/a", "/a/b", "/a/c", "/a/c/d", "/a/e"});
  EXPECT_THAT(Rows(drawing), ElementsAre("/a|5|50", "├── b|1|10", "└── ... 2 more||"));
  EXPECT_EQ(drawing.Cut(), "nodes not drawn: 3 beyond --children 1 of a node");
  EXPECT_THAT(Rows(Draw({.children = 0}, {"/a", "/a/b"})), ElementsAre("/a|2|20", "└── ... 1 children||"));
  EXPECT_EQ(drawing.Items(/*cuts=*/false).size(), 2u);
  EXPECT_EQ(drawing.Items(/*cuts=*/false)[0].json["children_cut"], 2);
}

TEST(TreeDrawingTest, NoMoreNodesAreDrawnThanAskedFor) {
  const TreeDrawing drawing = Draw({.nodes = 2}, {"/a", "/a/b", "/a/b/c", "/a/d"});
  EXPECT_THAT(Rows(drawing), ElementsAre("/a|4|40", "├── b|2|20", "│   └── ... 1 children||", "└── ... 1 more||"));
  EXPECT_EQ(drawing.Cut(), "nodes not drawn: 2 beyond --nodes 2");
}

TEST(TreeDrawingTest, AWordSaysWhatIsSpecial) {
  TreeDrawing drawing({});
  coord::Node node = OfSize("/a", 0);
  node.stat.container = true;
  drawing.Add(node);
  node = OfSize("/a/b", 0);
  node.hidden = true;
  drawing.Add(node);
  const std::vector<Item> items = drawing.Items(/*cuts=*/true);
  EXPECT_EQ(items[0].cells[4], "container");
  EXPECT_EQ(items[1].cells[4], "may not be read");
}

}  // namespace
}  // namespace drover::cli
