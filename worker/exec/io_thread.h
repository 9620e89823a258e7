// The runner's I/O thread: talks to the reaper, reads the pipes of all runs, replaces a dead reaper.
//
// It exists because the loop polls gRPC's completion queue and no descriptors. It decides nothing: commands in, events out.
// Threads: Create, Run and the destructor on one thread; Push and reaper_pid on any.
#ifndef DROVER_WORKER_EXEC_IO_THREAD_H_
#define DROVER_WORKER_EXEC_IO_THREAD_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "coord/base/bytes.h"
#include "worker/exec/fd.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::exec {

struct IoCommand {
  enum class Type : std::uint8_t { kStart, kKill, kAck, kWill, kWatch };
  Type type = Type::kStart;
  RunId run;
  std::unique_ptr<TaskRun> start;
  KilledBy reason = KilledBy::kNobody;
  base::Duration grace{};
  std::size_t bytes = 0;
  std::string will;
};

struct IoEvent {
  enum class Type : std::uint8_t { kStarted, kOutput, kProgress, kExit, kReaperLost };
  Type type = Type::kStarted;
  RunId run;
  Stream stream = Stream::kOut;
  base::Bytes data;
  std::string line;
  Exit exit;
};

struct IoOptions {
  std::string directory;  // absolute, made; the reaper removes it
  std::string reaper_binary;
  std::size_t unacked_bytes_max = 1 << 20;
};

class IoThread {
 public:
  // Starts the reaper and waits until it is ready. `lease` is the memfd that reapers are given.
  static absl::StatusOr<std::unique_ptr<IoThread>> Create(IoOptions options, Fd lease);
  // Lets the reaper kill what runs and waits for its end.
  virtual ~IoThread() = default;

  // Starts the thread; `deliver` is called on it.
  virtual void Run(std::function<void(IoEvent)> deliver) = 0;
  virtual void Push(IoCommand command) = 0;
  [[nodiscard]] virtual pid_t reaper_pid() const = 0;
};

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_IO_THREAD_H_
