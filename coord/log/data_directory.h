// A node's data directory: its lock, and the identity that tells this node from any other that ever had its id.
//
// Blocking; before the loop starts, or on the disk's thread.
#ifndef DROVER_COORD_LOG_DATA_DIRECTORY_H_
#define DROVER_COORD_LOG_DATA_DIRECTORY_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/feature_level.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"

namespace drover::coord::log {

// Kept in the file `identity`, which is written whole (temporary file, sync, rename, sync of the directory) and never edited.
struct Identity {
  base::NodeId node;
  base::Incarnation incarnation;  // random, chosen when the directory was empty
  base::ClusterId cluster;        // 0 until something was written to the node's log
  // No program that does not know this level may ever use the directory.
  base::FeatureLevel promised = base::kFirstFeatureLevel;

  friend bool operator==(const Identity&, const Identity&) = default;
};

class DataDirectory {
 public:
  // Makes the directory where needed, takes its LOCK until destroyed, reads the identity. `fs` must outlive it.
  // FAILED_PRECONDITION: another process holds the lock. DATA_LOSS: the identity is damaged.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(base::FileSystem* fs, const std::string& path);

  // Empty in a new directory.
  [[nodiscard]] const std::optional<Identity>& identity() const { return identity_; }

  // Once, in a new directory; durable when it returns. `node` and `incarnation` are not 0. DATA_LOSS: there is a log, so that there
  // was an identity.
  absl::Status CreateIdentity(base::NodeId node, base::Incarnation incarnation);
  // The log calls it when something was written to it. Once, or with the same cluster.
  absl::Status AdoptCluster(base::ClusterId cluster);
  // Durable when it returns OK. Promises only grow; a lower one is kept already. RESOURCE_EXHAUSTED: the disk is full, nothing was
  // promised. After any other error it may be there or not.
  absl::Status Promise(base::FeatureLevel level);
  // The file says what identity() does: writes it anew if it was damaged or removed since. Errors as Promise.
  absl::Status MendIdentity();

  [[nodiscard]] base::FileSystem* fs() const { return fs_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // The path of a file in it.
  [[nodiscard]] std::string PathOf(const std::string& name) const { return path_ + "/" + name; }

 private:
  DataDirectory(base::FileSystem* fs, std::string path, std::unique_ptr<base::FileLock> lock);
  absl::Status Write(const Identity& identity);

  base::FileSystem* const fs_;
  const std::string path_;
  const std::unique_ptr<base::FileLock> lock_;
  std::optional<Identity> identity_;
};

// What is to be done about an identity that is lost.
inline constexpr absl::string_view kLostIdentity =
    "In a cluster the others go on without this node as long as most of them run: give it an empty directory, start it with "
    "--join, and let it in again by drover cluster member readmit; no older copy may take its place. A single node is restored "
    "from "
    "a backup.";
// What a directory that has lost one of the two is told, by recovery and by inspection. DATA_LOSS.
absl::Status MissingIdentity(const std::string& directory);  // but there is a log
absl::Status MissingLog(const std::string& directory);       // but the identity names the log's cluster

// For tests and inspection: the file's contents.
std::string EncodeIdentity(const Identity& identity);
// DATA_LOSS, or FAILED_PRECONDITION for a newer format.
absl::StatusOr<Identity> DecodeIdentity(absl::string_view contents);

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_DATA_DIRECTORY_H_
