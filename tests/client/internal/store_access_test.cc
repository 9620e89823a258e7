#include "client/internal/store_access.h"

#include <gtest/gtest.h>

#include "tests/client/internal/fakes.h"
#include "tests/client/store/temp_directory.h"

namespace drover::client {
namespace {

class StoreAccessTest : public ::testing::Test {
 protected:
  StoreAccessTest() {
    store::InlineExecutor executor;
    auto store = *store::OpenStore(url_, &executor);
    store::EnsureMarker(store.get(), "mine", [](const absl::StatusOr<std::string>& marker) { EXPECT_TRUE(marker.ok()); });
  }

  store::TempDirectory directory_;
  const std::string url_ = "file:" + directory_.path();
  FakeDirectory tree_;
};

TEST_F(StoreAccessTest, ThePoolsStoreIsUsed) {
  tree_.store = StoreLocation{url_, "mine"};
  StoreAccess access(&tree_);
  ASSERT_TRUE(access.Reachable(Deadline::max()));
  ASSERT_TRUE(access.Put("input/t/1", "bytes").ok());
  EXPECT_EQ(access.Get("input/t/1")->view(), "bytes");
  EXPECT_TRUE(absl::IsNotFound(access.Get("input/t/2").status()));
}

TEST_F(StoreAccessTest, AnotherStoreUnderThatPathIsNot) {
  tree_.store = StoreLocation{url_, "another"};
  StoreAccess access(&tree_);
  EXPECT_FALSE(access.Reachable(Deadline::max()));
  EXPECT_TRUE(absl::IsUnavailable(access.Put("input/t/1", "bytes").status()));
}

TEST_F(StoreAccessTest, APathThatIsNotHereIsNotMade) {
  tree_.store = StoreLocation{url_ + "/elsewhere", "mine"};
  StoreAccess access(&tree_);
  EXPECT_FALSE(access.Reachable(Deadline::max()));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/elsewhere"));
}

TEST_F(StoreAccessTest, ACoreThatDidNotAnswerIsAskedAgain) {
  tree_.store = absl::UnavailableError("no quorum");
  StoreAccess access(&tree_);
  EXPECT_FALSE(access.Reachable(Deadline::max()));
  tree_.store = StoreLocation{url_, "mine"};
  EXPECT_TRUE(access.Reachable(Deadline::max()));
}

TEST_F(StoreAccessTest, WithoutATreeThereIsNoStore) {
  StoreAccess access(nullptr);
  EXPECT_FALSE(access.Reachable(Deadline::max()));
}

}  // namespace
}  // namespace drover::client
