#include "coord/backup/place.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace drover::coord::backup {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel's

// By the device, or where it was mounted from elsewhere in the same file system by the kernel's word; older ones do not say it.
bool IsMountPoint(const std::string& directory) {
  struct statx about = {};
  if (statx(AT_FDCWD, directory.c_str(), 0, STATX_BASIC_STATS, &about) == 0 &&
      (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
    return true;
  }
  struct stat own = {}, parent = {};
  return stat(directory.c_str(), &own) == 0 && stat(absl::StrCat(directory, "/..").c_str(), &parent) == 0 &&
         own.st_dev != parent.st_dev;
}

}  // namespace

std::string Trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string BehindLinks(const std::string& given) {
  std::error_code error;
  fs::path path = Trimmed(given);
  for (int i = 0; i < kLinksMax && fs::is_symlink(path, error); ++i) {
    const fs::path to = fs::read_symlink(path, error);
    if (error) break;
    path = Trimmed((path.parent_path() / to).string());
  }
  // "." has no name beside which there could be another.
  if (path.filename() == "." || path.filename() == "..") {
    if (const fs::path named = fs::canonical(path, error); !error) path = named;
  }
  return path.string();
}

absl::Status CheckRenameable(const std::string& directory) {
  if (!IsMountPoint(directory)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(directory,
                   " is a mount point, and a recovery keeps the directory as it was under another name, which a mount point cannot "
                   "be given; nothing was changed. Copy all of it into a directory DIR with enough space beside it (cp -a ",
                   directory, "/. DIR), recover that one (--data DIR), and start the node with it"));
}

}  // namespace drover::coord::backup
