// The reaper: a helper process beside the worker that outlives it. It forks a shim per task (shim.h) and, when the worker is gone,
// has every task killed and only then says so.
//
// It is the same binary with a hidden first argument, so main() begins with:
//
//   if (auto code = exec::RunIfReaper(argc, argv, [](absl::string_view will) { ... })) return *code;
//
// before it starts a thread: the reaper forks and so must stay single-threaded until its last word.
#ifndef DROVER_WORKER_EXEC_REAPER_H_
#define DROVER_WORKER_EXEC_REAPER_H_

#include <functional>
#include <optional>

#include "absl/strings/string_view.h"

namespace drover::worker::exec {

// Called in the reaper process once the worker is gone without an orderly end, every process of every task is dead, and the will
// that the worker last set is not empty. It may start threads; the reaper exits when it returns.
using LastWord = std::function<void(absl::string_view will)>;

// The hidden first argument.
inline constexpr char kReaperArgument[] = "__reaper";

// If this process was started as a reaper: runs to the end of the reaper's life, and returns its exit code.
std::optional<int> RunIfReaper(int argc, char** argv, const LastWord& last_word);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_REAPER_H_
