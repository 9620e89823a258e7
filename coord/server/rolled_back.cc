#include "coord/server/rolled_back.h"

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::coord::server {
namespace {

constexpr char kRolledBackMark[] = "rolled-back";
constexpr std::size_t kWordsMax = 4'096;

std::string MarkOf(const std::string& directory) {
  return absl::StrCat(directory, "/", kRolledBackMark);
}

}  // namespace

absl::Status RolledBack(const std::string& directory, base::NodeId id, absl::string_view lost) {
  return absl::DataLossError(absl::StrCat(
      "data directory ", directory, " has lost what node ", id.value, " had acknowledged: ", lost,
      ". It is an old copy, or its disk lost writes that it had confirmed; nothing that this node says counts any more. It is kept "
      "as it is. To bring this node back, give it an empty directory, start it with --join, and let it in: drover cluster member "
      "readmit ",
      id.value));
}

absl::Status MarkRolledBack(base::FileSystem* files, const std::string& directory, absl::string_view lost) {
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<base::File> mark, base::CreateAnew(files, MarkOf(directory)));
  DROVER_RETURN_IF_ERROR(mark->WriteAt(0, lost.substr(0, kWordsMax)));
  DROVER_RETURN_IF_ERROR(mark->Sync());
  return files->SyncDirectory(directory);
}

absl::Status CheckNotRolledBack(base::FileSystem* files, const std::string& directory, base::NodeId id) {
  const absl::StatusOr<std::unique_ptr<base::File>> mark = files->Open(MarkOf(directory), base::OpenMode::kRead);
  if (!mark.ok()) return absl::OkStatus();
  const absl::StatusOr<std::string> lost = (*mark)->ReadAt(0, kWordsMax);
  return RolledBack(directory, id, lost.ok() && !lost->empty() ? *lost : "a leader has said so");
}

}  // namespace drover::coord::server
