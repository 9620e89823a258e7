#include "coord/log/remains.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/sim/sim_file_system.h"

namespace drover::coord::log {
namespace {

using base::OpenMode;
using sim::SimFileSystem;
using sim::Survival;

class RemainsTest : public ::testing::Test {
 protected:
  RemainsTest() {
    fs_.Write("d/f", std::string(1'000, 'x'));
    file_ = *fs_.Open("d/f", OpenMode::kReadWrite);
  }
  std::uint64_t Size() { return file_->Size().value(); }

  SimFileSystem fs_{1};
  Remains remains_{&fs_, 400};
  std::unique_ptr<base::File> file_;  // the same file, whatever it is called
};

TEST_F(RemainsTest, TheNameGoesAtOnceAndTheSpaceInSteps) {
  ASSERT_TRUE(remains_.Remove("d/f", *fs_.Open("d/f", OpenMode::kReadWrite), 1'000).ok());
  EXPECT_FALSE(fs_.Exists("d/f"));
  for (const std::uint64_t left : {1'000u, 600u, 200u}) {
    EXPECT_EQ(Size(), left);
    EXPECT_EQ(remains_.bytes(), left);
    EXPECT_FALSE(remains_.empty());
    remains_.Shrink();
  }
  EXPECT_TRUE(remains_.empty());
  EXPECT_EQ(remains_.bytes(), 0u);
  const std::uint64_t calls = fs_.calls();
  remains_.Shrink();
  EXPECT_EQ(fs_.calls(), calls);
}

TEST_F(RemainsTest, AFileThatIsNotOpenIsOpenedFirst) {
  ASSERT_TRUE(remains_.Remove("d/f", nullptr, 1'000).ok());
  EXPECT_FALSE(fs_.Exists("d/f"));
  remains_.Shrink();
  EXPECT_EQ(Size(), 600u);
}

TEST_F(RemainsTest, OneThatCannotBeCutGoesAsAWhole) {
  ASSERT_TRUE(remains_.Remove("d/f", nullptr, 1'000).ok());
  fs_.FailCall(1, absl::InternalError("EIO"));
  remains_.Shrink();
  EXPECT_TRUE(remains_.empty());
}

TEST_F(RemainsTest, AFileThatCannotBeRemovedStaysAsItIs) {
  for (const std::uint64_t call : {1u, 2u}) {  // open, remove
    fs_.FailCall(call, absl::InternalError("EIO"));
    EXPECT_FALSE(remains_.Remove("d/f", nullptr, 1'000).ok());
    EXPECT_TRUE(remains_.empty());
    EXPECT_EQ(Size(), 1'000u);
  }
}

TEST_F(RemainsTest, DropGivesAllOfItBackAtOnce) {
  ASSERT_TRUE(remains_.Remove("d/f", nullptr, 1'000).ok());
  remains_.Drop();
  EXPECT_TRUE(remains_.empty());
}

}  // namespace
}  // namespace drover::coord::log
