// The file-system seam of log and snapshots. Blocking: called from an Executor's thread, or before the loop starts.
//
// Implementations: RealFileSystem here, and sim::SimFileSystem, which loses what was not synced (bytes and directory entries) at a
// crash, tears writes, and fails the N-th call.
#ifndef DROVER_COORD_BASE_FILE_SYSTEM_H_
#define DROVER_COORD_BASE_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::base {

// Errors: ENOENT is NOT_FOUND, EEXIST is ALREADY_EXISTS, ENOSPC and EDQUOT are RESOURCE_EXHAUSTED, a lock held and what is
// to be read and is no regular file are FAILED_PRECONDITION, everything else INTERNAL; the message names the path and the system's
// words.
class File {
 public:
  virtual ~File() = default;  // closes; never syncs
  // Writes all of `data` or fails; what was written before a failure is undefined.
  virtual absl::Status WriteAt(std::uint64_t offset, absl::string_view data) = 0;
  // Reads up to `size` bytes; fewer only at the end of the file.
  virtual absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) = 0;
  // fdatasync. After a failure the file's contents are unknown: never call it again and believe it (callers poison themselves).
  virtual absl::Status Sync() = 0;
  // Reserves and zero-fills so that later writes below `size` need no new space and change no metadata.
  virtual absl::Status Allocate(std::uint64_t size) = 0;
  // Cuts off what lies behind `size`, which is less than the file has.
  virtual absl::Status Truncate(std::uint64_t size) = 0;
  virtual absl::StatusOr<std::uint64_t> Size() = 0;
};

// Held until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // must not exist; read and write
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Existing directories are fine; parents are made. What it made is durable when it returns.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  // Names (not paths) of the regular files in it, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;
  // Makes creations, renames and removals in it durable.
  virtual absl::Status SyncDirectory(const std::string& directory) = 0;
  // So that the next read of it shows what the disk has: drops what the system keeps of it in memory, where it can.
  virtual void Forget(const std::string& path) = 0;
  // Exclusive between processes; released when the process dies.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// A new file, in the place of one that an earlier attempt left there (a process that died).
absl::StatusOr<std::unique_ptr<File>> CreateAnew(FileSystem* fs, const std::string& path);

// The kernel's. Any thread; one File by one thread at a time.
std::unique_ptr<FileSystem> NewRealFileSystem();

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_FILE_SYSTEM_H_
