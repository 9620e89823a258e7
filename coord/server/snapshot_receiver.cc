#include "coord/server/snapshot_receiver.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/checksum.h"
#include "coord/base/hooks.h"
#include "coord/base/status.h"
#include "coord/log/snapshots.h"
#include "coord/server/recovery.h"

namespace drover::coord::server {

// The executor's, one job after another; the loop reads what it has written only between them.
struct SnapshotReceiver::Incoming {
  std::uint64_t id = 0;  // these three do not change
  raft::Index index;
  std::uint64_t size = 0;

  std::unique_ptr<log::IncomingSnapshot> file;
  std::uint64_t written = 0;
  absl::Status status;
  log::SnapshotHead head;
  std::unique_ptr<tree::StateMachine> state;

  absl::Status Write(base::FileSystem* files, const std::string& directory, absl::string_view piece) {
    if (file == nullptr) {
      DROVER_ASSIGN_OR_RETURN(file, log::IncomingSnapshot::Begin(files, directory, index, size));
    }
    DROVER_RETURN_IF_ERROR(file->Write(piece));
    written = file->received();
    return absl::OkStatus();
  }
  absl::Status Load(base::FileSystem* files, base::ClusterId cluster, base::FeatureLevel known, const tree::Options& tree) {
    DROVER_ASSIGN_OR_RETURN(const auto reader, log::SnapshotReader::Open(files, file->path(), cluster));
    head = reader->head();
    if (head.id != id || head.at.index != index) return absl::DataLossError("the snapshot is another one than it was said to be");
    DROVER_ASSIGN_OR_RETURN(state, LoadSnapshot(reader.get(), tree, nullptr, known));
    return file->Adopt();
  }
};

SnapshotReceiver::SnapshotReceiver(SnapshotSeams seams, base::ClusterId cluster, base::FeatureLevel known,
                                   const tree::Options& tree, const Options& options, Events events)
    : seams_(std::move(seams)),
      cluster_(cluster),
      known_(known),
      tree_(tree),
      options_(options),
      events_(std::move(events)),
      self_(std::make_shared<SnapshotReceiver*>(this)) {}

SnapshotReceiver::~SnapshotReceiver() = default;

void SnapshotReceiver::OnChunk(base::NodeId from, const SnapshotChunk& chunk) {
  if (chunk.index == raft::Index() || chunk.size > options_.bytes_max || chunk.offset > chunk.size ||
      chunk.data.size() > chunk.size - chunk.offset || base::Checksum(chunk.data.view()) != chunk.checksum) {
    return;
  }
  const bool same = file_ != nullptr && file_->id == chunk.id && file_->index == chunk.index && file_->size == chunk.size;
  if (!same) {
    if (file_ != nullptr && seams_.loop->Now() - heard_ < options_.patience) return;
    Drop();
    Begin(from, chunk);
  }
  from_ = from;
  heard_ = seams_.loop->Now();
  // Out of order: one before it was lost. The sender learns where this stands.
  if (chunk.offset != taken_ || chunk.data.empty()) return Acknowledge();
  taken_ += chunk.data.size();
  seams_.executor->Submit(
      [file = file_, files = seams_.files, directory = seams_.directory, data = chunk.data] {
        if (file->status.ok()) file->status = file->Write(files, directory, data.view());
      },
      [file = file_, self = std::weak_ptr<SnapshotReceiver*>(self_)] {
        if (const auto receiver = self.lock()) (*receiver)->OnWritten(file);
      });
}

void SnapshotReceiver::Begin(base::NodeId from, const SnapshotChunk& chunk) {
  from_ = from;
  file_ = std::make_shared<Incoming>();
  file_->id = chunk.id;
  file_->index = chunk.index;
  file_->size = chunk.size;
  taken_ = 0;
  began_ = seams_.loop->Now();
}

void SnapshotReceiver::Acknowledge() {
  events_.ack(from_, SnapshotAck{file_->id, file_->written});
}

void SnapshotReceiver::OnWritten(const std::shared_ptr<Incoming>& file) {
  if (file != file_) return;  // dropped
  if (!file->status.ok()) {
    const absl::Status status = file->status;
    Drop();
    return events_.failed(status);
  }
  Acknowledge();
  if (file->written == file->size) Finish();
}

void SnapshotReceiver::Finish() {
  seams_.executor->Submit(
      [file = file_, files = seams_.files, cluster = cluster_, known = known_, tree = tree_] {
        file->status = file->Load(files, cluster, known, tree);
        if (!file->status.ok()) file->file->Discard();
      },
      [file = file_, self = std::weak_ptr<SnapshotReceiver*>(self_)] {
        if (const auto receiver = self.lock()) (*receiver)->OnFinished(file);
      });
}

void SnapshotReceiver::OnFinished(const std::shared_ptr<Incoming>& file) {
  if (file != file_) return;
  file_.reset();
  if (!file->status.ok()) {
    DROVER_PROBE("server: a snapshot that came is damaged");
    events_.ack(from_, SnapshotAck{file->id, 0});
    return events_.failed(file->status);
  }
  events_.received({std::move(file->head), std::move(file->state), file->size, seams_.loop->Now() - began_});
}

void SnapshotReceiver::Drop() {
  if (file_ == nullptr) return;
  seams_.executor->Submit(
      [file = std::exchange(file_, nullptr)] {
        if (file->file != nullptr) file->file->Discard();
      },
      [] {});
}

}  // namespace drover::coord::server
