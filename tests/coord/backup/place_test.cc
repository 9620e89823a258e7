// What a name leads to, and what cannot be renamed.
#include "coord/backup/place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace drover::coord::backup {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PlaceTest : public ::testing::Test {
 protected:
  PlaceTest() : root_(fs::canonical(::testing::TempDir()).string() + "/place." + std::to_string(getpid())) {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/disk/data");
  }
  ~PlaceTest() override { fs::remove_all(root_); }

  const std::string root_;
};

TEST_F(PlaceTest, WhatIsNoLinkIsItself) {
  EXPECT_EQ(BehindLinks(root_ + "/disk/data"), root_ + "/disk/data");
  EXPECT_EQ(BehindLinks(root_ + "/disk/data//"), root_ + "/disk/data");
  EXPECT_EQ(BehindLinks(root_ + "/none"), root_ + "/none");
  EXPECT_EQ(BehindLinks("none"), "none");
  EXPECT_EQ(BehindLinks("/"), "/");
}

TEST_F(PlaceTest, ALinkIsWhatItLeadsTo) {
  fs::create_directory_symlink(root_ + "/disk/data", root_ + "/absolute");
  fs::create_directory_symlink("disk/data/", root_ + "/relative");
  fs::create_directory_symlink("relative", root_ + "/twice");
  fs::create_directory_symlink("disk/later", root_ + "/nowhere");
  for (const char* const link : {"/absolute", "/relative", "/twice", "/twice/"}) {
    EXPECT_EQ(BehindLinks(root_ + link), root_ + "/disk/data") << link;
  }
  EXPECT_EQ(BehindLinks(root_ + "/nowhere"), root_ + "/disk/later") << "of a recovery that was killed";
  fs::create_directory_symlink("disk", root_ + "/way");
  EXPECT_EQ(BehindLinks(root_ + "/way/data"), root_ + "/way/data") << "it can be renamed there";
}

TEST_F(PlaceTest, ALinkThatLeadsToItselfIsNobodys) {
  fs::create_directory_symlink("self", root_ + "/self");
  EXPECT_EQ(BehindLinks(root_ + "/self"), root_ + "/self");
}

TEST_F(PlaceTest, ADirectoryWithoutANameHasOne) {
  EXPECT_EQ(BehindLinks(root_ + "/disk/data/."), root_ + "/disk/data");
  EXPECT_EQ(BehindLinks(root_ + "/disk/data/.."), root_ + "/disk");
}

TEST_F(PlaceTest, AMountPointCannotBeRenamed) {
  const absl::Status refused = CheckRenameable("/proc");
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("/proc is a mount point"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("cp -a /proc/. DIR"));
  EXPECT_TRUE(CheckRenameable(root_ + "/disk/data").ok());
  EXPECT_TRUE(CheckRenameable(root_ + "/none").ok());
}

}  // namespace
}  // namespace drover::coord::backup
