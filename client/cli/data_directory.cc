#include "client/cli/data_directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "drover-dev-";
constexpr char kRandom[] = "XXXXXX";
constexpr char kOwner[] = "owner";
constexpr int kTriesMax = 8;

// The file's descriptor, locked; -1: it is another's, or not there.
int Lock(const std::string& owner, int flags) {
  const int fd = open(owner.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
  if (fd < 0) return -1;
  struct stat about = {};
  // Once it is locked it may turn out to have been removed meanwhile, with its directory, by one who found it unlocked.
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_nlink > 0) return fd;
  close(fd);
  return -1;
}

// `owner` goes last: what could not be removed is found again the next time.
void Remove(const std::string& path) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) entries.push_back(it->path());
  bool all = !error;
  for (const fs::path& entry : entries) {
    if (entry.filename() == kOwner) continue;
    fs::remove_all(entry, error);
    all = all && !error;
  }
  if (all) fs::remove_all(path, error);
}

void RemoveOwnerless(const std::string& parent) {
  std::error_code error;
  std::vector<std::string> found;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::StartsWith(name, kPrefix) && name.size() == std::strlen(kPrefix) + std::strlen(kRandom)) found.push_back(it->path());
  }
  for (const std::string& path : found) {
    struct stat about = {};
    if (lstat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != geteuid()) continue;
    const int owner = Lock(absl::StrCat(path, "/", kOwner), 0);
    if (owner < 0) continue;
    Remove(path);
    close(owner);
  }
}

}  // namespace

absl::Status DataDirectory::Open(const std::string& given) {
  if (given.empty()) return OpenTemporary();
  std::error_code error;
  const fs::path absolute = fs::absolute(given, error);
  if (!error) fs::create_directories(absolute, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("--data: cannot make ", given, ": ", error.message()));
  path_ = absolute.lexically_normal().string();
  return absl::OkStatus();
}

absl::Status DataDirectory::OpenTemporary() {
  std::error_code error;
  const std::string parent = fs::temp_directory_path(error).string();
  if (error) return absl::InternalError(absl::StrCat("cannot make a temporary directory: ", error.message()));
  RemoveOwnerless(parent);
  for (int i = 0; i < kTriesMax && owner_ < 0; ++i) {
    std::string path = absl::StrCat(parent, "/", kPrefix, kRandom);
    if (mkdtemp(path.data()) == nullptr) break;
    path_ = path;
    owner_ = Lock(absl::StrCat(path, "/", kOwner), O_CREAT);
  }
  if (owner_ >= 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot make a temporary directory in ", parent, ": ", std::strerror(errno)));
}

DataDirectory::~DataDirectory() {
  if (owner_ < 0) return;
  Remove(path_);
  close(owner_);
}

}  // namespace drover::cli
