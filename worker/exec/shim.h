// A shim: the process between reaper and program, one per task. Subreaper of that task alone, it stays until everything the task
// started is dead.
//
// It kills the whole tree when told, at the time limit, at the lease's deadline, when the program has ended (what it left in the
// background is killed too), and when its reaper is gone. It reports on the control socket by itself; a worker that reads
// end-of-file there knows that every shim has finished.
#ifndef DROVER_WORKER_EXEC_SHIM_H_
#define DROVER_WORKER_EXEC_SHIM_H_

#include <cstdint>
#include <string>

#include "worker/exec/fd.h"
#include "worker/exec/lease.h"

namespace drover::worker::exec {

// What a shim is given by the reaper's fork.
struct ShimSetup {
  std::uint64_t run = 0;
  int control = -1;  // only written
  Fd orders;         // KillMessages from the reaper; end of file: the reaper is gone
  Fd spec, in, out, err;
  const LeasePage* lease = nullptr;
  std::string directory;  // where the task's own is made
};

// The rest of the calling process's life. Called right after fork in a single-threaded process; the caller has closed what is not
// in the setup.
[[noreturn]] void RunShim(ShimSetup setup);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_SHIM_H_
