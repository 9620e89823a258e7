#include "client/cli/data_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

// TMPDIR of this test alone.
class DataDirectoryTest : public ::testing::Test {
 protected:
  DataDirectoryTest() {
    std::string pattern = (fs::temp_directory_path() / "data-directory-XXXXXX").string();
    parent_ = mkdtemp(pattern.data());
    setenv("TMPDIR", parent_.c_str(), 1);
  }
  ~DataDirectoryTest() override {
    unsetenv("TMPDIR");
    fs::remove_all(parent_);
  }
  // As a `drover dev` that was killed leaves it: its lock went with it.
  fs::path Left(const std::string& name, bool with_owner) {
    const fs::path path = parent_ / name;
    fs::create_directories(path / "coord-1");
    std::ofstream(path / "coord-1" / "segment") << "x";
    if (with_owner) std::ofstream(path / "owner") << "";
    return path;
  }
  fs::path parent_;
};

TEST_F(DataDirectoryTest, ATemporaryOneGoesWithItsObject) {
  std::optional<DataDirectory> data(std::in_place);
  ASSERT_TRUE(data->Open("").ok());
  EXPECT_EQ(fs::path(data->path()).parent_path(), parent_);
  std::ofstream(data->path() + "/ports") << "x";
  data.reset();
  EXPECT_TRUE(fs::is_empty(parent_));
}

TEST_F(DataDirectoryTest, WhatAKilledOneLeftIsRemovedByTheNext) {
  const fs::path left = Left("drover-dev-abcDE1", true);
  DataDirectory data;
  ASSERT_TRUE(data.Open("").ok());
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(DataDirectoryTest, OneThatLivesIsLeftAlone) {
  DataDirectory lives;
  ASSERT_TRUE(lives.Open("").ok());
  DataDirectory data;
  ASSERT_TRUE(data.Open("").ok());
  EXPECT_NE(data.path(), lives.path());
  EXPECT_TRUE(fs::exists(lives.path() + "/owner"));
}

TEST_F(DataDirectoryTest, WhatIsNotProvenToBeOneIsLeftAlone) {
  const fs::path elsewhere = Left("elsewhere", true);
  const fs::path kept[] = {Left("drover-dev-abcDE1", false), Left("drover-dev-mine", true), Left("drover-worker-abcDE", true)};
  fs::create_directory_symlink(elsewhere, parent_ / "drover-dev-aLink1");
  fs::create_directories(parent_ / "drover-dev-aLink2");
  fs::create_symlink(elsewhere / "owner", parent_ / "drover-dev-aLink2" / "owner");
  DataDirectory data;
  ASSERT_TRUE(data.Open("").ok());
  for (const fs::path& path : kept) EXPECT_TRUE(fs::exists(path / "coord-1" / "segment")) << path;
  EXPECT_TRUE(fs::exists(elsewhere / "coord-1" / "segment"));
  EXPECT_TRUE(fs::exists(parent_ / "drover-dev-aLink2"));
}

TEST_F(DataDirectoryTest, AGivenOneStays) {
  const std::string given = parent_ / "a" / "b";
  {
    DataDirectory data;
    ASSERT_TRUE(data.Open(given).ok());
    EXPECT_EQ(data.path(), given);
  }
  EXPECT_TRUE(fs::exists(given));
  EXPECT_FALSE(fs::exists(given + "/owner"));
  std::ofstream(parent_ / "file") << "x";
  DataDirectory data;
  EXPECT_EQ(data.Open(parent_ / "file" / "b").code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace drover::cli
