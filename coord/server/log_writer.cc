#include "coord/server/log_writer.h"

#include <utility>

namespace drover::coord::server {

// Made on the loop, filled in by the disk's thread, read on the loop again: never by both at once.
struct LogWriter::Job {
  std::shared_ptr<Disk> disk;
  bool prove = false;
  log::AppendRequest request;
  std::uint64_t sequence = 0;
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
      submitted_last_(disk_->log->last_index()),
      log_bytes_(disk_->log->bytes()),
      timer_(loop),
      recycle_timer_(loop),
      self_(std::make_shared<LogWriter*>(this)) {}

LogWriter::~LogWriter() = default;

void LogWriter::Add(raft::Write write, raft::Index commit) {
  if (write.hard_state) gathering_.hard_state = write.hard_state;
  if (write.truncate_from) {
    // What was gathered and is void already need not be written; what was written before is voided by the log.
    std::vector<raft::Entry>& gathered = gathering_.entries;
    while (!gathered.empty() && gathered.back().index >= *write.truncate_from) gathered.pop_back();
    // (Nothing behind a restart is in the log yet.)
    const bool reaches_behind =
        !gathering_.restart && gathered.empty() && (!gathering_.truncate_from || *write.truncate_from < *gathering_.truncate_from);
    if (reaches_behind && *write.truncate_from <= submitted_last_) gathering_.truncate_from = write.truncate_from;
  }
  if (write.restart) {
    gathering_.entries.clear();
    gathering_.truncate_from.reset();
    gathering_.restart = std::move(write.restart);
  }
  for (raft::Entry& entry : write.entries) gathering_.entries.push_back(std::move(entry));
  gathering_.commit = commit;
  gathered_ = write.sequence;
  WriteNext();
}

void LogWriter::Read(raft::Index first, std::size_t bytes, std::function<void(std::vector<raft::Entry>)> done) {
  auto read = std::make_shared<absl::StatusOr<std::vector<raft::Entry>>>();
  executor_->Submit([disk = disk_, read, first, bytes] { *read = disk->log->Read(first, bytes); },
                    [read, done = std::move(done), self = std::weak_ptr<LogWriter*>(self_)] {
                      const auto writer = self.lock();
                      if (!writer) return;
                      if (read->ok()) return done(**std::move(read));
                      if (absl::IsOutOfRange(read->status())) return done({});
                      // Damaged, or the disk is failing. To say "not there" would make the asker believe that it is compacted.
                      (*writer)->Break(read->status());
                    });
}

void LogWriter::Compact(raft::Index through, std::function<void(raft::Index)> done) {
  struct Compaction {
    absl::Status status;
    raft::Index first;
    std::uint64_t log_bytes = 0;
  };
  auto compaction = std::make_shared<Compaction>();
  executor_->Submit(
      [disk = disk_, compaction, through] {
        compaction->status = disk->log->Compact(through.Next());
        compaction->first = disk->log->first_index();
        compaction->log_bytes = disk->log->bytes();
      },
      [compaction, done = std::move(done), self = std::weak_ptr<LogWriter*>(self_)] {
        const auto writer = self.lock();
        if (!writer) return;
        if (!compaction->status.ok()) return (*writer)->Break(compaction->status);
        (*writer)->log_bytes_ = compaction->log_bytes;
        (*writer)->recycles_ = true;
        (*writer)->Recycle();
        done(compaction->first);
      });
}

void LogWriter::Promise(base::FeatureLevel level, std::function<void(bool)> done) {
  ChangeDirectory([level](log::DataDirectory* directory) { return directory->Promise(level); }, std::move(done));
}

void LogWriter::MendIdentity() {
  ChangeDirectory([](log::DataDirectory* directory) { return directory->MendIdentity(); }, [](bool) {});
}

void LogWriter::ChangeDirectory(std::function<absl::Status(log::DataDirectory*)> change, std::function<void(bool)> done) {
  auto status = std::make_shared<absl::Status>();
  executor_->Submit([disk = disk_, status, change = std::move(change)] { *status = change(disk->directory.get()); },
                    [status, done = std::move(done), self = std::weak_ptr<LogWriter*>(self_)] {
                      const auto writer = self.lock();
                      if (!writer) return;
                      if (!status->ok() && !absl::IsResourceExhausted(*status)) return (*writer)->Break(*status);
                      done(status->ok());
                    });
}

void LogWriter::Recycle() {
  if (broken_ || !recycles_) return;
  if (disk_full_ || (busy_ && ++recycle_looks_ < options_.recycle_looks_max)) {
    recycle_timer_.Set(options_.recycle_every, [this] { Recycle(); });
    return;
  }
  recycle_looks_ = 0;
  struct Step {
    absl::StatusOr<bool> more = false;
    std::uint64_t log_bytes = 0;
  };
  auto step = std::make_shared<Step>();
  executor_->Submit(
      [disk = disk_, step] {
        step->more = disk->log->Recycle();
        step->log_bytes = disk->log->bytes();
      },
      [step, self = std::weak_ptr<LogWriter*>(self_)] {
        const auto writer = self.lock();
        if (!writer) return;
        if (!step->more.ok()) return (*writer)->Break(step->more.status());
        (*writer)->log_bytes_ = step->log_bytes;
        (*writer)->recycles_ = *step->more;
        if (*step->more) {
          (*writer)->recycle_timer_.Set((*writer)->options_.recycle_every, [w = *writer] { w->Recycle(); });
        }
      });
}

void LogWriter::Break(const absl::Status& status) {
  broken_ = true;
  events_.failed(status);
}

void LogWriter::WriteNext() {
  if (busy_ || broken_ || retrying_ != nullptr) return;
  if (!gathering_.hard_state && !gathering_.truncate_from && !gathering_.restart && gathering_.entries.empty()) return;
  auto job = std::make_shared<Job>();
  job->request = std::exchange(gathering_, {});
  job->sequence = gathered_;
  if (!job->request.entries.empty()) {
    submitted_last_ = job->request.entries.back().index;
  } else if (job->request.restart) {
    submitted_last_ = job->request.restart->index;
  } else if (job->request.truncate_from) {
    submitted_last_ = job->request.truncate_from->Previous();
  }
  job->began = loop_->Now();
  Run(std::move(job));
}

void LogWriter::Run(std::shared_ptr<Job> job) {
  busy_ = true;
  busy_since_ = loop_->Now();
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
  if (!job->status.ok() && !no_space) return Break(job->status);
  if (job->prove) return WriteNext();
  if (no_space) {
    retrying_ = job;
    timer_.Set(options_.disk_full_retry, [this] { Run(std::exchange(retrying_, nullptr)); });
  }
  if (std::exchange(disk_full_, no_space) != no_space) events_.disk_full(no_space);
  if (no_space) return;
  Written written;
  written.sequence = job->sequence;
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
