// The worker's side of starting a reaper.
#ifndef DROVER_WORKER_EXEC_REAPER_PROCESS_H_
#define DROVER_WORKER_EXEC_REAPER_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "worker/exec/fd.h"

namespace drover::worker::exec {

// Where a reaper finds what it was given.
inline constexpr int kControlFd = 3;
inline constexpr int kLeaseFd = 4;

struct ReaperProcess {
  pid_t pid = -1;
  Fd control;
};

// posix_spawn: safe with threads running. The reaper is ready when it has sent its HelloMessage.
absl::StatusOr<ReaperProcess> SpawnReaper(const std::string& binary, const std::string& directory, int lease_fd);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_REAPER_PROCESS_H_
