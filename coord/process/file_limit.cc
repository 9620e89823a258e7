#include "coord/process/file_limit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

namespace drover::process {

FileLimit RaiseFileLimit(const Logger& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log.Warning("the limit of open files is not known", {{"error", strerror(errno)}});
    return {};
  }
  FileLimit result{limit.rlim_cur, limit.rlim_cur, limit.rlim_max};
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
    result.now = limit.rlim_cur;
  } else {
    log.Warning("the limit of open files stays as it was", {{"error", strerror(errno)}});
  }
  log.Debug("limit of open files", {{"before", result.before}, {"now", result.now}, {"hard", result.hard}});
  return result;
}

}  // namespace drover::process
