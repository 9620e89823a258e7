#include "client/store/posix.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/client/store/temp_directory.h"

namespace drover::store {
namespace {

TEST(PosixTest, ErrorsOfTheSystemHaveTheirCodes) {
  EXPECT_EQ(ErrnoStatus(ENOENT, "open", "/x").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus(EEXIST, "link", "/x").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrnoStatus(ENOSPC, "write", "/x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EDQUOT, "write", "/x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EFBIG, "write", "/x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus(EIO, "fsync", "/x").code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrnoStatus(ENOSPC, "write", "/x").message(), "write /x: No space left on device");
}

TEST(PosixTest, AFullDeviceIsResourceExhausted) {
  auto fd = OpenFile("/dev/full", O_WRONLY);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_EQ(WriteAll(fd->get(), "data", "/dev/full").code(), absl::StatusCode::kResourceExhausted);
}

TEST(PosixTest, RenameNewNeverOverwrites) {
  TempDirectory directory;
  const std::string a = directory.path() + "/a", b = directory.path() + "/b";
  for (const std::string& path : {a, b}) {
    auto fd = OpenFile(path, O_WRONLY | O_CREAT | O_EXCL);
    ASSERT_TRUE(fd.ok());
    ASSERT_TRUE(WriteAll(fd->get(), path, path).ok());
  }
  EXPECT_TRUE(absl::IsAlreadyExists(RenameNew(a, b)));
  EXPECT_TRUE(OpenFile(a, O_RDONLY).ok());
  EXPECT_TRUE(RenameNew(a, directory.path() + "/c").ok());
  EXPECT_TRUE(absl::IsNotFound(OpenFile(a, O_RDONLY).status()));
}

TEST(PosixTest, ReadExactlyNoticesAShortFile) {
  TempDirectory directory;
  const std::string path = directory.path() + "/a";
  auto fd = OpenFile(path, O_RDWR | O_CREAT);
  ASSERT_TRUE(fd.ok());
  ASSERT_TRUE(WriteAll(fd->get(), "12345", path).ok());
  EXPECT_EQ(*ReadExactly(fd->get(), 1, 3, path), "234");
  EXPECT_TRUE(absl::IsDataLoss(ReadExactly(fd->get(), 1, 5, path).status()));
}

TEST(PosixTest, MakeDirectoriesNamesWhatHasToBeSynced) {
  TempDirectory directory;
  std::vector<std::string> changed;
  ASSERT_TRUE(MakeDirectories(directory.path(), "a/b", &changed).ok());
  EXPECT_EQ(changed, (std::vector<std::string>{directory.path(), directory.path() + "/a"}));
  changed.clear();
  ASSERT_TRUE(MakeDirectories(directory.path(), "a/b/c", &changed).ok());
  EXPECT_EQ(changed, (std::vector<std::string>{directory.path() + "/a/b"}));
}

}  // namespace
}  // namespace drover::store
