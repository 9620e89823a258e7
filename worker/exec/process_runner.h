// Runs task programs: the seam between the agent, which decides, and processes.
//
// Implementations: LocalRunner (local_runner.h: reaper, shims and real processes); a simulated one runs scripts on simulated time.
// Threads: every call is made, and every listener called, on the loop thread. No listener is called from inside a call.
#ifndef DROVER_WORKER_EXEC_PROCESS_RUNNER_H_
#define DROVER_WORKER_EXEC_PROCESS_RUNNER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/bytes.h"
#include "coord/base/strong.h"
#include "coord/base/time.h"

namespace drover::worker::exec {

// One run of one program; never reused within a worker process.
using RunId = base::Strong<struct RunIdTag>;

enum class Stream : std::uint8_t { kOut = 0, kErr = 1, kResult = 2 };
inline constexpr std::size_t kStreams = 3;

// Longest line that a program may write to its progress, and how large its result may be.
inline constexpr std::size_t kProgressLineBytesMax = 512;
inline constexpr std::uint64_t kResultBytesMax = std::uint64_t{64} << 20;

// Who ended a program, or told it to end. The first one stands.
enum class KilledBy : std::uint8_t {
  kNobody = 0,
  kCancel = 1,     // a user's wish
  kTimeLimit = 2,  // TaskRun::time_limit
  kLease = 3,      // the lease of a TaskRun::needs_lease ended
  kRevoked = 4,    // the attempt no longer stands: its outcome could not be committed
  kDrain = 5,      // the worker stops and waits no longer
  kSilence = 6,    // it gave no sign of life for too long
};

struct TaskRun {
  // Not empty: no program but a function of the worker's own process (worker/handlers), whose input is the standard input.
  std::string handler;
  // argv[0] is looked up in the task's own PATH unless it has a slash. Not empty.
  std::vector<std::string> argv;
  // The whole environment but TMPDIR, unless it is given, and DROVER_PROGRESS (a FIFO that takes lines: OnProgress) and
  // DROVER_RESULT (a regular file that it may make: Stream::kResult). Nothing is inherited.
  std::vector<std::pair<std::string, std::string>> env;
  // Absolute; empty: a fresh directory, removed afterwards.
  std::string cwd;
  // Standard input: `stdin_file` if set, else `stdin_bytes` (shared, not copied, until the program has started), else /dev/null.
  base::Bytes stdin_bytes;
  std::string stdin_file;
  // From the start of the program; then SIGTERM, `grace`, SIGKILL. Zero: none.
  base::Duration time_limit{};
  base::Duration grace = std::chrono::seconds(10);
  // Starts only before the lease's deadline and is killed (SIGKILL at once) at it.
  bool needs_lease = false;
};

struct Exit {
  enum class Kind : std::uint8_t {
    kExited,      // `code`; of a handler that failed also `sentence`
    kSignalled,   // `signal`
    kNotStarted,  // it never ran: `error` (errno) and `sentence`; with killed_by kLease: the lease had ended
    kLost,        // the reaper or its shim died: its processes are dead, how it ended is unknown
  };
  Kind kind = Kind::kLost;
  int code = 0;
  int signal = 0;
  int error = 0;
  KilledBy killed_by = KilledBy::kNobody;
  std::string sentence;
  // Larger than kResultBytesMax, so it was not read; 0: it was, or there was none.
  std::uint64_t result_refused_bytes = 0;
};

class RunListener {
 public:
  // The program runs (exec has succeeded).
  virtual void OnStarted() = 0;
  // What it wrote, in order per stream. At most RunnerOptions::unacked_bytes_max are handed out before they are acknowledged by
  // ProcessRunner::Ack; until then its pipe fills and the program waits in write().
  // Its result comes once it has exited with 0, as kResult.
  virtual void OnOutput(Stream stream, base::Bytes data) = 0;
  // The newest line that it wrote to its progress, without its end; those that came in between are left out. At most ten a second.
  virtual void OnProgress(std::string line) = 0;
  // Last event, after all output: the program and everything it ever started are dead, its directory is gone.
  virtual void OnExit(const Exit& exit) = 0;

 protected:
  ~RunListener() = default;
};

class ProcessRunner {
 public:
  // A destroyed runner kills what it runs; no listener is called any more.
  virtual ~ProcessRunner() = default;

  // Never fails at once: what goes wrong is OnExit(kNotStarted). `listener` must live until OnExit or the runner's end.
  virtual RunId Start(TaskRun run, RunListener* listener) = 0;
  // SIGTERM to the program's process group, after `grace` SIGKILL to all it started; zero grace: SIGKILL at once. A second call may
  // shorten the grace; the first reason stands. A run that has ended is ignored.
  virtual void Kill(RunId run, KilledBy reason, base::Duration grace) = 0;
  // Takes `bytes` of OnOutput off the bound. A run that has ended is ignored.
  virtual void Ack(RunId run, std::size_t bytes) = 0;
  // Runs with needs_lease may live until then. Only later instants count: moving it back has no effect.
  virtual void SetLease(base::Instant deadline) = 0;
  // What whoever survives this process is to act upon once its tasks are dead (the reaper's callback gets it). Empty: nothing.
  virtual void SetLastWill(std::string will) = 0;
};

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_PROCESS_RUNNER_H_
