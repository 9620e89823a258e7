#include "coord/tree/node.h"

#include <gtest/gtest.h>

#include <string>

#include "coord/tree/tree.h"

namespace drover::coord::tree {
namespace {

class NodeTest : public testing::Test {
 protected:
  const Node* Make(absl::string_view name, absl::string_view data = {}, base::SessionId owner = base::SessionId()) {
    tree_.Begin(base::Zxid(++zxid_), base::WallTime(5));
    const Node* const node = tree_.Create(&tree_.root(), name, data, Lifetime{owner});
    tree_.Commit();
    return node;
  }

  Tree tree_;
  std::uint64_t zxid_ = 0;
};

// The first bytes of a name lie in the node itself, the others behind it.
TEST_F(NodeTest, NamesOfEveryLengthAreKept) {
  for (std::size_t size = 1; size <= 300; ++size) Make(std::string(size, static_cast<char>('a' + size % 26)), "data");
  for (std::size_t size = 1; size <= 300; ++size) {
    const std::string name(size, static_cast<char>('a' + size % 26));
    const Node* const node = tree_.FindChild(tree_.root(), name);
    ASSERT_NE(node, nullptr) << size;
    EXPECT_EQ(node->name(), name);
    EXPECT_EQ(node->data(), "data");
    EXPECT_EQ(node->Path(), "/" + name);
  }
}

TEST_F(NodeTest, ALeafSaysWhatOneWithoutChildrenSays) {
  const Stat stat = Make("leaf", "four")->stat();
  EXPECT_EQ(stat.pzxid, stat.czxid);
  EXPECT_EQ(stat.cversion, 0u);
  EXPECT_EQ(stat.num_children, 0u);
  EXPECT_EQ(stat.data_length, 4u);
  EXPECT_EQ(stat.ephemeral_owner, base::SessionId());
}

TEST_F(NodeTest, AChildThatWasNotMadeAfterAllLeavesNoTrace) {
  const Node* const leaf = Make("leaf");
  const Stat before = leaf->stat();
  tree_.Begin(base::Zxid(++zxid_), base::WallTime(6));
  tree_.Create(leaf, "child", {}, Lifetime());
  tree_.Rollback();
  EXPECT_EQ(leaf->stat(), before);
  EXPECT_EQ(leaf->children_created(), 0u);
  EXPECT_TRUE(leaf->children().empty());
}

TEST_F(NodeTest, WhatOneHadStaysKnownWhenItsChildrenAreGone) {
  const Node* const above = Make("above");
  tree_.Begin(base::Zxid(++zxid_), base::WallTime(6));
  const Node* const child = tree_.Create(above, "child", {}, Lifetime());
  tree_.Delete(child);
  tree_.Commit();
  EXPECT_TRUE(above->children().empty());
  EXPECT_EQ(above->children_created(), 1u);
  EXPECT_EQ(above->stat().pzxid, base::Zxid(zxid_));
  EXPECT_EQ(above->stat().cversion, 2u);
}

TEST_F(NodeTest, EachPartOfAStateIsRestored) {
  NodeState plain;
  plain.czxid = base::Zxid(3);
  plain.mzxid = base::Zxid(4);
  plain.pzxid = plain.czxid;
  plain.ctime = base::WallTime(5);
  plain.mtime = base::WallTime(6);
  plain.version = 7;
  const auto expect_kept = [this](const std::string& name, const NodeState& state) {
    const NodeState kept = tree_.Restore(&tree_.root(), name, "data", state)->state();
    EXPECT_EQ(kept.czxid, state.czxid) << name;
    EXPECT_EQ(kept.mzxid, state.mzxid) << name;
    EXPECT_EQ(kept.pzxid, state.pzxid) << name;
    EXPECT_EQ(kept.ctime, state.ctime) << name;
    EXPECT_EQ(kept.mtime, state.mtime) << name;
    EXPECT_EQ(kept.ephemeral_owner, state.ephemeral_owner) << name;
    EXPECT_EQ(kept.children_created, state.children_created) << name;
    EXPECT_EQ(kept.version, state.version) << name;
    EXPECT_EQ(kept.aversion, state.aversion) << name;
  };
  expect_kept("plain", plain);
  NodeState state = plain;
  state.pzxid = base::Zxid(9);
  expect_kept("pzxid", state);
  state = plain;
  state.children_created = 2;
  expect_kept("children_created", state);
  state = plain;
  state.aversion = 1;
  expect_kept("aversion", state);
  state = plain;
  state.ephemeral_owner = base::SessionId(8);
  expect_kept("owner", state);
}

}  // namespace
}  // namespace drover::coord::tree
