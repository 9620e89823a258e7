#include "client/cli/tree_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using ::testing::ElementsAre;

coord::ListPage Page(std::vector<std::string> paths, bool more, std::uint64_t zxid) {
  coord::ListPage page;
  for (std::string& path : paths) {
    coord::Node node;
    node.path = std::move(path);
    page.nodes.push_back(std::move(node));
  }
  page.more = more;
  page.zxid = coord::Zxid(zxid);
  return page;
}

TEST(TreeWalkTest, GoesOnBehindTheLastNodeOfAPage) {
  std::vector<std::string> asked;
  const PageSource pages = [&](const std::string& after) {
    asked.push_back(after);
    return after.empty() ? Page({"/a", "/a/b"}, true, 5) : Page({"/a/c"}, false, 5);
  };
  std::vector<std::string> seen;
  const auto walk = WalkPages(pages, [&](const coord::Node& node) {
    seen.push_back(node.path);
    return true;
  });
  ASSERT_TRUE(walk.ok());
  EXPECT_THAT(asked, ElementsAre("", "/a/b"));
  EXPECT_THAT(seen, ElementsAre("/a", "/a/b", "/a/c"));
  EXPECT_TRUE(walk->one_state);
  EXPECT_EQ(walk->zxid, coord::Zxid(5));
}

TEST(TreeWalkTest, PagesOfTwoStatesAreToldOf) {
  const PageSource pages = [&](const std::string& after) {
    return after.empty() ? Page({"/a"}, true, 5) : Page({"/a/c"}, false, 6);
  };
  EXPECT_FALSE(WalkPages(pages, [](const coord::Node&) { return true; })->one_state);
}

TEST(TreeWalkTest, EndsWhereEnoughWasSeenAndWhereAPageIsRefused) {
  int asked = 0;
  const PageSource pages = [&](const std::string& after) -> absl::StatusOr<coord::ListPage> {
    ++asked;
    if (!after.empty()) return absl::NotFoundError("gone");
    return Page({"/a", "/a/b"}, true, 5);
  };
  EXPECT_TRUE(WalkPages(pages, [](const coord::Node&) { return false; }).ok());
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(absl::IsNotFound(WalkPages(pages, [](const coord::Node&) { return true; }).status()));
}

}  // namespace
}  // namespace drover::cli
