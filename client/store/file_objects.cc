#include "client/store/file_objects.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/store/key.h"
#include "client/store/object_file.h"
#include "client/store/posix.h"

namespace drover::store {
namespace {

// From this many objects on, one syncfs is cheaper than a sync for each file and directory.
constexpr std::size_t kSyncFileSystemFrom = 4;
// A directory that a concurrent delete removed is made again this often before giving up.
constexpr int kPublishTries = 16;

absl::string_view ParentOf(absl::string_view path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

struct FileObjects::Pending {
  absl::Status status;
  std::string temporary;  // empty once published or never written
  ObjectRef ref;
  std::vector<std::string> directories;  // that have a new entry
};

FileObjects::FileObjects(std::string root, const OpenOptions& options)
    : root_(std::move(root)), objects_(root_ + "/objects"), tmp_(root_ + "/tmp"), options_(options) {}

absl::StatusOr<std::unique_ptr<FileObjects>> FileObjects::Open(const std::string& root, const OpenOptions& options) {
  std::unique_ptr<FileObjects> objects(new FileObjects(root, options));
  if (options.create) {
    std::vector<std::string> changed;
    if (absl::Status s = MakeDirectories("", absl::string_view(root).substr(1), &changed); !s.ok()) return s;
    for (absl::string_view name : {"objects", "tmp"}) {
      if (absl::Status s = MakeDirectories(root, name, &changed); !s.ok()) return s;
    }
    for (const std::string& directory : changed) {
      if (absl::Status s = SyncPath(directory.empty() ? "/" : directory); !s.ok()) return s;
    }
    objects->RemoveLeftovers(options.leftover_age);
  } else if (absl::Status s = ReadDirectory(objects->objects_).status(); !s.ok()) {
    return s;
  } else if (options.tend) {
    std::vector<std::string> changed;
    if (absl::Status made = MakeDirectories(root, "tmp", &changed); !made.ok()) return made;
    objects->RemoveLeftovers(options.leftover_age);
  }
  return objects;
}

std::string FileObjects::PathOf(absl::string_view key) const {
  return absl::StrCat(objects_, "/", key, "@");
}

void FileObjects::RemoveLeftovers(base::Duration age) const {
  auto entries = ReadDirectory(tmp_);
  if (!entries.ok()) return;
  const std::time_t oldest = std::time(nullptr) - std::chrono::duration_cast<std::chrono::seconds>(age).count();
  for (const DirectoryEntry& entry : *entries) {
    const std::string path = absl::StrCat(tmp_, "/", entry.name);
    struct stat st;
    if (!entry.directory && stat(path.c_str(), &st) == 0 && st.st_mtime <= oldest) unlink(path.c_str());
  }
}

std::vector<absl::StatusOr<ObjectRef>> FileObjects::Put(const std::vector<PutRequest>& requests) {
  std::vector<Pending> batch(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) batch[i].status = WriteTemporary(requests[i], &batch[i]);
  SyncTemporaries(&batch);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (batch[i].status.ok()) batch[i].status = Publish(requests[i], &batch[i]);
  }
  SyncDirectories(&batch);

  std::vector<absl::StatusOr<ObjectRef>> results;
  results.reserve(batch.size());
  for (Pending& pending : batch) {
    if (!pending.temporary.empty()) unlink(pending.temporary.c_str());
    if (pending.status.ok()) {
      results.emplace_back(std::move(pending.ref));
    } else {
      results.emplace_back(std::move(pending.status));
    }
  }
  return results;
}

absl::Status FileObjects::WriteTemporary(const PutRequest& request, Pending* pending) {
  if (absl::Status s = CheckKey(request.key); !s.ok()) return s;
  if (request.data.size() > options_.object_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat("object ", request.key, " has ", request.data.size(),
                                                     " bytes; this store takes at most ", options_.object_bytes_max));
  }
  // Only saves the work; the rename decides.
  if (access(PathOf(request.key).c_str(), F_OK) == 0)
    return absl::AlreadyExistsError(absl::StrCat("object ", request.key, " exists"));

  const std::string path =
      absl::StrCat(tmp_, "/", absl::Hex(random_.Next(), absl::kZeroPad16), absl::Hex(random_.Next(), absl::kZeroPad16));
  auto fd = OpenFile(path, O_WRONLY | O_CREAT | O_EXCL);
  if (!fd.ok()) return fd.status();
  pending->temporary = path;
  pending->ref = {request.key, request.data.size(), DigestOf(request.data.view())};
  if (absl::Status s = WriteAll(fd->get(), request.data.view(), path); !s.ok()) return s;
  return WriteAll(fd->get(), ObjectTrailer(request.key, request.data.view(), pending->ref.digest), path);
}

void FileObjects::SyncTemporaries(std::vector<Pending>* batch) const {
  const auto written = std::count_if(batch->begin(), batch->end(), [](const Pending& p) { return p.status.ok(); });
  const bool together = static_cast<std::size_t>(written) >= kSyncFileSystemFrom;
  const absl::Status all = together ? SyncFileSystem() : absl::OkStatus();
  for (Pending& pending : *batch) {
    if (pending.status.ok()) pending.status = together ? all : SyncPath(pending.temporary);
  }
}

absl::Status FileObjects::Publish(const PutRequest& request, Pending* pending) const {
  const std::string path = PathOf(request.key);
  const absl::string_view parent = ParentOf(path);
  absl::Status status;
  for (int i = 0; i < kPublishTries; ++i) {
    if (parent.size() > objects_.size()) {
      status = MakeDirectories(objects_, parent.substr(objects_.size() + 1), &pending->directories);
    }
    if (status.ok()) status = RenameNew(pending->temporary, path);
    if (!absl::IsNotFound(status)) break;  // a delete took the empty directory away meanwhile
  }
  if (absl::IsAlreadyExists(status)) return absl::AlreadyExistsError(absl::StrCat("object ", request.key, " exists"));
  if (!status.ok()) return status;
  pending->temporary.clear();
  pending->directories.emplace_back(parent);
  return absl::OkStatus();
}

void FileObjects::SyncDirectories(std::vector<Pending>* batch) const {
  std::set<std::string> directories;
  for (const Pending& pending : *batch) directories.insert(pending.directories.begin(), pending.directories.end());
  const bool together = directories.size() >= kSyncFileSystemFrom;
  absl::Status status = together ? SyncFileSystem() : absl::OkStatus();
  if (!together) {
    for (const std::string& directory : directories) {
      absl::Status s = SyncPath(directory);
      // Gone with what was in it: somebody deleted the object already.
      if (!s.ok() && !absl::IsNotFound(s)) status.Update(s);
    }
  }
  for (Pending& pending : *batch) {
    if (pending.status.ok()) pending.status = status;
  }
}

absl::Status FileObjects::SyncFileSystem() const {
  auto fd = OpenFile(objects_, O_RDONLY | O_DIRECTORY);
  if (!fd.ok()) return fd.status();
  if (syncfs(fd->get()) != 0) return ErrnoStatus(errno, "syncfs", objects_);
  return absl::OkStatus();
}

absl::StatusOr<GetResult> FileObjects::Get(const std::string& key, Range range) {
  if (absl::Status s = CheckKey(key); !s.ok()) return s;
  return ReadObjectFile(PathOf(key), key, range);
}

absl::StatusOr<ListPage> FileObjects::List(const std::string& prefix, const std::string& after, std::size_t limit) {
  if (absl::Status s = CheckPrefix(prefix); !s.ok()) return s;
  if (absl::Status s = CheckPrefix(after); !s.ok()) return s;
  if (limit == 0 || limit > kListLimitMax) {
    return absl::InvalidArgumentError(absl::StrCat("a list's limit is 1 to ", kListLimitMax, ", not ", limit));
  }
  ListPage page;
  // From the deepest directory that holds everything that may match.
  const std::string begin = prefix.substr(0, prefix.rfind('/') + 1);
  const std::string directory = begin.empty() ? objects_ : absl::StrCat(objects_, "/", absl::StripSuffix(begin, "/"));
  if (auto all = Walk(directory, begin, prefix, after, limit, &page); !all.ok()) return all.status();
  return page;
}

absl::StatusOr<bool> FileObjects::Walk(const std::string& directory, const std::string& key_prefix, const std::string& prefix,
                                       const std::string& after, std::size_t limit, ListPage* page) const {
  auto entries = ReadDirectory(directory);
  if (absl::IsNotFound(entries.status())) return true;  // emptied and removed meanwhile
  if (!entries.ok()) return entries.status();
  // With a directory's '/' and without a file's '@' the order of names is the order of keys.
  std::vector<std::string> keys;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.directory) {
      keys.push_back(absl::StrCat(key_prefix, entry.name, "/"));
    } else if (absl::EndsWith(entry.name, "@")) {
      keys.push_back(absl::StrCat(key_prefix, absl::StripSuffix(entry.name, "@")));
    }
  }
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    if (absl::EndsWith(key, "/")) {
      const bool may_match = absl::StartsWith(key, prefix) || absl::StartsWith(prefix, key);
      const bool all_seen = after >= key && !absl::StartsWith(after, key);
      if (!may_match || all_seen) continue;
      auto more = Walk(absl::StrCat(objects_, "/", absl::StripSuffix(key, "/")), key, prefix, after, limit, page);
      if (!more.ok() || !*more) return more;
      continue;
    }
    if (!absl::StartsWith(key, prefix) || key <= after) continue;
    struct stat st;
    if (stat(PathOf(key).c_str(), &st) != 0) {
      if (errno == ENOENT) continue;
      return ErrnoStatus(errno, "stat", PathOf(key));
    }
    if (page->objects.size() == limit) {
      page->more = true;
      return false;
    }
    const auto modified = static_cast<std::int64_t>(st.st_mtim.tv_sec) * 1000 + st.st_mtim.tv_nsec / 1'000'000;
    page->objects.push_back({key, DataBytesOf(static_cast<std::uint64_t>(st.st_size)), base::WallTime(modified)});
  }
  return true;
}

absl::Status FileObjects::Delete(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (absl::Status s = CheckKey(key); !s.ok()) return s;
  }
  absl::Status status;
  std::set<std::string> directories;
  for (const std::string& key : keys) {
    const std::string path = PathOf(key);
    if (unlink(path.c_str()) != 0) {
      if (errno != ENOENT) status.Update(ErrnoStatus(errno, "delete", path));
      continue;
    }
    // Empty directories go, too; the first that stays has to be synced.
    std::string directory(ParentOf(path));
    while (directory.size() > objects_.size() && rmdir(directory.c_str()) == 0) {
      directories.erase(directory);
      directory = std::string(ParentOf(directory));
    }
    directories.insert(directory);
  }
  for (const std::string& directory : directories) {
    absl::Status s = SyncPath(directory);
    if (!s.ok() && !absl::IsNotFound(s)) status.Update(s);
  }
  return status;
}

}  // namespace drover::store
