// A worker process to be killed: the test program with a hidden first argument.
#ifndef DROVER_TESTS_WORKER_EXEC_VICTIM_H_
#define DROVER_TESTS_WORKER_EXEC_VICTIM_H_

#include <optional>
#include <string>

namespace drover::worker::exec {

inline constexpr char kVictimArgument[] = "__victim";

// argv: kVictimArgument, work root, will, script. Runs the script as a task until it is killed, or ends in order when the task
// does.
std::optional<int> RunIfVictim(int argc, char** argv);

}  // namespace drover::worker::exec

#endif  // DROVER_TESTS_WORKER_EXEC_VICTIM_H_
