#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/file_system.h"
#include "gtest/gtest.h"

namespace drover::base {
namespace {

class RealFileSystem : public ::testing::Test {
 protected:
  RealFileSystem() : fs_(NewRealFileSystem()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "drover-fs-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  ~RealFileSystem() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::unique_ptr<File> Create(const std::string& name) { return fs_->Open(Path(name), OpenMode::kCreate).value(); }

  std::unique_ptr<FileSystem> fs_;
  std::string directory_;
};

TEST_F(RealFileSystem, ReadsBackWhatWasWritten) {
  auto file = Create("a");
  ASSERT_TRUE(file->WriteAt(0, "hello").ok());
  ASSERT_TRUE(file->WriteAt(10, "world").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(file->Size().value(), 15u);
  EXPECT_EQ(file->ReadAt(0, 5).value(), "hello");
  EXPECT_EQ(file->ReadAt(4, 7).value(), std::string("o\0\0\0\0\0w", 7));
}

TEST_F(RealFileSystem, ReadsFewerBytesOnlyAtTheEnd) {
  auto file = Create("a");
  ASSERT_TRUE(file->WriteAt(0, "hello").ok());
  EXPECT_EQ(file->ReadAt(3, 100).value(), "lo");
  EXPECT_EQ(file->ReadAt(5, 100).value(), "");
  EXPECT_EQ(file->ReadAt(1'000'000, 100).value(), "");
  EXPECT_EQ(file->ReadAt(0, std::size_t{1} << 60).value(), "hello");  // a size out of a damaged file
}

TEST_F(RealFileSystem, AllocateFillsWithZerosAndKeepsWhatIsThere) {
  auto file = Create("a");
  ASSERT_TRUE(file->WriteAt(0, "hello").ok());
  ASSERT_TRUE(file->Allocate(3'000'000).ok());
  EXPECT_EQ(file->Size().value(), 3'000'000u);
  EXPECT_EQ(file->ReadAt(0, 6).value(), std::string("hello\0", 6));
  EXPECT_EQ(file->ReadAt(2'999'990, 100).value(), std::string(10, '\0'));
  ASSERT_TRUE(file->Allocate(10).ok());
  EXPECT_EQ(file->Size().value(), 3'000'000u);
}

TEST_F(RealFileSystem, TruncateCutsTheEndOffAlsoOfAFileThatWasRemoved) {
  auto file = Create("a");
  ASSERT_TRUE(file->WriteAt(0, "abcdef").ok());
  ASSERT_TRUE(fs_->Remove(Path("a")).ok());
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(*file->ReadAt(0, 100), "abcd");
}

TEST_F(RealFileSystem, ErrorsHaveTheirCodesAndNameThePath) {
  Create("there");
  const struct {
    absl::Status status;
    absl::StatusCode code;
  } cases[] = {
      {fs_->Open(Path("gone"), OpenMode::kRead).status(), absl::StatusCode::kNotFound},
      {fs_->Open(Path("gone"), OpenMode::kReadWrite).status(), absl::StatusCode::kNotFound},
      {fs_->Open(Path("there"), OpenMode::kCreate).status(), absl::StatusCode::kAlreadyExists},
      {fs_->Remove(Path("gone")), absl::StatusCode::kNotFound},
      {fs_->Rename(Path("gone"), Path("b")), absl::StatusCode::kNotFound},
      {fs_->List(Path("gone")).status(), absl::StatusCode::kNotFound},
      {fs_->SyncDirectory(Path("gone")), absl::StatusCode::kNotFound},
      {fs_->MakeDirectory(Path("there")), absl::StatusCode::kAlreadyExists},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.status.code(), c.code) << c.status;
    EXPECT_NE(c.status.message().find(directory_), absl::string_view::npos) << c.status;
  }
}

TEST_F(RealFileSystem, WhatIsNoRegularFileIsNotOpened) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  for (const std::string& path : {Path("pipe"), directory_, std::string("/dev/null")}) {
    const absl::Status opened = fs_->Open(path, OpenMode::kRead).status();
    EXPECT_EQ(opened.code(), absl::StatusCode::kFailedPrecondition) << opened;
    EXPECT_NE(opened.message().find(path + ": it is a "), std::string::npos) << opened;
  }
}

TEST_F(RealFileSystem, AFullDiskIsResourceExhausted) {
  auto full = fs_->Open("/dev/full", OpenMode::kReadWrite);
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_EQ((*full)->WriteAt(0, "x").code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(RealFileSystem, ListsRegularFilesSorted) {
  Create("b");
  Create("a");
  ASSERT_TRUE(fs_->MakeDirectory(Path("directory")).ok());
  EXPECT_EQ(fs_->List(directory_).value(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(RealFileSystem, RenameReplacesAndRemoveRemoves) {
  ASSERT_TRUE(Create("a")->WriteAt(0, "new").ok());
  ASSERT_TRUE(Create("b")->WriteAt(0, "old").ok());
  ASSERT_TRUE(fs_->Rename(Path("a"), Path("b")).ok());
  ASSERT_TRUE(fs_->SyncDirectory(directory_).ok());
  EXPECT_EQ(fs_->Open(Path("b"), OpenMode::kRead).value()->ReadAt(0, 10).value(), "new");
  ASSERT_TRUE(fs_->Remove(Path("b")).ok());
  EXPECT_TRUE(fs_->List(directory_).value().empty());
}

TEST_F(RealFileSystem, MakesParentsAndAcceptsWhatIsThere) {
  ASSERT_TRUE(fs_->MakeDirectory(Path("x/y/z")).ok());
  ASSERT_TRUE(fs_->MakeDirectory(Path("x/y/z")).ok());
  EXPECT_TRUE(fs_->List(Path("x/y/z")).ok());
}

TEST_F(RealFileSystem, ALockIsExclusiveUntilDestroyed) {
  auto lock = fs_->Lock(Path("LOCK"));
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(fs_->Lock(Path("LOCK")).status().code(), absl::StatusCode::kFailedPrecondition);
  lock->reset();
  EXPECT_TRUE(fs_->Lock(Path("LOCK")).ok());
}

TEST_F(RealFileSystem, ALockGoesWithItsProcess) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto* leaked = new absl::StatusOr<std::unique_ptr<FileLock>>(fs_->Lock(Path("LOCK")));
    ::_exit(leaked->ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs_->Lock(Path("LOCK")).ok());
}

}  // namespace
}  // namespace drover::base
