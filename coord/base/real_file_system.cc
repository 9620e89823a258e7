#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "coord/base/file_system.h"
#include "coord/base/status.h"

namespace drover::base {
namespace {

// Its owner's alone: a log and a snapshot hold the data of all znodes, and the secrets of sessions.
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

absl::Status Error(int error, absl::string_view operation, absl::string_view path) {
  const std::string words = absl::StrCat(operation, " ", path, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(words);
    case EEXIST:
      return absl::AlreadyExistsError(words);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(words);
    default:
      return absl::InternalError(words);
  }
}

// A descriptor that is closed when it goes.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

const char* KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  return "a device";  // a socket cannot be opened
}

// Repeats a call that a signal interrupted.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class RealFile final : public File {
 public:
  RealFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  absl::Status WriteAt(std::uint64_t offset, absl::string_view data) override {
    while (!data.empty()) {
      const ssize_t n = Uninterrupted([&] { return ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset)); });
      if (n < 0) return Error(errno, "write", path_);
      if (n == 0) return absl::InternalError(absl::StrCat("write ", path_, ": the system wrote nothing"));
      offset += static_cast<std::uint64_t>(n);
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) override {
    // The size asked for may come from a damaged file: never allocate more than the file holds.
    DROVER_ASSIGN_OR_RETURN(const std::uint64_t file_size, Size());
    if (offset >= file_size) return std::string();
    std::string data(std::min<std::uint64_t>(size, file_size - offset), '\0');
    std::size_t done = 0;
    while (done < data.size()) {
      const ssize_t n = Uninterrupted(
          [&] { return ::pread(fd_.get(), data.data() + done, data.size() - done, static_cast<off_t>(offset + done)); });
      if (n < 0) return Error(errno, "read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    data.resize(done);
    return data;
  }

  absl::Status Sync() override {
    // Not repeated after EINTR: the kernel may have forgotten the error by then.
    if (::fdatasync(fd_.get()) != 0) return Error(errno, "fdatasync", path_);
    return absl::OkStatus();
  }

  absl::Status Allocate(std::uint64_t size) override {
    DROVER_ASSIGN_OR_RETURN(std::uint64_t written, Size());
    if (written >= size) return absl::OkStatus();
    int error;
    do {
      error = ::posix_fallocate(fd_.get(), static_cast<off_t>(written), static_cast<off_t>(size - written));
    } while (error == EINTR);
    if (error != 0 && error != EOPNOTSUPP && error != EINVAL) return Error(error, "allocate", path_);
    // Reserved blocks are marked unwritten, and the first write to each changes metadata, which each fdatasync would then
    // have to commit to the file system's journal. So write real zeros now.
    const std::string zeros(std::min<std::uint64_t>(size - written, 1 << 20), '\0');
    while (written < size) {
      const std::size_t part = std::min<std::uint64_t>(zeros.size(), size - written);
      DROVER_RETURN_IF_ERROR(WriteAt(written, absl::string_view(zeros).substr(0, part)));
      written += part;
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(std::uint64_t size) override {
    if (Uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return Error(errno, "truncate", path_);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::uint64_t> Size() override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return Error(errno, "stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  const Descriptor fd_;
  const std::string path_;
};

// flock goes with the open file, so the kernel releases it when the process dies, however it dies.
class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;
};

class RealFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY | O_NONBLOCK;  // nobody is waited for at the other end of a pipe
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreate:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    Descriptor fd(Uninterrupted([&] { return ::open(path.c_str(), flags, kFileMode); }));
    if (fd.get() < 0) return Error(errno, mode == OpenMode::kCreate ? "create" : "open", path);
    struct stat info;
    if (::fstat(fd.get(), &info) != 0) return Error(errno, "stat", path);
    if (mode == OpenMode::kRead && !S_ISREG(info.st_mode))
      return absl::FailedPreconditionError(absl::StrCat("open ", path, ": it is ", KindOf(info.st_mode), ", no regular file"));
    return std::make_unique<RealFile>(std::move(fd), path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return Error(errno, absl::StrCat("rename ", from, " to"), to);
    // That of a directory is durable when this returns.
    struct stat info;
    if (::stat(to.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return absl::OkStatus();
    return SyncDirectory(Parent(to));
  }

  absl::Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return Error(errno, "remove", path);
    return absl::OkStatus();
  }

  absl::Status MakeDirectory(const std::string& path) override {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) return SyncDirectory(Parent(path));
    if (errno == EEXIST) {
      struct stat info;
      if (::stat(path.c_str(), &info) != 0) return Error(errno, "stat", path);
      if (!S_ISDIR(info.st_mode))
        return absl::AlreadyExistsError(absl::StrCat("make directory ", path, ": a file is in its place"));
      return absl::OkStatus();
    }
    if (errno != ENOENT || Parent(path) == path) return Error(errno, "make directory", path);
    DROVER_RETURN_IF_ERROR(MakeDirectory(Parent(path)));
    if (::mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return Error(errno, "make directory", path);
    return SyncDirectory(Parent(path));
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entries(directory, error);
    if (error) return Error(error.value(), "list", directory);
    while (entries != std::filesystem::directory_iterator()) {
      const bool regular = entries->is_regular_file(error);
      if (error && error.value() != ENOENT) return Error(error.value(), "list", directory);
      if (regular) names.push_back(entries->path().filename().string());
      entries.increment(error);
      if (error) return Error(error.value(), "list", directory);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status SyncDirectory(const std::string& directory) override {
    Descriptor fd(Uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return Error(errno, "open directory", directory);
    if (::fsync(fd.get()) != 0) return Error(errno, "fsync directory", directory);
    return absl::OkStatus();
  }

  void Forget(const std::string& path) override {
    const Descriptor fd(Uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (fd.get() >= 0) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Descriptor fd(Uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode); }));
    if (fd.get() < 0) return Error(errno, "open", path);
    if (Uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return absl::FailedPreconditionError(absl::StrCat("lock ", path, ": another process holds it"));
      return Error(errno, "lock", path);
    }
    return std::make_unique<RealFileLock>(std::move(fd));
  }

 private:
  static std::string Parent(const std::string& path) {
    const std::filesystem::path trimmed =
        std::filesystem::path(path).has_filename() ? std::filesystem::path(path) : std::filesystem::path(path).parent_path();
    const std::string parent = trimmed.parent_path().string();
    return parent.empty() ? "." : parent;
  }
};

}  // namespace

std::unique_ptr<FileSystem> NewRealFileSystem() {
  return std::make_unique<RealFileSystem>();
}

}  // namespace drover::base
