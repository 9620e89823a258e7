// How many files and sockets this process may have open (RLIMIT_NOFILE): a server takes as many as it is allowed.
//
// The usual soft limit of 1,024 is for programs that use select; each stream, link and segment of a server is a descriptor. The
// limit is inherited by programs that this process starts: who starts programs of others leaves it as it is.
#ifndef DROVER_COORD_PROCESS_FILE_LIMIT_H_
#define DROVER_COORD_PROCESS_FILE_LIMIT_H_

#include <cstdint>

#include "coord/process/logging.h"

namespace drover::process {

struct FileLimit {
  std::uint64_t before = 0;  // the soft limit as it was found
  std::uint64_t now = 0;     // and as it is
  std::uint64_t hard = 0;
};

// Raises the soft limit to the hard one; says both to `log` at debug level. Where the system refuses, the limit stays as it was and
// that is a warning: a server works with few, too. At the start of a process, before its other threads.
FileLimit RaiseFileLimit(const Logger& log);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_FILE_LIMIT_H_
