#include "client/cli/incoming_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::cli {
namespace {

std::string DirectoryOf(const std::string& name) {
  const std::string parent = std::filesystem::path(name).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

IncomingFile::IncomingFile(base::FileSystem* files, std::string name, bool replace)
    : files_(files), name_(std::move(name)), path_(name_ + ".incoming"), replace_(replace) {}

absl::Status IncomingFile::CheckFree() const {
  std::error_code error;
  const std::filesystem::file_status found = std::filesystem::symlink_status(name_, error);
  if (found.type() == std::filesystem::file_type::not_found) return absl::OkStatus();
  if (found.type() == std::filesystem::file_type::directory) {
    return absl::AlreadyExistsError(absl::StrCat(name_, " is a directory: give the name of a file"));
  }
  // A device would be gone, and what a link leads to would not be written.
  if (found.type() != std::filesystem::file_type::regular) {
    return absl::AlreadyExistsError(absl::StrCat(name_, " is no regular file, and is not replaced by one: give another name"));
  }
  if (replace_) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(name_, " is there already: give another name, or --force to replace it"));
}

absl::StatusOr<std::unique_ptr<IncomingFile>> IncomingFile::Begin(base::FileSystem* files, const std::string& name, bool replace) {
  std::unique_ptr<IncomingFile> incoming(new IncomingFile(files, name, replace));
  DROVER_RETURN_IF_ERROR(incoming->CheckFree());
  DROVER_ASSIGN_OR_RETURN(incoming->file_, base::CreateAnew(files, incoming->path_));
  std::error_code error;
  using std::filesystem::perms;
  std::filesystem::permissions(incoming->path_, perms::owner_read | perms::owner_write, error);
  if (error) return absl::InternalError(absl::StrCat("cannot protect ", incoming->path_, ": ", error.message()));
  return incoming;
}

IncomingFile::~IncomingFile() {
  if (file_ == nullptr) return;
  file_.reset();
  (void)files_->Remove(path_);
}

absl::Status IncomingFile::Append(absl::string_view bytes) {
  status_ = file_->WriteAt(bytes_, bytes);
  bytes_ += bytes.size();
  return status_;
}

absl::Status IncomingFile::Sync() {
  status_ = file_->Sync();
  return status_;
}

absl::Status IncomingFile::Adopt() {
  DROVER_RETURN_IF_ERROR(CheckFree());
  DROVER_RETURN_IF_ERROR(files_->Rename(path_, name_));
  file_.reset();
  return files_->SyncDirectory(DirectoryOf(name_));
}

}  // namespace drover::cli
