#include "client/cli/incoming_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
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

absl::Status InUse(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat("another process writes ", path, " at the moment: wait until it has ended, or give another name"));
}

bool IsAt(int fd, const std::string& path) {
  struct stat held = {}, there = {};
  return fstat(fd, &held) == 0 && lstat(path.c_str(), &there) == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

enum class Held { kNothing, kLock, kByAnother };

// Locks what is at `path`, if anything is, and gives its descriptor. (A file system that knows no locks refuses nobody.)
absl::StatusOr<Held> LockWhatIsThere(const std::string& path, int* fd) {
  *fd = open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  // A link is removed, and not what it leads to.
  if (*fd < 0 && (errno == ENOENT || errno == ELOOP)) return Held::kNothing;
  if (*fd < 0) return absl::InternalError(absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
  return flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK ? Held::kByAnother : Held::kLock;
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
  DROVER_RETURN_IF_ERROR(incoming->Create());
  std::error_code error;
  using std::filesystem::perms;
  std::filesystem::permissions(incoming->path_, perms::owner_read | perms::owner_write, error);
  if (error) return absl::InternalError(absl::StrCat("cannot protect ", incoming->path_, ": ", error.message()));
  return incoming;
}

// A file of its own, in the place of one that was left there and that nobody has locked. Of two at once the one has it that holds
// the lock of the file that is there.
absl::Status IncomingFile::Create() {
  int left = -1;
  absl::StatusOr<Held> held = LockWhatIsThere(path_, &left);
  // While this one has its lock nobody else removes it. One that has become another meanwhile was just finished or given up.
  const bool in_use = held.ok() && (*held == Held::kByAnother || (*held == Held::kLock && !IsAt(left, path_)));
  absl::Status removed;
  if (held.ok() && !in_use) removed = files_->Remove(path_);
  if (left >= 0) close(left);
  DROVER_RETURN_IF_ERROR(held.status());
  if (in_use) return InUse(path_);
  if (!absl::IsNotFound(removed)) DROVER_RETURN_IF_ERROR(removed);

  const absl::Status created = files_->Open(path_, base::OpenMode::kCreate).status();
  if (absl::IsAlreadyExists(created)) return InUse(path_);
  DROVER_RETURN_IF_ERROR(created);
  held = LockWhatIsThere(path_, &lock_);
  DROVER_RETURN_IF_ERROR(held.status());
  if (*held != Held::kLock || !IsAt(lock_, path_)) return InUse(path_);
  DROVER_ASSIGN_OR_RETURN(file_, files_->Open(path_, base::OpenMode::kReadWrite));
  return absl::OkStatus();
}

IncomingFile::~IncomingFile() {
  // Before the lock goes: after it, it may be another's.
  if (file_ != nullptr) (void)files_->Remove(path_);
  if (lock_ >= 0) close(lock_);
}

absl::Status IncomingFile::Append(absl::string_view bytes) {
  status_ = file_->WriteAt(bytes_, bytes);
  bytes_ += bytes.size();
  return status_;
}

absl::Status IncomingFile::StartOver() {
  status_ = bytes_ == 0 ? absl::OkStatus() : file_->Truncate(0);
  bytes_ = 0;
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
