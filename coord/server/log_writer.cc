#include "coord/server/log_writer.h"

#include <utility>

namespace drover::coord::server {

// Made on the loop, filled in by the disk's thread, read on the loop again: never by both at once.
struct LogWriter::Job {
  std::shared_ptr<Disk> disk;
  bool prove = false;
  log::AppendRequest request;
  base::Instant began;
  absl::Status status;
  std::uint64_t log_bytes = 0;
};

LogWriter::LogWriter(base::Loop* loop, base::Executor* executor, Disk disk, const Options& options, Events events)
    : loop_(loop),
      executor_(executor),
      disk_(std::make_shared<Disk>(std::move(disk))),
      options_(options),
      events_(std::move(events)),
      log_bytes_(disk_->log->bytes()),
      timer_(loop),
      self_(std::make_shared<LogWriter*>(this)) {}

LogWriter::~LogWriter() = default;

void LogWriter::Add(const std::optional<raft::HardState>& hard_state, std::vector<raft::Entry> entries, raft::Index commit) {
  if (hard_state) gathering_.hard_state = hard_state;
  for (raft::Entry& entry : entries) gathering_.entries.push_back(std::move(entry));
  gathering_.commit = commit;
  WriteNext();
}

void LogWriter::WriteNext() {
  if (busy_ || broken_ || retrying_ != nullptr) return;
  if (!gathering_.hard_state && gathering_.entries.empty()) return;
  auto job = std::make_shared<Job>();
  job->request = std::exchange(gathering_, {});
  job->began = loop_->Now();
  Run(std::move(job));
}

void LogWriter::Run(std::shared_ptr<Job> job) {
  busy_ = true;
  timer_.Cancel();
  job->disk = disk_;
  executor_->Submit(
      [job] {
        log::Log* log = job->disk->log.get();
        job->status = job->prove ? log->Prove() : log->Append(job->request);
        job->log_bytes = log->bytes();
      },
      [job, self = std::weak_ptr<LogWriter*>(self_)] {
        if (const auto writer = self.lock()) (*writer)->OnDone(job);
      });
}

void LogWriter::OnDone(const std::shared_ptr<Job>& job) {
  busy_ = false;
  log_bytes_ = job->log_bytes;
  const bool no_space = absl::IsResourceExhausted(job->status);
  if (!job->status.ok() && !no_space) {
    broken_ = true;
    events_.failed(job->status);
    return;
  }
  if (job->prove) return WriteNext();
  if (no_space) {
    retrying_ = job;
    timer_.Set(options_.disk_full_retry, [this] { Run(std::exchange(retrying_, nullptr)); });
  }
  if (std::exchange(disk_full_, no_space) != no_space) events_.disk_full(no_space);
  if (no_space) return;
  Written written;
  if (!job->request.entries.empty()) {
    written.last = job->request.entries.back().index;
    written.last_term = job->request.entries.back().term;
  }
  written.entries = job->request.entries.size();
  for (const raft::Entry& entry : job->request.entries) written.bytes += entry.payload.size();
  written.took = loop_->Now() - job->began;
  WriteNext();
  if (!busy_) timer_.Set(options_.prove_after, [this] { Prove(); });
  events_.written(written);
}

void LogWriter::Prove() {
  auto job = std::make_shared<Job>();
  job->prove = true;
  job->began = loop_->Now();
  Run(std::move(job));
}

}  // namespace drover::coord::server
