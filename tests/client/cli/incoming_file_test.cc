// A file under its name only when it is whole.
#include "client/cli/incoming_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace drover::cli {
namespace {

class IncomingFileTest : public ::testing::Test {
 protected:
  IncomingFileTest()
      : directory_(::testing::TempDir() + "/incoming_file." + std::to_string(getpid())), name_(directory_ + "/file") {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~IncomingFileTest() override { std::filesystem::remove_all(directory_); }
  static std::string Contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Put(const std::string& path, const std::string& contents) { std::ofstream(path, std::ios::binary) << contents; }

  const std::string directory_;
  const std::string name_;
  const std::unique_ptr<base::FileSystem> files_ = base::NewRealFileSystem();
};

TEST_F(IncomingFileTest, IsThereUnderItsNameOnlyWhenAdopted) {
  const auto file = IncomingFile::Begin(files_.get(), name_, false);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->Append("one ").ok());
  EXPECT_TRUE((*file)->Append("two").ok());
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_FALSE(std::filesystem::exists(name_));
  EXPECT_EQ((*file)->bytes(), 7u);
  EXPECT_TRUE((*file)->Adopt().ok());
  EXPECT_EQ(Contents(name_), "one two");
  EXPECT_FALSE(std::filesystem::exists((*file)->path()));
  struct stat info;
  ASSERT_EQ(stat(name_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(IncomingFileTest, GivenUpItLeavesNothing) {
  {
    const auto file = IncomingFile::Begin(files_.get(), name_, false);
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->Append("half").ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(IncomingFileTest, WhatIsThereIsReplacedOnlyIfAsked) {
  Put(name_, "old");
  EXPECT_EQ(IncomingFile::Begin(files_.get(), name_, false).status().code(), absl::StatusCode::kAlreadyExists);
  {
    const auto given_up = IncomingFile::Begin(files_.get(), name_, true);
    ASSERT_TRUE(given_up.ok());
    EXPECT_TRUE((*given_up)->Append("new").ok());
  }
  EXPECT_EQ(Contents(name_), "old") << "until the new one is whole";
  const auto file = IncomingFile::Begin(files_.get(), name_, true);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->Append("new").ok());
  EXPECT_TRUE((*file)->Adopt().ok());
  EXPECT_EQ(Contents(name_), "new");
}

TEST_F(IncomingFileTest, OneThatAppearedMeanwhileIsNotReplaced) {
  const auto file = IncomingFile::Begin(files_.get(), name_, false);
  ASSERT_TRUE(file.ok());
  Put(name_, "another's");
  EXPECT_EQ((*file)->Adopt().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Contents(name_), "another's");
}

TEST_F(IncomingFileTest, WhatAnInterruptedOneLeftIsReplaced) {
  Put(name_ + ".incoming", "much longer than what comes now");
  const auto file = IncomingFile::Begin(files_.get(), name_, false);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->Append("short").ok());
  EXPECT_TRUE((*file)->Adopt().ok());
  EXPECT_EQ(Contents(name_), "short");
}

// Two backups of the same name at once.
TEST_F(IncomingFileTest, WhoComesSecondIsRefusedAndDisturbsNothing) {
  auto first = IncomingFile::Begin(files_.get(), name_, true);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE((*first)->Append("the first").ok());
  const auto second = IncomingFile::Begin(files_.get(), name_, true);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(second.status().message()).find("another process writes " + name_ + ".incoming"), std::string::npos);
  EXPECT_TRUE((*first)->Sync().ok());
  EXPECT_TRUE((*first)->Adopt().ok());
  EXPECT_EQ(Contents(name_), "the first");
  EXPECT_TRUE(IncomingFile::Begin(files_.get(), name_, true).ok()) << "it is finished";
  first = IncomingFile::Begin(files_.get(), name_, true);
  ASSERT_TRUE(first.ok());
  first->reset();
  EXPECT_TRUE(IncomingFile::Begin(files_.get(), name_, true).ok()) << "it was given up";
}

TEST_F(IncomingFileTest, StartedOverItHoldsWhatCameSince) {
  const auto file = IncomingFile::Begin(files_.get(), name_, false);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->StartOver().ok());
  EXPECT_TRUE((*file)->Append("of a node that broke off").ok());
  EXPECT_TRUE((*file)->StartOver().ok());
  EXPECT_EQ((*file)->bytes(), 0u);
  EXPECT_TRUE((*file)->Append("whole").ok());
  EXPECT_EQ(IncomingFile::Begin(files_.get(), name_, false).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE((*file)->Adopt().ok());
  EXPECT_EQ(Contents(name_), "whole");
}

TEST_F(IncomingFileTest, ALinkThatWasLeftIsReplacedAndNotFollowed) {
  Put(directory_ + "/elsewhere", "another's");
  std::filesystem::create_symlink(directory_ + "/elsewhere", name_ + ".incoming");
  const auto file = IncomingFile::Begin(files_.get(), name_, false);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE((*file)->Append("new").ok());
  EXPECT_TRUE((*file)->Adopt().ok());
  EXPECT_EQ(Contents(name_), "new");
  EXPECT_EQ(Contents(directory_ + "/elsewhere"), "another's");
}

TEST_F(IncomingFileTest, ADirectoryOrAPlaceThatIsNotThereIsRefused) {
  EXPECT_EQ(IncomingFile::Begin(files_.get(), directory_, true).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(IncomingFile::Begin(files_.get(), directory_ + "/no/such/place", false).ok());
}

// As root, /dev/null would be gone; and behind a link lies the storage that was meant.
TEST_F(IncomingFileTest, WhatIsNoRegularFileIsNotReplaced) {
  ASSERT_EQ(mkfifo(name_.c_str(), 0600), 0);
  EXPECT_EQ(IncomingFile::Begin(files_.get(), name_, true).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::filesystem::status(name_).type(), std::filesystem::file_type::fifo);
  const std::string link = directory_ + "/link";
  std::filesystem::create_symlink(directory_ + "/elsewhere", link);
  EXPECT_EQ(IncomingFile::Begin(files_.get(), link, true).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

}  // namespace
}  // namespace drover::cli
