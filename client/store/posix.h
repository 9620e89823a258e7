// The few system calls of the file store, with their errors as statuses that name the path. Blocking; any thread.
#ifndef DROVER_CLIENT_STORE_POSIX_H_
#define DROVER_CLIENT_STORE_POSIX_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::store {

// ENOENT is NOT_FOUND, EEXIST is ALREADY_EXISTS, ENOSPC, EDQUOT and EFBIG are RESOURCE_EXHAUSTED, else INTERNAL.
// The message: "<what> <path>: <the system's words>".
absl::Status ErrnoStatus(int error, absl::string_view what, absl::string_view path);

// Closes its descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// `flags` as of open(2); close-on-exec is added. New files are readable by user and group.
absl::StatusOr<Descriptor> OpenFile(const std::string& path, int flags);
// Appends all of `data` or fails.
absl::Status WriteAll(int fd, absl::string_view data, absl::string_view path);
// Exactly `size` bytes; fewer in the file is DATA_LOSS.
absl::StatusOr<std::string> ReadExactly(int fd, std::uint64_t offset, std::size_t size, absl::string_view path);
// fsync of a file or directory.
absl::Status SyncPath(const std::string& path);
// Renames without overwriting: ALREADY_EXISTS if `to` is there.
absl::Status RenameNew(const std::string& from, const std::string& to);

struct DirectoryEntry {
  std::string name;
  bool directory = false;
};
// Regular files and directories in it, in no order.
absl::StatusOr<std::vector<DirectoryEntry>> ReadDirectory(const std::string& path);

// Makes `path` below the existing directory `root`, parents too. Adds to `changed` each directory that got a new entry.
absl::Status MakeDirectories(const std::string& root, absl::string_view below, std::vector<std::string>* changed);

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_POSIX_H_
