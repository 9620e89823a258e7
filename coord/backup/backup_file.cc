#include "coord/backup/backup_file.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/log/segment.h"
#include "coord/tree/snapshot_loader.h"

namespace drover::coord::backup {
namespace {

constexpr absl::string_view kWhatToDo =
    "This file is no whole backup and nothing can be restored from it: use another one, or take one anew with drover cluster "
    "snapshot save.";

}  // namespace

absl::StatusOr<Backup> ReadBackup(base::FileSystem* files, const std::string& path) {
  DROVER_ASSIGN_OR_RETURN(const auto reader, log::SnapshotReader::Open(files, path, std::nullopt, kWhatToDo));
  Backup backup;
  backup.head = reader->head();
  absl::StatusOr<raft::Configuration> members = raft::DecodeConfiguration(backup.head.at.configuration.view());
  if (absl::IsUnimplemented(members.status())) return base::Annotate(members.status(), path);
  if (!members.ok()) return log::Damage(path, 0, "its head does not say who belongs to its cluster", kWhatToDo);
  backup.members = *std::move(members);
  DROVER_RETURN_IF_ERROR(base::CheckFeatureLevel(path, backup.members.feature_level, base::kNewestFeatureLevel));
  // It is a whole node's: options are of no account, for nothing is written.
  tree::SnapshotLoader loader{tree::Options()};
  std::uint64_t offset = 0;
  while (true) {
    offset = reader->bytes_read();
    DROVER_ASSIGN_OR_RETURN(const std::optional<std::string> part, reader->Next());
    if (!part) break;
    backup.bytes_uncompressed += part->size();
    const absl::Status added = loader.Add(*part);
    if (!added.ok()) return log::Damage(path, offset, added.message(), kWhatToDo);
  }
  absl::StatusOr<std::unique_ptr<tree::StateMachine>> state = loader.Finish();
  if (!state.ok()) return log::Damage(path, offset, state.status().message(), kWhatToDo);
  backup.state = *std::move(state);
  backup.state->SetFeatureLevel(backup.members.feature_level);
  backup.taken = loader.taken();
  backup.nodes = backup.state->tree().node_count();
  backup.sessions = backup.state->sessions().size();
  for (const auto& [session, nodes] : backup.state->tree().ephemerals()) backup.ephemerals += nodes.size();
  backup.bytes = reader->bytes();
  backup.parts = reader->parts();
  return backup;
}

}  // namespace drover::coord::backup
