// The objects below one directory of a file system: the blocking half of the file: store.
//
//     <root>/objects/a/b/c@     the object with the key a/b/c ('@' is in no key, so "a" and "a/b" never collide)
//     <root>/tmp/<random>       being written; what a crash leaves here is never seen and removed once it is a day old
//
// An object appears by a rename that refuses to overwrite, after its bytes were synced; the directory is synced before the put is
// acknowledged. Puts that come together share their syncs.
//
// Threads: one call at a time (an executor's thread). Several processes may use one directory.
#ifndef DROVER_CLIENT_STORE_FILE_OBJECTS_H_
#define DROVER_CLIENT_STORE_FILE_OBJECTS_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/store/object_store.h"
#include "coord/base/random.h"

namespace drover::store {

class FileObjects {
 public:
  static absl::StatusOr<std::unique_ptr<FileObjects>> Open(const std::string& root, const OpenOptions& options);

  struct PutRequest {
    std::string key;
    base::Bytes data;
  };
  // One result for each, in order; each put succeeds or fails by itself.
  std::vector<absl::StatusOr<ObjectRef>> Put(const std::vector<PutRequest>& requests);
  absl::StatusOr<GetResult> Get(const std::string& key, Range range);
  absl::StatusOr<ListPage> List(const std::string& prefix, const std::string& after, std::size_t limit);
  absl::Status Delete(const std::vector<std::string>& keys);

 private:
  struct Pending;
  FileObjects(std::string root, const OpenOptions& options);

  [[nodiscard]] std::string PathOf(absl::string_view key) const;
  void RemoveLeftovers(base::Duration age) const;
  absl::Status WriteTemporary(const PutRequest& request, Pending* pending);
  void SyncTemporaries(std::vector<Pending>* batch) const;
  absl::Status Publish(const PutRequest& request, Pending* pending) const;
  void SyncDirectories(std::vector<Pending>* batch) const;
  absl::Status SyncFileSystem() const;
  // False once the page is full.
  absl::StatusOr<bool> Walk(const std::string& directory, const std::string& key_prefix, const std::string& prefix,
                            const std::string& after, std::size_t limit, ListPage* page) const;

  const std::string root_;
  const std::string objects_;
  const std::string tmp_;
  const OpenOptions options_;
  base::SystemRandom random_;
};

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_FILE_OBJECTS_H_
