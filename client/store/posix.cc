#include "client/store/posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace drover::store {

absl::Status ErrnoStatus(int error, absl::string_view what, absl::string_view path) {
  const std::string message = absl::StrCat(what, " ", path, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InternalError(message);
  }
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Descriptor> OpenFile(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0640);
  if (fd < 0) return ErrnoStatus(errno, "open", path);
  return Descriptor(fd);
}

absl::Status WriteAll(int fd, absl::string_view data, absl::string_view path) {
  while (!data.empty()) {
    const ssize_t n = write(fd, data.data(), data.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "write", path);
    }
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadExactly(int fd, std::uint64_t offset, std::size_t size, absl::string_view path) {
  std::string data(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = pread(fd, data.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "read", path);
    }
    if (n == 0) return absl::DataLossError(absl::StrCat(path, ": ends early"));
    done += static_cast<std::size_t>(n);
  }
  return data;
}

absl::Status SyncPath(const std::string& path) {
  auto fd = OpenFile(path, O_RDONLY);
  if (!fd.ok()) return fd.status();
  if (fsync(fd->get()) != 0) return ErrnoStatus(errno, "fsync", path);
  return absl::OkStatus();
}

absl::Status RenameNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return absl::OkStatus();
  // Network file systems know no RENAME_NOREPLACE; a hard link refuses an existing name as well.
  if (errno != EINVAL && errno != ENOSYS) return ErrnoStatus(errno, "rename to", to);
  if (link(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, "link to", to);
  unlink(from.c_str());  // a failure leaves a leftover that the next open removes
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DirectoryEntry>> ReadDirectory(const std::string& path) {
  struct Close {
    void operator()(DIR* dir) const { closedir(dir); }
  };
  std::unique_ptr<DIR, Close> dir(opendir(path.c_str()));
  if (dir == nullptr) return ErrnoStatus(errno, "open", path);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return ErrnoStatus(errno, "read", path);
      return entries;
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat st;
      if (fstatat(dirfd(dir.get()), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
      directory = S_ISDIR(st.st_mode);
    } else if (!directory && entry->d_type != DT_REG) {
      continue;
    }
    entries.push_back({std::move(name), directory});
  }
}

absl::Status MakeDirectories(const std::string& root, absl::string_view below, std::vector<std::string>* changed) {
  for (std::size_t end = 0; end < below.size();) {
    const std::size_t slash = below.find('/', end);
    const std::string parent = end == 0 ? root : absl::StrCat(root, "/", below.substr(0, end - 1));
    end = slash == absl::string_view::npos ? below.size() : slash;
    const std::string path = absl::StrCat(root, "/", below.substr(0, end));
    if (mkdir(path.c_str(), 0750) == 0) {
      changed->push_back(parent);
    } else if (errno != EEXIST) {
      return ErrnoStatus(errno, "mkdir", path);
    }
    if (slash != absl::string_view::npos) ++end;
  }
  return absl::OkStatus();
}

}  // namespace drover::store
