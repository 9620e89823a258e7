// Starts a task's program: the child's side of fork and exec.
#ifndef DROVER_WORKER_EXEC_PROGRAM_H_
#define DROVER_WORKER_EXEC_PROGRAM_H_

#include <sys/types.h>

#include "worker/exec/fd.h"
#include "worker/exec/scratch.h"
#include "worker/exec/wire.h"

namespace drover::worker::exec {

// What the child writes to Launched::failure when it cannot become the program.
struct LaunchFailure {
  Stage stage = Stage::kNone;
  int error = 0;
};

struct Launched {
  pid_t pid = -1;  // -1: fork failed with `error`
  int error = 0;
  // End of file: the program runs. Else one LaunchFailure.
  Fd failure;
};

// Forks a child that leads a session of its own, dies with its parent, has these three descriptors and no other, default signal
// dispositions, and the environment of `spec` plus TMPDIR. For a single-threaded caller.
Launched Launch(const ProgramSpec& spec, const Scratch& scratch, int in, int out, int err);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_PROGRAM_H_
