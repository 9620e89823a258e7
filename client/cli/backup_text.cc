#include "client/cli/backup_text.h"

#include "absl/strings/str_cat.h"
#include "client/cli/time_text.h"
#include "coord/server/initial_cluster.h"

namespace drover::cli {

const std::vector<std::string>& BackupNames() {
  static const std::vector<std::string> kNames = {"file",  "cluster", "taken", "zxid",    "znodes", "sessions",     "ephemerals",
                                                  "index", "term",    "level", "members", "size",   "uncompressed", "format"};
  return kNames;
}

Item BackupItem(const std::string& file, const coord::backup::Backup& backup) {
  const std::string members = coord::server::TextOf(coord::server::MembersOf(backup.members));
  const std::string taken = backup.taken.value == 0 ? "" : Rfc3339(backup.taken.value);
  const std::uint64_t zxid = backup.state->last_zxid().value;
  Item item;
  item.id = file;
  item.json = {{"file", file},
               {"cluster_id", ExactNumber(backup.head.cluster.value)},
               {"taken", nullptr},
               {"zxid", zxid},
               {"nodes", backup.nodes},
               {"sessions", backup.sessions},
               {"ephemerals", backup.ephemerals},
               {"index", backup.head.at.index.value},
               {"term", backup.head.at.term.value},
               {"feature_level", backup.members.feature_level.value},
               {"members", members},
               {"bytes", backup.bytes},
               {"bytes_uncompressed", backup.bytes_uncompressed},
               {"format", backup.version}};
  if (!taken.empty()) item.json["taken"] = taken;
  item.cells = {file,
                absl::StrCat(backup.head.cluster.value),
                taken,
                absl::StrCat(zxid),
                absl::StrCat(backup.nodes),
                absl::StrCat(backup.sessions),
                absl::StrCat(backup.ephemerals),
                absl::StrCat(backup.head.at.index.value),
                absl::StrCat(backup.head.at.term.value),
                absl::StrCat(backup.members.feature_level.value),
                members,
                absl::StrCat(backup.bytes, " bytes"),
                absl::StrCat(backup.bytes_uncompressed, " bytes"),
                absl::StrCat(backup.version)};
  return item;
}

}  // namespace drover::cli
