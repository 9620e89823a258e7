#include "coord/base/file_system.h"

#include "coord/base/status.h"

namespace drover::base {

absl::StatusOr<std::unique_ptr<File>> CreateAnew(FileSystem* fs, const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = fs->Open(path, OpenMode::kCreate);
  if (!absl::IsAlreadyExists(file.status())) return file;
  DROVER_RETURN_IF_ERROR(fs->Remove(path));
  return fs->Open(path, OpenMode::kCreate);
}

}  // namespace drover::base
