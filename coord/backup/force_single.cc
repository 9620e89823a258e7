#include "coord/backup/force_single.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/backup/place.h"
#include "coord/base/status.h"
#include "coord/log/data_directory.h"
#include "coord/log/inspect.h"
#include "coord/log/snapshots.h"
#include "coord/server/recovery.h"
#include "coord/server/seed.h"
#include "coord/tree/silent_sink.h"

namespace drover::coord::backup {
namespace {

std::string ParentOf(const std::string& directory) {
  const std::string parent = std::filesystem::path(directory).parent_path().string();
  return parent.empty() ? "." : parent;
}

// Whose directory it is. Nothing is made or changed in one that is none.
absl::StatusOr<log::Identity> IdentityOf(base::FileSystem* files, const std::string& directory) {
  DROVER_RETURN_IF_ERROR(server::CheckRecovered(files, directory));
  DROVER_RETURN_IF_ERROR(server::CheckRestoreEnded(files, directory));
  DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> names, files->List(directory));
  if (std::find(names.begin(), names.end(), "identity") == names.end()) {
    return absl::FailedPreconditionError(absl::StrCat(
        directory, " holds no file named identity, so it is no data directory of a coordination node, or has lost it: see ",
        "drover-coord log verify"));
  }
  DROVER_ASSIGN_OR_RETURN(const std::optional<server::Seed> seed, server::FindSeed(files, directory));
  DROVER_ASSIGN_OR_RETURN(const auto locked, log::DataDirectory::Open(files, directory));
  const log::Identity identity = *locked->identity();
  if (identity.cluster.value == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, seed ? " was restored and holds a new cluster already: start its node"
                                     : " belongs to no cluster yet: there is nothing to recover"));
  }
  return identity;
}

absl::Status CheckFree(base::FileSystem* files, const std::string& path, absl::string_view why) {
  const absl::Status there = files->List(path).status();
  if (absl::IsNotFound(there)) return absl::OkStatus();
  DROVER_RETURN_IF_ERROR(there);
  return absl::FailedPreconditionError(absl::StrCat(path, " is in the way: ", why));
}

// What an attempt has left there that did not end, or not with its renames, is made anew: nobody has made anything of it yet.
absl::Status MarkUnfinished(base::FileSystem* files, const std::string& making) {
  const absl::StatusOr<std::vector<std::string>> names = files->List(making);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  DROVER_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    if (server::IsOfRestore(name)) continue;
    return absl::FailedPreconditionError(absl::StrCat(making, " is in the way, and holds ", name, ": move it elsewhere"));
  }
  return server::MarkRestore(files, making);
}

struct Found {
  server::Recovery recovery;  // holds the directory's lock
  std::unique_ptr<tree::StateMachine> state;
};

// The newest whole snapshot, and every entry of the log behind it.
absl::StatusOr<Found> Replay(base::FileSystem* files, base::Random* random, const std::string& directory, base::NodeId node) {
  DROVER_ASSIGN_OR_RETURN(server::Recovery recovery,
                          server::Recover(files, random, directory, node, "", log::Options(), tree::Options()));
  Found found{std::move(recovery), nullptr};
  found.state = found.recovery.state != nullptr ? std::move(found.recovery.state) : std::make_unique<tree::StateMachine>();
  log::Log* const log = found.recovery.disk.log.get();
  tree::SilentSink nobody;
  absl::Status newer;
  const auto apply = [&](const raft::Entry& entry) {
    if (entry.kind == raft::EntryKind::kConfig) {
      const absl::StatusOr<raft::Configuration> members = raft::DecodeConfiguration(entry.payload.view());
      if (members.ok()) found.state->SetFeatureLevel(members->feature_level);
    }
    if (entry.kind != raft::EntryKind::kData && entry.kind != raft::EntryKind::kExpiry) return;
    // Every replica stops at the same place of a malformed batch.
    const absl::Status applied = found.state->Apply(entry.term, entry.payload.view(), &nobody);
    if (absl::IsUnimplemented(applied) && newer.ok()) newer = applied;
  };
  DROVER_RETURN_IF_ERROR(server::ReplayLog(log, found.recovery.snapshot.index.Next(), log->last_index(), apply));
  DROVER_RETURN_IF_ERROR(newer);
  return found;
}

// Two renames. A crash between them leaves both directories beside the place, and nothing in it.
absl::Status Exchange(base::FileSystem* files, const std::string& directory, const std::string& making, const std::string& kept) {
  const absl::Status moved = files->Rename(directory, kept);
  if (!moved.ok()) {
    return absl::Status(moved.code(), absl::StrCat(moved.message(), ". Where ", directory,
                                                   " cannot be renamed, copy it elsewhere and recover the copy. "
                                                   "It is as it was; remove ",
                                                   making));
  }
  const absl::Status placed = files->Rename(making, directory);
  if (!placed.ok()) {
    return absl::Status(placed.code(), absl::StrCat(placed.message(), ". The directory as it was is ", kept, ", the new one ",
                                                    making, ": move one of them to ", directory));
  }
  return files->SyncDirectory(ParentOf(directory));
}

}  // namespace

namespace {

absl::StatusOr<Forced> Force(base::FileSystem* files, base::Random* random, const ForceOptions& options,
                             const std::string& directory) {
  const std::string making = server::RecoveringDirectory(directory);
  Forced forced;
  forced.kept_as = directory + options.suffix;
  DROVER_ASSIGN_OR_RETURN(const log::Identity identity, IdentityOf(files, directory));
  DROVER_RETURN_IF_ERROR(CheckFree(files, forced.kept_as, "an earlier recovery has kept a directory under that name"));
  DROVER_ASSIGN_OR_RETURN(Found found, Replay(files, random, directory, identity.node));
  const raft::Configuration& members = found.recovery.raft.configurations.rbegin()->second;
  forced.node = identity.node;
  forced.old_cluster = identity.cluster;
  forced.old_members = server::MembersOf(members);
  forced.was_member = members.Names(identity.node, identity.incarnation);
  forced.address = options.address;
  if (!forced.was_member && options.address.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "by its own log ", directory, " belongs to no member any more: node ", identity.node.value,
        " was removed, or readmitted with ", "another directory, and the members were ", server::TextOf(forced.old_members),
        ". What was acknowledged since is not here: recover the directory of one of those. Only if none is left, give this node's "
        "address, too, --advertise HOST:PORT"));
  }
  if (forced.address.empty()) forced.address = members.Find(identity.node)->address;
  DROVER_RETURN_IF_ERROR(MarkUnfinished(files, making));
  forced.snapshot = found.recovery.snapshot.index;
  forced.last = found.recovery.disk.log->last_index();
  forced.committed = found.recovery.raft.commit;
  const server::InitialMembers alone = {{identity.node, forced.address}};
  DROVER_ASSIGN_OR_RETURN(forced.restored,
                          Restore(files, random, found.state.get(), base::WallTime(), options.now, making, identity.node, alone));
  forced.nodes = found.state->tree().node_count();
  // The lock goes with the directory to its new name, so nobody can have begun to use it.
  DROVER_RETURN_IF_ERROR(Exchange(files, directory, making, forced.kept_as));
  return forced;
}

// The newest snapshot in the directory that a restore would take.
std::string NewestWhole(base::FileSystem* files, const std::string& directory) {
  absl::StatusOr<std::vector<raft::Index>> snapshots = log::ListSnapshots(files, directory);
  for (; snapshots.ok() && !snapshots->empty(); snapshots->pop_back()) {
    const std::string path = absl::StrCat(directory, "/", log::SnapshotName(snapshots->back()));
    const absl::StatusOr<Backup> backup = ReadBackup(files, path);
    if (!backup.ok()) continue;
    return absl::StrCat("The snapshot ", path, " is whole and can be restored like a backup; it ends with entry ",
                        snapshots->back().value, ", zxid ", backup->state->last_zxid().value,
                        ": take it if no backup has a larger zxid (drover cluster snapshot inspect). ");
  }
  return "No snapshot in it is whole. ";
}

// Not what a node is told of damage: there is nobody left to let it in again.
absl::Status OfDamage(const absl::Status& damage, base::FileSystem* files, const std::string& directory) {
  return absl::DataLossError(
      absl::StrCat(log::WithoutAdvice(damage), ". So ", directory,
                   " cannot be recovered as it is: what lies behind the damage may have been acknowledged. Restore the newest "
                   "backup into another directory (drover cluster snapshot restore). ",
                   NewestWhole(files, directory), "The directory is as it was: keep it until all is well"));
}

}  // namespace

absl::StatusOr<Forced> ForceSingle(base::FileSystem* files, base::Random* random, const ForceOptions& options) {
  const std::string directory = Trimmed(options.directory);
  absl::StatusOr<Forced> forced = Force(files, random, options, directory);
  if (absl::IsDataLoss(forced.status())) return OfDamage(forced.status(), files, directory);
  if (!forced.ok())
    return server::OfFullDisk(forced.status(), directory, "then give the command again; the directory is as it was");
  return forced;
}

}  // namespace drover::coord::backup
