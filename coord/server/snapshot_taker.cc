#include "coord/server/snapshot_taker.h"

#include <utility>

#include "coord/base/check.h"

namespace drover::coord::server {

// The executor's, one job after another; the loop reads `status` and `done` only between them.
struct SnapshotTaker::Run {
  log::SnapshotHead head;
  std::unique_ptr<log::SnapshotWriter> writer;
  absl::Status status;
  bool done = false;
  std::uint64_t nodes = 0;  // the loop's
};

SnapshotTaker::SnapshotTaker(SnapshotSeams seams, const Options& options, Events events)
    : seams_(std::move(seams)),
      options_(options),
      events_(std::move(events)),
      timer_(seams_.loop),
      self_(std::make_shared<SnapshotTaker*>(this)) {}

SnapshotTaker::~SnapshotTaker() = default;

void SnapshotTaker::Begin(tree::StateMachine* machine, const log::SnapshotHead& head) {
  DROVER_CHECK(!active());
  run_ = std::make_shared<Run>();
  run_->head = head;
  began_ = seams_.loop->Now();
  waiting_ = 0;
  walk_ = std::make_unique<tree::SnapshotWalk>(machine, seams_.loop->WallNow());
  timer_.Set(base::Duration::zero(), [this] { Slice(); });
}

void SnapshotTaker::Abort() {
  timer_.Cancel();
  walk_.reset();
  if (run_ == nullptr) return;
  seams_.executor->Submit(
      [run = std::exchange(run_, nullptr)] {
        if (run->writer != nullptr) run->writer->Discard();
      },
      [] {});
}

void SnapshotTaker::Slice() {
  if (waiting_ >= options_.parts_max) return;  // OnWritten goes on
  const bool more = walk_->Step(options_.slice_things, options_.slice_bytes + walk_->part_bytes());
  if (more && walk_->part_bytes() < options_.part_bytes) {
    timer_.Set(options_.slice_pause, [this] { Slice(); });
    return;
  }
  do {
    HandOver();
  } while (walk_ != nullptr && (walk_->has_more_parts() || walk_->finished()));
  if (more) timer_.Set(options_.slice_pause, [this] { Slice(); });
}

void SnapshotTaker::HandOver() {
  std::string part = walk_->TakePart();
  const bool last = walk_->finished() && !walk_->has_more_parts() && walk_->part_bytes() == 0;
  run_->nodes = walk_->nodes();
  ++waiting_;
  seams_.executor->Submit(
      [run = run_, part = std::move(part), last, files = seams_.files, directory = seams_.directory, options = options_.file] {
        if (!run->status.ok()) return;
        if (run->writer == nullptr) {
          auto writer = log::SnapshotWriter::Begin(files, directory, run->head, options);
          run->status = writer.status();
          if (!writer.ok()) return;
          run->writer = *std::move(writer);
        }
        run->status = run->writer->Add(part);
        if (!run->status.ok() || !last) return;
        run->status = run->writer->Finish();
        run->done = run->status.ok();
      },
      [run = run_, self = std::weak_ptr<SnapshotTaker*>(self_)] {
        if (const auto taker = self.lock()) (*taker)->OnWritten(run);
      });
  if (last) walk_.reset();
}

void SnapshotTaker::OnWritten(const std::shared_ptr<Run>& run) {
  if (run != run_) return;  // given up
  const bool walk_waited = waiting_ == options_.parts_max;
  --waiting_;
  if (!run->status.ok()) {
    const absl::Status status = run->status;
    Abort();
    return events_.failed(status);
  }
  if (run->done) {
    const Taken taken{run->head.at.index, run->writer->bytes(), run->nodes, seams_.loop->Now() - began_};
    run_.reset();
    return events_.taken(taken);
  }
  if (walk_waited && walk_ != nullptr && !timer_.armed()) timer_.Set(options_.slice_pause, [this] { Slice(); });
}

}  // namespace drover::coord::server
