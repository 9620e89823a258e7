// `drover cluster snapshot restore`: the data directory of a node that founds a new cluster with a backup's state. Offline.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/app.h"
#include "client/cli/backup_text.h"
#include "client/cli/exit_code.h"
#include "coord/backup/backup_file.h"
#include "coord/backup/restore.h"
#include "coord/base/random.h"
#include "coord/base/status.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/seed.h"

namespace drover::cli {
namespace {

struct RestoreFlags {
  std::string file;
  std::string data;
  std::uint64_t id = 0;
  std::string initial_cluster;
};

const std::vector<std::string> kNames = {"directory", "node",   "cluster",        "members",
                                         "zxid",      "znodes", "sessions ended", "ephemerals gone"};

// The directory is marked before the backup is read, which may take long, and more memory than there is: whoever does not see that
// this process was killed shall not start an empty cluster. A backup that is of no use leaves the directory as it was.
absl::StatusOr<coord::backup::Backup> MarkAndRead(base::FileSystem* files, const RestoreFlags& flags) {
  std::error_code error;
  const bool is_there = std::filesystem::exists(flags.data, error);
  const bool is_marked = !coord::server::CheckRestoreEnded(files, flags.data).ok();
  DROVER_RETURN_IF_ERROR(coord::server::MarkRestore(files, flags.data));
  absl::StatusOr<coord::backup::Backup> backup = coord::backup::ReadBackup(files, flags.file);
  if (backup.ok() || is_marked) return backup;
  (void)coord::server::UnmarkRestore(files, flags.data);
  if (!is_there) std::filesystem::remove(flags.data, error);
  return backup;
}

absl::StatusOr<Item> Restore(const RestoreFlags& flags, const coord::server::InitialMembers& members) {
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  const base::NodeId id(flags.id);
  DROVER_RETURN_IF_ERROR(coord::backup::CheckRestore(files.get(), flags.data, id, members));
  DROVER_ASSIGN_OR_RETURN(const coord::backup::Backup backup, MarkAndRead(files.get(), flags));
  base::SystemRandom random;
  DROVER_ASSIGN_OR_RETURN(const coord::backup::Restored restored,
                          coord::backup::Restore(files.get(), &random, backup.state.get(), backup.taken,
                                                 base::WallTime(absl::ToUnixMillis(absl::Now())), flags.data, id, members));
  const std::uint64_t nodes = backup.state->tree().node_count();
  Item item;
  item.id = absl::StrCat(restored.cluster.value);
  item.json = {{"directory", flags.data},
               {"id", flags.id},
               {"cluster_id", ExactNumber(restored.cluster.value)},
               {"members", coord::server::TextOf(members)},
               {"zxid", restored.zxid.value},
               {"nodes", nodes},
               {"sessions_ended", restored.left.sessions},
               {"ephemerals_gone", restored.left.ephemerals}};
  item.cells = {flags.data,
                absl::StrCat(flags.id),
                absl::StrCat(restored.cluster.value),
                coord::server::TextOf(members),
                absl::StrCat(restored.zxid.value),
                absl::StrCat(nodes),
                absl::StrCat(restored.left.sessions),
                absl::StrCat(restored.left.ephemerals)};
  return item;
}

int RestoreCommand(const App& app, const RestoreFlags& flags) {
  if (flags.data.empty()) return app.Usage("--data is missing: give an empty directory for the node's data");
  if (flags.id == 0) return app.Usage("--id is missing: give the lowest id of --initial-cluster");
  if (flags.initial_cluster.empty()) {
    return app.Usage("--initial-cluster is missing: give the members of the new cluster, 1=HOST:PORT,2=HOST:PORT,...");
  }
  const absl::StatusOr<coord::server::InitialMembers> members = coord::server::ParseInitialCluster(flags.initial_cluster);
  if (!members.ok()) return app.Usage(absl::StrCat("--initial-cluster: ", members.status().message()));
  const absl::StatusOr<Item> restored = Restore(flags, *members);
  if (absl::IsDataLoss(restored.status())) return app.output.Fail(kOther, restored.status());
  if (!restored.ok()) return app.output.Fail(restored.status());
  app.output.One(kNames, *restored);
  if (members->size() > 1) {
    app.output.Note(absl::StrCat("next: start node ", flags.id, " with --data ", flags.data,
                                 ", and the other members with empty directories and the same --initial-cluster"));
  } else {
    app.output.Note(absl::StrCat("next: start node ", flags.id, " with --data ", flags.data));
  }
  return kOk;
}

}  // namespace

void AddSnapshotRestoreCommand(process::OptionSet* snapshot, Commands* commands) {
  auto flags = std::make_shared<RestoreFlags>();
  process::OptionSet& restore =
      snapshot->Command("restore", "Makes a data directory from which a node founds a new cluster with a backup");
  restore.Argument("FILE", &flags->file, "A backup, or a snapshot of a node's data directory");
  restore.Text("--data", &flags->data, "The directory to make; empty, or not there yet");
  restore.Number("--id", &flags->id, "The node's id: the lowest of the new cluster");
  restore.Text("--initial-cluster", &flags->initial_cluster, "1=HOST:PORT,2=HOST:PORT,...: the members of the new cluster");
  restore.Footer(
      "If it does not end, no node starts with DIR once it is there: give the command again (it replaces what the first one has "
      "left), or "
      "empty DIR. If DIR is not there, nothing has been restored.");
  commands->push_back({&restore, [flags](const App& app) { return RestoreCommand(app, *flags); }});
}

}  // namespace drover::cli
