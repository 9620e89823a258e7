// What the process says by its exit code. A contract with scripts.
#ifndef DROVER_CLIENT_CLI_EXIT_CODE_H_
#define DROVER_CLIENT_CLI_EXIT_CODE_H_

#include <vector>

#include "absl/status/status.h"
#include "drover/client/task.h"

namespace drover::cli {

enum ExitCode : int {
  kOk = 0,
  kOther = 1,
  kUsage = 2,
  kTaskFailed = 3,  // or was lost
  kTaskCancelled = 4,
  kTimedOut = 5,  // waiting
  kNotFound = 6,
  kUnavailable = 7,  // core or master
  kRefused = 8,      // limit or conflict
};

[[nodiscard]] int ExitCodeOf(const absl::Status& status);

// Of a wait for all of them (each terminal): 0 if all succeeded, else 3 if one failed or was lost, else 4. (Before those goes what
// ended the wait early, 5 or 7; after them 6, of a task that is not there: WaitFor.)
[[nodiscard]] int ExitCodeOf(const std::vector<client::Task>& tasks);

// Of `drover run`: the program's own code, 128 + signal, or what ended the task instead.
[[nodiscard]] int ExitCodeOfProgram(const client::Task& task);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_EXIT_CODE_H_
