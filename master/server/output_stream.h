// One ReadOutput call: an attempt's output from an offset on, and with `follow` until the attempt has ended and all is sent.
//
// Output is in the store as numbered chunks while the program runs; the last bytes of the newest attempt are in its record. So
// chunks are read until the record says how many there are, then the record's own bytes follow. Of an older attempt all is in the
// store, and the first chunk that is not there is its end. A chunk that is not there yet is looked for again every `poll` and when
// the task changes.
//
// Bounded: nothing is read from the store while a megabyte waits in the transport. Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_OUTPUT_STREAM_H_
#define DROVER_MASTER_SERVER_OUTPUT_STREAM_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/store/object_store.h"
#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "drover/task/v1/task.pb.h"
#include "master/pool/pool_store.h"
#include "master/server/master.h"

namespace drover::master::server {

struct OutputStreamOptions {
  base::Duration poll = std::chrono::milliseconds(100);
  std::size_t frame_bytes = std::size_t{256} << 10;
  std::size_t queued_bytes_max = std::size_t{1} << 20;
};

// Enums travel as numbers, and one that this service does not know is no default. INVALID_ARGUMENT.
[[nodiscard]] absl::Status CheckReadOutput(const task::v1::ReadOutputRequest& request);

class OutputStream final : public base::ConnectionEvents, private TaskListener {
 public:
  OutputStream(base::Loop* loop, Master* master, pool::PoolStore* store, task::v1::ReadOutputRequest request,
               std::unique_ptr<base::Connection> connection, std::function<void()> on_done, OutputStreamOptions options = {});
  ~OutputStream();

  void OnFrame(base::Bytes) override {}
  void OnDrained() override { Wake(); }
  void OnClosed(base::CloseCause cause, const absl::Status& status) override;

 private:
  // What the record says of the attempt that is read.
  struct Known {
    std::uint64_t fence = 0;              // 0: no attempt yet
    bool ended = false;                   // nothing more comes
    std::optional<std::uint32_t> chunks;  // how many there are; unknown while it runs and of older attempts
    std::string tail;                     // behind the chunks
  };
  [[nodiscard]] absl::StatusOr<Known> Look();

  void OnTaskChanged(const std::string& id) override;
  void OnServiceEnded() override;
  void Wake();
  void Pump();
  void ReadChunk();
  void OnChunk(const absl::StatusOr<store::GetResult>& got);
  void SendData(absl::string_view data);
  void WaitForMore();
  void End(const absl::Status& status);

  base::Loop* const loop_;
  Master* const master_;
  pool::PoolStore* const store_;
  const task::v1::ReadOutputRequest request_;
  const OutputStreamOptions options_;
  std::unique_ptr<base::Connection> connection_;
  const std::function<void()> on_done_;
  std::uint32_t attempt_ = 0;   // the one that is read, once known
  std::uint32_t chunk_ = 0;     // to be read next
  std::uint64_t position_ = 0;  // of the first byte of that chunk
  std::uint64_t offset_ = 0;    // of the next byte to be sent
  bool started_ = false;
  bool ended_at_read_ = false;  // the attempt had ended when the chunk was asked for
  bool reading_ = false;
  bool posted_ = false;
  bool closed_ = false;
  base::Timer poll_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_OUTPUT_STREAM_H_
