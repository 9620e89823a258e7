// One attempt's standard output, error and result on their way to where readers find them.
//
// Chunks `0, 1, 2 ...` of a stream, in order, and then the last bytes in the record are the whole stream. While the program runs,
// chunks are written soon after output came, so that it can be followed; a short task with little output never touches the store,
// unless another attempt follows: the record has room for the last bytes of one attempt only.
//
// Threads: the loop's. Destroying it drops what is under way: objects may be written and are never referred to.
#ifndef DROVER_WORKER_AGENT_OUTPUT_CAPTURE_H_
#define DROVER_WORKER_AGENT_OUTPUT_CAPTURE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/bytes.h"
#include "coord/base/loop.h"
#include "drover/worker/v1/record.pb.h"
#include "master/pool/pool_store.h"
#include "worker/agent/options.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::agent {

class OutputCapture {
 public:
  // `taken(bytes)`: so much of what was appended is off the program's bound.
  OutputCapture(base::Loop* loop, const OutputOptions& options, pool::PoolStore* store, std::string task, std::uint64_t fence,
                std::function<void(std::size_t bytes)> taken);
  ~OutputCapture();
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;

  // The program runs: its age counts from now.
  void Started();
  void Append(exec::Stream stream, base::Bytes data);
  // Where the last bytes go.
  enum class Rest {
    kIntoRecord,  // as many as fit into it
    kIntoStore,   // all of them; into the record only if the store fails and they fit
  };
  // Nothing more comes. `done`: what the record says of the output, once all the rest is stored; or why it is lost. Not called from
  // inside Finish.
  void Finish(Rest rest, absl::AnyInvocable<void(absl::StatusOr<v1::Output>)> done);

 private:
  struct StreamState {
    std::string buffer;
    std::optional<base::Instant> first_unwritten;  // when the buffer's first byte came
    base::Bytes writing;                           // the chunk being put; empty: none
    std::uint64_t size = 0;
    std::uint32_t chunks = 0;
  };

  void Pump();
  [[nodiscard]] std::optional<base::Instant> DueAt(const StreamState& stream) const;
  void WriteChunk(std::size_t index);
  void Put(std::size_t index, bool again);
  void OnPut(std::size_t index, bool again, const absl::Status& status);
  void Fail(absl::Status why);
  void TakeFromProgram();
  void FinishIfDone();
  void TellRecord();
  [[nodiscard]] std::size_t Buffered() const;
  // Of all streams, whatever became of it.
  [[nodiscard]] std::uint64_t Written() const;

  base::Loop* const loop_;
  const OutputOptions options_;
  pool::PoolStore* const store_;
  const std::string task_;
  const std::uint64_t fence_;
  const std::function<void(std::size_t)> taken_;

  std::array<StreamState, exec::kStreams> streams_;
  std::optional<base::Instant> started_at_;
  std::optional<base::Instant> failing_since_;
  absl::Status failure_;
  std::size_t not_taken_ = 0;
  Rest rest_ = Rest::kIntoRecord;
  absl::AnyInvocable<void(absl::StatusOr<v1::Output>)> done_;
  base::Timer timer_;
  std::array<base::Timer, exec::kStreams>
      put_timers_;  // of the stream's chunk: how long its put may take, or when it is tried again
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_OUTPUT_CAPTURE_H_
