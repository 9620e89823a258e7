#include "coord/backup/restore.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/log/data_directory.h"
#include "coord/server/recovery.h"
#include "coord/server/seed.h"

namespace drover::coord::backup {

absl::Status CheckRestore(base::FileSystem* files, const std::string& directory, base::NodeId id,
                          const server::InitialMembers& members) {
  const auto self = std::find_if(members.begin(), members.end(), [id](const auto& member) { return member.first == id; });
  if (self == members.end()) {
    return absl::InvalidArgumentError(absl::StrCat("--initial-cluster does not name node ", id.value));
  }
  if (self != members.begin()) {
    return absl::InvalidArgumentError(absl::StrCat("a backup is restored once, for the node with the lowest id, ",
                                                   members.front().first.value, "; the others get the state from it: start node ",
                                                   id.value, " with an empty directory and the same --initial-cluster"));
  }
  const absl::StatusOr<std::vector<std::string>> names = files->List(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  DROVER_RETURN_IF_ERROR(names.status());
  const bool unfinished = !server::CheckRestoreEnded(files, directory).ok();
  for (const std::string& name : *names) {
    if (name == "LOCK" || (unfinished && server::IsOfRestore(name))) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is not empty (", name, " is there): give a directory that is, or not there yet"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Restored> Restore(base::FileSystem* files, base::Random* random, tree::StateMachine* state, base::WallTime taken,
                                 base::WallTime now, const std::string& directory, base::NodeId id,
                                 const server::InitialMembers& members) {
  DROVER_RETURN_IF_ERROR(CheckRestore(files, directory, id, members));
  Restored restored;
  DROVER_ASSIGN_OR_RETURN(restored.left, tree::BeginNewCluster(state, now));
  restored.zxid = state->last_zxid();
  restored.cluster = base::ClusterId(server::NextNotZero(random));
  DROVER_RETURN_IF_ERROR(server::MarkRestore(files, directory));
  DROVER_RETURN_IF_ERROR(server::ClearRestore(files, directory));
  DROVER_ASSIGN_OR_RETURN(const auto locked, log::DataDirectory::Open(files, directory));
  DROVER_RETURN_IF_ERROR(server::WriteSeed(files, random, directory, {restored.cluster, members}, state, taken));
  DROVER_RETURN_IF_ERROR(locked->CreateIdentity(id, base::Incarnation(server::NextNotZero(random))));
  DROVER_RETURN_IF_ERROR(server::UnmarkRestore(files, directory));
  return restored;
}

}  // namespace drover::coord::backup
