#include "worker/exec/reaper_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "worker/exec/reaper.h"

namespace drover::worker::exec {
namespace {

// Above the numbers that the child is given, so that no dup2 hits another's source.
constexpr int kLowestFd = 16;

Fd Raise(int fd) {
  return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, kLowestFd));
}

}  // namespace

absl::StatusOr<ReaperProcess> SpawnReaper(const std::string& binary, const std::string& directory, int lease_fd) {
  const auto failed = [](const char* what, int error) {
    return absl::InternalError(absl::StrCat("reaper: ", what, ": ", std::strerror(error)));
  };
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair", errno);
  ReaperProcess reaper{.control = Fd(ends[0])};
  Fd theirs(ends[1]);
  theirs = Raise(theirs.get());
  const Fd lease = Raise(lease_fd);
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!theirs.open() || !lease.open() || !null.open()) return failed("descriptors", errno);
  const Fd null_high = Raise(null.get());

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // stderr stays: the last word may have something to say.
  ::posix_spawn_file_actions_adddup2(&actions, null_high.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, null_high.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), kControlFd);
  ::posix_spawn_file_actions_adddup2(&actions, lease.get(), kLeaseFd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  std::string name = "drover-reaper", argument = kReaperArgument, where = directory;
  char* const argv[] = {name.data(), argument.data(), where.data(), nullptr};
  const int error = ::posix_spawn(&reaper.pid, binary.c_str(), &actions, &attributes, argv, environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failed(binary.c_str(), error);
  return reaper;
}

}  // namespace drover::worker::exec
