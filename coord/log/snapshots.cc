#include "coord/log/snapshots.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

constexpr char kIncoming[] = ".incoming";

}  // namespace

absl::StatusOr<std::vector<raft::Index>> ListSnapshots(base::FileSystem* fs, const std::string& directory) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  std::vector<raft::Index> found;
  for (const std::string& name : names) {
    if (const std::optional<raft::Index> index = ParseSnapshotName(name)) found.push_back(*index);
  }
  return found;  // of names of one length, their order is that of the numbers
}

absl::Status RemoveUnfinishedSnapshots(base::FileSystem* fs, const std::string& directory) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, "snapshot-") || (!absl::EndsWith(name, ".tmp") && !absl::EndsWith(name, kIncoming))) continue;
    DROVER_RETURN_IF_ERROR(fs->Remove(absl::StrCat(directory, "/", name)));
  }
  return absl::OkStatus();
}

absl::Status RemoveSnapshotsBelow(base::FileSystem* fs, const std::string& directory, raft::Index index) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Index> found, ListSnapshots(fs, directory));
  for (const raft::Index at : found) {
    if (at < index) DROVER_RETURN_IF_ERROR(fs->Remove(absl::StrCat(directory, "/", SnapshotName(at))));
  }
  return absl::OkStatus();
}

IncomingSnapshot::IncomingSnapshot(base::FileSystem* fs, std::string directory, raft::Index index, std::uint64_t bytes)
    : fs_(fs),
      directory_(std::move(directory)),
      index_(index),
      path_(absl::StrCat(directory_, "/", SnapshotName(index), kIncoming)),
      bytes_(bytes) {}

absl::StatusOr<std::unique_ptr<IncomingSnapshot>> IncomingSnapshot::Begin(base::FileSystem* fs, const std::string& directory,
                                                                          raft::Index index, std::uint64_t bytes) {
  std::unique_ptr<IncomingSnapshot> incoming(new IncomingSnapshot(fs, directory, index, bytes));
  DROVER_ASSIGN_OR_RETURN(incoming->file_, base::CreateAnew(fs, incoming->path_));
  return incoming;
}

void IncomingSnapshot::Discard() {
  if (adopted_ || file_ == nullptr) return;
  file_.reset();
  (void)fs_->Remove(path_);
}

absl::Status IncomingSnapshot::Write(absl::string_view piece) {
  if (piece.size() > bytes_ - received_) return absl::InvalidArgumentError("a snapshot is longer than it was said to be");
  DROVER_RETURN_IF_ERROR(file_->WriteAt(received_, piece));
  received_ += piece.size();
  if (received_ - synced_ < kSnapshotSyncBytes) return absl::OkStatus();
  DROVER_RETURN_IF_ERROR(file_->Sync());
  synced_ = received_;
  return absl::OkStatus();
}

absl::Status IncomingSnapshot::Adopt() {
  DROVER_RETURN_IF_ERROR(file_->Sync());
  DROVER_RETURN_IF_ERROR(fs_->Rename(path_, absl::StrCat(directory_, "/", SnapshotName(index_))));
  adopted_ = true;
  return fs_->SyncDirectory(directory_);
}

}  // namespace drover::coord::log
