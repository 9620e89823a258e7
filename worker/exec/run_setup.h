// Turns a TaskRun into the descriptors that a shim is given, and errors into sentences for people.
#ifndef DROVER_WORKER_EXEC_RUN_SETUP_H_
#define DROVER_WORKER_EXEC_RUN_SETUP_H_

#include <string>

#include "worker/exec/fd.h"
#include "worker/exec/process_runner.h"
#include "worker/exec/wire.h"

namespace drover::worker::exec {

struct RunSetup {
  Fd spec, in, out, err;  // the shim's
  Fd out_read, err_read;  // ours, non-blocking
  int error = 0;          // not 0: it cannot start, and `sentence` says why
  std::string sentence;
};

RunSetup SetUp(const TaskRun& run);

// At most 100 bytes or so, however long the names in it are.
std::string StartFailureSentence(Stage stage, int error, const std::string& program, const std::string& cwd);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_RUN_SETUP_H_
