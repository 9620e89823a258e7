// Group commit: while one batch is written and synced on the disk's thread, the next one gathers.
#ifndef DROVER_COORD_SERVER_LOG_WRITER_H_
#define DROVER_COORD_SERVER_LOG_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/loop.h"
#include "coord/log/data_directory.h"
#include "coord/log/log.h"
#include "coord/raft/output.h"
#include "coord/raft/types.h"

namespace drover::coord::server {

// The open log and its directory; they go together.
struct Disk {
  std::unique_ptr<log::DataDirectory> directory;
  std::unique_ptr<log::Log> log;
};

// Loop thread. From construction on the disk belongs to the executor's work; the writer may be destroyed while a batch is under
// way.
class LogWriter {
 public:
  struct Options {
    base::Duration disk_full_retry = std::chrono::milliseconds(500);
    // After so long without a write the last frame is marked as synced, so that damage to it is not taken for a torn write.
    base::Duration prove_after = std::chrono::seconds(1);
    // Between two steps of recycling; each waits until no batch is under way, but looks for that at most so often.
    base::Duration recycle_every = std::chrono::milliseconds(50);
    int recycle_looks_max = 10;
  };
  struct Written {
    std::uint64_t sequence = 0;  // of the newest raft::Write in it
    std::size_t entries = 0;
    std::size_t bytes = 0;  // of payloads
    base::Duration took{};
  };
  struct Events {
    std::function<void(const Written&)> written;  // a batch is durable
    // The disk has no space for the batch under way (true), or has again (false). Told at each change; nothing is lost meanwhile.
    std::function<void(bool full)> disk_full;
    // The log is not to be trusted any more, nothing will be written again.
    std::function<void(const absl::Status&)> failed;
  };
  LogWriter(base::Loop* loop, base::Executor* executor, Disk disk, const Options& options, Events events);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // In order; joined with what waits already. `commit`: what is known to be committed.
  void Add(raft::Write write, raft::Index commit);
  // Entries of the log from `first` on, at least one, as of all writes under way; none if they are not there. `done` runs on the
  // loop. An error of the disk, or damage, is a failure of the log: `failed` is told instead.
  void Read(raft::Index first, std::size_t bytes, std::function<void(std::vector<raft::Entry>)> done);

  // Drops the log's segments that hold nothing behind `through`, which is durable: the caller has a snapshot that ends there, or
  // behind it. `done` is told the index of the log's first entry then. Errors as Read.
  void Compact(raft::Index through, std::function<void(raft::Index)> done);

  // Promises `level` in the data directory; `done` runs on the loop: true when it is durable, false if the disk is full. Another
  // error is a failure of the log, as of a write.
  void Promise(base::FeatureLevel level, std::function<void(bool)> done);
  // The directory's identity is to be whole again, if it is not. Errors as Promise; on a full disk it is as it was.
  void MendIdentity();

  // The last try found no space; it is repeated until there is.
  [[nodiscard]] bool disk_full() const { return disk_full_; }
  // How long the write under way has taken so far; 0: none is.
  [[nodiscard]] base::Duration StalledFor() const { return busy_ ? loop_->Now() - busy_since_ : base::Duration::zero(); }
  // What the log takes on the disk, as of the last batch.
  [[nodiscard]] std::uint64_t log_bytes() const { return log_bytes_; }

 private:
  struct Job;

  void WriteNext();
  void OnDone(const std::shared_ptr<Job>& job);
  void Prove();
  // One step of making dropped segments ready for use again; further ones follow while nothing is written.
  void Recycle();
  void Break(const absl::Status& status);
  void Run(std::shared_ptr<Job> job);
  void ChangeDirectory(std::function<absl::Status(log::DataDirectory*)> change, std::function<void(bool)> done);

  base::Loop* const loop_;
  base::Executor* const executor_;
  const std::shared_ptr<Disk> disk_;
  const Options options_;
  const Events events_;

  log::AppendRequest gathering_;
  std::uint64_t gathered_ = 0;     // sequence of the newest write in it
  raft::Index submitted_last_;     // the log's end after the writes that are under way
  std::shared_ptr<Job> retrying_;  // found no space
  bool busy_ = false;
  base::Instant busy_since_;
  bool broken_ = false;
  bool disk_full_ = false;
  bool recycles_ = false;  // a segment was dropped, and may not be ready yet
  int recycle_looks_ = 0;  // in vain
  std::uint64_t log_bytes_;
  base::Timer timer_;  // of the next retry, or of the mark
  base::Timer recycle_timer_;
  std::shared_ptr<LogWriter*> self_;  // completions may outlive the writer
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_LOG_WRITER_H_
