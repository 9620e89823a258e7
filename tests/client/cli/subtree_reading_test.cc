#include "client/cli/subtree_reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace drover::cli {
namespace {

using ::testing::HasSubstr;

// A core whose subtree changes when a test says so: before the nth call of the source.
class SubtreeReadingTest : public ::testing::Test {
 protected:
  SubtreeReadingTest() { nodes_ = {Make("/a", 1), Make("/a/b", 2), Make("/a/c", 3)}; }

  static coord::Node Make(const std::string& path, std::uint64_t mzxid) {
    coord::Node node;
    node.path = path;
    node.stat.czxid = coord::Zxid(1);
    node.stat.mzxid = coord::Zxid(mzxid);
    return node;
  }
  // One page.
  absl::StatusOr<coord::ListPage> Page() {
    Call();
    coord::ListPage page;
    page.nodes = nodes_;
    page.zxid = zxid_;
    return page;
  }
  void Call() {
    ++calls_;
    if (const auto change = changes_.find(calls_); change != changes_.end()) change->second();
  }
  absl::StatusOr<SubtreeReading> Read(Consistency consistency = Consistency::kOneState) {
    const SubtreeSource source = {[this](const std::string&) { return Page(); }, [this](const std::string&) { return Page(); },
                                  [this](const std::string& path) -> absl::StatusOr<coord::AclResult> {
                                    Call();
                                    for (const coord::Node& node : nodes_) {
                                      if (node.path == path) return coord::AclResult{acl_, node.stat, zxid_};
                                    }
                                    return coord::RefusedError(coord::Code::kNoNode, "there is no such node");
                                  }};
    return ReadSubtree(source, consistency);
  }

  std::vector<coord::Node> nodes_;
  coord::Acl acl_ = {coord::AclEntry::World()};
  coord::Zxid zxid_{9};
  int calls_ = 0;
  std::map<int, std::function<void()>> changes_;  // by number of the call
};

TEST_F(SubtreeReadingTest, WhatIsTheSameTwiceIsOneState) {
  const auto reading = Read();
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->nodes, nodes_);
  ASSERT_EQ(reading->acls.size(), 3u);
  EXPECT_TRUE(reading->acls[0].empty()) << "everybody may do everything";
  EXPECT_TRUE(reading->one_state);
  EXPECT_EQ(calls_, 5);
}

TEST_F(SubtreeReadingTest, AChangeInBetweenIsReadAnew) {
  changes_[3] = [this] { nodes_[1].stat.mzxid = coord::Zxid(10); };
  const auto reading = Read();
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->nodes[1].stat.mzxid, coord::Zxid(10));
  EXPECT_EQ(calls_, 10);
}

TEST_F(SubtreeReadingTest, ANodeThatCameOrWentInBetweenIsSeen) {
  changes_[5] = [this] { nodes_.push_back(Make("/a/d", 11)); };
  auto reading = Read();
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->nodes.size(), 4u);
  changes_ = {{calls_ + 3, [this] { nodes_.pop_back(); }}};
  reading = Read();
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->nodes.size(), 3u);
}

TEST_F(SubtreeReadingTest, WhatChangesAllTheTimeIsRefusedOrTakenAsItIs) {
  for (int i = 1; i < 100; ++i) changes_[i] = [this] { nodes_[0].stat.mzxid = coord::Zxid(nodes_[0].stat.mzxid.value + 1); };
  EXPECT_TRUE(absl::IsAborted(Read().status()));
  EXPECT_TRUE(Read(Consistency::kAnyState).ok());
}

TEST_F(SubtreeReadingTest, AtAnyStateWhatHasGoneIsLeftOut) {
  nodes_.push_back(Make("/a/c/d", 4));
  changes_[3] = [this] { nodes_.resize(2); };
  const auto reading = Read(Consistency::kAnyState);
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->nodes.size(), 2u);
  EXPECT_EQ(reading->acls.size(), 2u);
}

TEST_F(SubtreeReadingTest, WhatMayNotBeReadIsNamed) {
  acl_ = {coord::AclEntry::Digest("ann:x", coord::Permission::kRead)};
  EXPECT_TRUE(absl::IsPermissionDenied(Read().status()));
  EXPECT_THAT(Read().status().message(), HasSubstr("/a: its access control list"));
  acl_ = {coord::AclEntry::Digest("ann:c29tZXRoaW5n")};
  EXPECT_TRUE(Read().ok());
  nodes_[2].hidden = true;
  EXPECT_THAT(Read().status().message(), HasSubstr("/a/c: it may not be read"));
}

}  // namespace
}  // namespace drover::cli
