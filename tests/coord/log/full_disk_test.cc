// A disk that is really full: a small tmpfs, in a mount namespace of a child process of the test's own.
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

#define RETURN_UNLESS(condition, words) \
  if (!(condition)) return absl::StrCat(#condition, ": ", words)

// Empty if all is as it should be. Runs in the child, on a tmpfs of 1 MiB at `mount`.
std::string FillTheDisk(const std::string& mount) {
  const auto fs = base::NewRealFileSystem();
  const std::string path = mount + "/data";
  Options options;
  options.cluster_if_new = kCluster;
  options.segment_bytes = 128 << 10;
  { std::ofstream(mount + "/ballast") << std::string(256 << 10, 'b'); }
  auto directory = DataDirectory::Open(fs.get(), path);
  RETURN_UNLESS(directory.ok(), directory.status().ToString());
  RETURN_UNLESS((*directory)->CreateIdentity(base::NodeId(1), base::Incarnation(77)).ok(), "identity");
  auto log = Log::Open(directory->get(), options);
  RETURN_UNLESS(log.ok(), log.status().ToString());
  Model model;
  const auto append = [&](int entries) {
    AppendRequest request;
    request.hard_state = MakeHardState(1, 1);
    for (int i = 0; i < entries; ++i) request.entries.push_back(MakeEntry(1, model.last() + 1 + i, std::string(5000, 'x')));
    const absl::Status status = (*log)->Append(request);
    if (status.ok()) model.Apply(request);
    return status;
  };
  absl::Status status;
  while (status.ok() && model.last() < 1000) status = append(3);
  RETURN_UNLESS(absl::IsResourceExhausted(status), status.ToString());
  RETURN_UNLESS(model.last() > 60, model.last());
  for (int i = 0; i < 5; ++i) RETURN_UNLESS(absl::IsResourceExhausted(append(30)), "a full disk takes no more");
  RETURN_UNLESS(!(*log)->poisoned(), "a full disk is no broken one");
  const auto full = ReadAll(log->get());
  RETURN_UNLESS(full.ok() && *full == model, "it stays readable, and shows only what was acknowledged");

  // A restart needs a little space; until there is some it says so and changes nothing.
  log->reset();
  { std::ofstream(mount + "/filler") << std::string(1 << 20, 'f'); }
  const absl::Status reopened = Log::Open(directory->get(), options).status();
  RETURN_UNLESS(absl::IsResourceExhausted(reopened), reopened.ToString());
  std::filesystem::remove(mount + "/filler");
  std::filesystem::remove(mount + "/ballast");
  log = Log::Open(directory->get(), options);
  RETURN_UNLESS(log.ok(), log.status().ToString());
  const auto recovered = ReadAll(log->get());
  RETURN_UNLESS(recovered.ok() && *recovered == model, "all that was acknowledged is there, and no part of the rest");
  RETURN_UNLESS(append(3).ok(), "there is space again");
  return "";
}

TEST(FullDisk, StaysReadableAcknowledgesNoPartAndGoesOnWhenThereIsSpace) {
  std::string mount = ::testing::TempDir() + "drover-full-XXXXXX";
  ASSERT_NE(::mkdtemp(mount.data()), nullptr);
  int result[2];
  ASSERT_EQ(::pipe(result), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::string words;
    // Where this is not root, a user namespace makes it the root of its own mounts.
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      words = absl::StrCat("unshare: ", std::strerror(errno));
    } else if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
               ::mount("none", mount.c_str(), "tmpfs", 0, "size=1m") != 0) {
      words = absl::StrCat("mount: ", std::strerror(errno));
    } else {
      words = FillTheDisk(mount);
    }
    if (words.empty()) words = "ok";
    ::_exit(::write(result[1], words.data(), words.size()) > 0 ? 0 : 1);
  }
  ::close(result[1]);
  std::string words(4096, '\0');
  const ssize_t size = ::read(result[0], words.data(), words.size());
  ::close(result[0]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  words.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  EXPECT_EQ(words, "ok");
  std::filesystem::remove_all(mount);
}

}  // namespace
}  // namespace drover::coord::log
