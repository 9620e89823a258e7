#include "coord/tree/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/random.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;

std::vector<std::string> Walk(SubtreeCursor cursor) {
  std::vector<std::string> paths;
  for (; cursor.node() != nullptr; cursor.Next()) {
    EXPECT_EQ(cursor.node()->Path(), cursor.path());
    paths.emplace_back(cursor.path());
  }
  return paths;
}

class TreeTest : public testing::Test {
 protected:
  const Node* Make(absl::string_view path, base::SessionId owner = base::SessionId()) {
    return tree_.Create(tree_.Find(ParentOf(path)), NameOf(path), "data", Lifetime{owner});
  }
  void MakeAll(const std::vector<std::string>& paths) {
    tree_.Begin(base::Zxid(++zxid_), base::WallTime(1));
    for (const std::string& path : paths) Make(path);
    tree_.Commit();
  }
  // Everything there is to see.
  std::string Image() {
    std::string image = absl::StrCat(tree_.node_count(), " ", tree_.bytes(), "\n");
    for (SubtreeCursor cursor(tree_.root(), "/"); cursor.node() != nullptr; cursor.Next()) {
      absl::StrAppend(&image, absl::string_view(cursor.path()), " ", cursor.node()->data(), " ", cursor.node()->children_created(),
                      " ");
      base::WireWriter out(&image);
      cursor.node()->stat().AppendFields(&out);
      image += "\n";
    }
    for (const auto& [session, nodes] : tree_.ephemerals()) {
      absl::StrAppend(&image, session.value, ":");
      for (const Node* node : nodes) absl::StrAppend(&image, " ", node->Path());
    }
    return image;
  }

  Tree tree_;
  std::uint64_t zxid_ = 0;
};

TEST_F(TreeTest, CursorWalksInListOrder) {
  MakeAll({"/b", "/a", "/a/b", "/a-", "/a/b/c", "/a/a", "/ab"});
  EXPECT_THAT(Walk(SubtreeCursor(tree_.root(), "/")), ElementsAre("/", "/a", "/a/a", "/a/b", "/a/b/c", "/a-", "/ab", "/b"));
  EXPECT_THAT(Walk(SubtreeCursor(*tree_.Find("/a"), "/a")), ElementsAre("/a", "/a/a", "/a/b", "/a/b/c"));
}

TEST_F(TreeTest, CursorStartsBehindAnyPathThereOrNot) {
  const std::vector<std::string> paths = {"/a", "/a/a", "/a/b", "/a/b/c", "/a-", "/ab", "/b"};
  MakeAll(paths);
  std::vector<std::string> all = paths;
  all.insert(all.begin(), "/");
  for (const char* after : {"/",   "/a",    "/a/a", "/a/a/x", "/a/aa", "/a/b", "/a/b/b", "/a/b/c", "/a/b/c/d/e", "/a/b/d", "/a/z",
                            "/a-", "/a-/x", "/aa",  "/ab",    "/b",    "/b/c", "/c",     "/c/d",   "/0",         "/0/1/2"}) {
    std::vector<std::string> expected;
    std::copy_if(all.begin(), all.end(), std::back_inserter(expected), [&](const auto& p) { return ComparePaths(p, after) > 0; });
    EXPECT_EQ(Walk(SubtreeCursor(tree_.root(), "/", after)), expected) << after;
    if (!IsAtOrBelow(after, "/a")) continue;
    std::vector<std::string> below;
    std::copy_if(expected.begin(), expected.end(), std::back_inserter(below), [](const auto& p) { return IsAtOrBelow(p, "/a"); });
    EXPECT_EQ(Walk(SubtreeCursor(*tree_.Find("/a"), "/a", after)), below) << after;
  }
}

TEST_F(TreeTest, EphemeralsEndInOrderOfCreationThenPath) {
  const base::SessionId s(9);
  tree_.Begin(base::Zxid(1), base::WallTime(1));
  Make("/z", s);
  tree_.Commit();
  tree_.Begin(base::Zxid(2), base::WallTime(1));
  Make("/d");
  Make("/d/b", s);
  Make("/c", s);
  Make("/d/a", s);
  Make("/e", s);
  tree_.Commit();
  std::vector<std::string> paths;
  for (const Node* node : *tree_.EphemeralsOf(s)) paths.push_back(node->Path());
  EXPECT_THAT(paths, ElementsAre("/z", "/c", "/d/a", "/d/b", "/e"));
  EXPECT_EQ(tree_.EphemeralsOf(base::SessionId(8)), nullptr);
}

// Five times as deep as the longest path allows, on a stack that has no room for a frame a level. (Not deeper: each creation counts
// itself in all nodes above.)
TEST_F(TreeTest, DeepTreesNeedNoStack) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
  std::size_t path_bytes = 0;
  pthread_t thread{};
  const auto build = [](void* bytes) -> void* {
    Tree tree;
    tree.Begin(base::Zxid(1), base::WallTime(1));
    const Node* node = &tree.root();
    for (int depth = 0; depth < 10'000; ++depth) node = tree.Create(node, "n", {}, Lifetime());
    tree.Commit();
    *static_cast<std::size_t*>(bytes) = node->Path().size();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, build, &path_bytes), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(path_bytes, 20'000u);
}

TEST_F(TreeTest, RollbackRestoresEverything) {
  base::SeededRandom random(3);
  const auto pick = [&] {
    std::string path;
    for (std::uint64_t depth = 1 + random.Below(3); depth > 0; --depth) absl::StrAppend(&path, "/", random.Below(3));
    return path;
  };
  const auto change = [&] {
    const std::string path = pick();
    const Node* node = tree_.Find(path);
    const Node* parent = tree_.Find(ParentOf(path));
    switch (random.Below(3)) {
      case 0:
        if (node != nullptr || parent == nullptr || parent->ephemeral()) return;
        Make(path, base::SessionId(random.Below(3)));
        break;
      case 1:
        if (node != nullptr && node->children().empty()) tree_.Delete(node);
        break;
      default:
        if (node != nullptr) tree_.SetData(node, std::string(random.Below(40), 'd'));
    }
  };
  for (int round = 0; round < 2000; ++round) {
    const std::string before = Image();
    tree_.Begin(base::Zxid(++zxid_), base::WallTime(round));
    for (std::uint64_t n = random.Below(12); n > 0; --n) change();
    if (random.Below(2) == 0) {
      tree_.Commit();
    } else {
      tree_.Rollback();
      ASSERT_EQ(Image(), before) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace drover::coord::tree
