#include "worker/exec/scratch.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace drover::worker::exec {
namespace {

class ScratchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "drover-scratch-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    root_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
};

TEST_F(ScratchTest, HasWorkAndTmp) {
  Scratch scratch;
  ASSERT_EQ(MakeScratch(root_, "7", &scratch), 0);
  EXPECT_TRUE(std::filesystem::is_directory(scratch.work));
  EXPECT_TRUE(std::filesystem::is_directory(scratch.tmp));
  EXPECT_EQ(MakeScratch(root_, "7", &scratch), EEXIST);
}

TEST_F(ScratchTest, RemoveDoesNotFollowLinks) {
  std::filesystem::create_directory(root_ + "/kept");
  std::ofstream(root_ + "/kept/file") << "x";
  std::filesystem::create_directory(root_ + "/gone");
  std::filesystem::create_directory_symlink(root_ + "/kept", root_ + "/gone/link");
  EXPECT_EQ(RemoveTree(root_ + "/gone"), 0);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/gone"));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/kept/file"));
}

TEST_F(ScratchTest, NothingThereIsNoError) {
  EXPECT_EQ(RemoveTree(root_ + "/nothing"), 0);
  EXPECT_EQ(RemoveTree(""), 0);
}

}  // namespace
}  // namespace drover::worker::exec
