// One snapshot on the disk: who it is of, where in the log it stands, and parts that say what the state was (FORMAT.md). This room
// does not look into the parts.
//
// Written once, front to back; under its own name only when all of it is durable. Everything is checksummed: a reader gives what
// was written or DATA_LOSS. Threads: blocking; one thread at a time each, any: an executor's.
#ifndef DROVER_COORD_LOG_SNAPSHOT_FILE_H_
#define DROVER_COORD_LOG_SNAPSHOT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/log/frame.h"
#include "coord/log/segment.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

struct SnapshotHead {
  base::ClusterId cluster;
  // Random: tells snapshots of the same place apart, for those of two nodes differ in their bytes.
  std::uint64_t id = 0;
  Restart at;            // the last entry in it, and the configuration that held then
  base::Bytes founding;  // the payload of the cluster's first entry: with which members it began

  friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
};

// "snapshot-00000000000000ff.snap": by the index of the last entry in it, 16 hexadecimal digits.
std::string SnapshotName(raft::Index index);
// Empty if this is not a snapshot's name.
std::optional<raft::Index> ParseSnapshotName(absl::string_view name);

inline constexpr std::uint32_t kSnapshotVersion = 1;
// A part is at most so long, before and after compression. (A znode with its data and path must fit.)
inline constexpr std::size_t kSnapshotPartBytesMax = std::size_t{64} << 20;

// Written and synced so many bytes at a time: a log's sync on the same disk waits for what is under way there, and 4 MiB take a disk
// that writes 200 MB/s 20 ms.
inline constexpr std::uint64_t kSnapshotSyncBytes = std::uint64_t{256} << 10;

class SnapshotWriter {
 public:
  struct Options {
    int zstd_level = 1;
    std::uint64_t sync_bytes = kSnapshotSyncBytes;
    std::string name;  // of the file, instead of SnapshotName
  };
  // A file of its own in `directory`, in the place of one that was left half written. RESOURCE_EXHAUSTED: the disk is full; so for
  // all calls. After an error the writer is of no use any more.
  static absl::StatusOr<std::unique_ptr<SnapshotWriter>> Begin(base::FileSystem* fs, const std::string& directory,
                                                               const SnapshotHead& head, const Options& options);
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // Compresses and writes the next part, of at most kSnapshotPartBytesMax.
  absl::Status Add(absl::string_view part);
  // Writes the end, syncs, and gives the file its name: from here on there is a snapshot.
  absl::Status Finish();

  // Removes what it has written, if it has not finished; if that fails, the next start of the process does it.
  void Discard();

  [[nodiscard]] std::uint64_t bytes() const { return at_; }

 private:
  SnapshotWriter(base::FileSystem* fs, std::string directory, const SnapshotHead& head, const Options& options)
      : fs_(fs),
        path_(directory + "/" + (options.name.empty() ? SnapshotName(head.at.index) : options.name)),
        directory_(std::move(directory)),
        head_(head),
        options_(options) {}
  absl::Status Write(absl::string_view bytes);

  base::FileSystem* const fs_;
  const std::string path_;
  const std::string directory_;
  const SnapshotHead head_;
  const Options options_;
  std::unique_ptr<base::File> file_;
  std::uint64_t at_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t parts_ = 0;
  std::uint64_t chain_ = 0;  // checksum over the checksums so far
  std::string scratch_;
  bool finished_ = false;
};

class SnapshotReader {
 public:
  // NOT_FOUND: no such file. FAILED_PRECONDITION: of another cluster than `cluster` (if given), or of a newer format. DATA_LOSS:
  // what is wrong where, and `what_to_do`.
  static absl::StatusOr<std::unique_ptr<SnapshotReader>> Open(base::FileSystem* fs, const std::string& path,
                                                              std::optional<base::ClusterId> cluster,
                                                              absl::string_view what_to_do = kDamagedLog);

  [[nodiscard]] const SnapshotHead& head() const { return head_; }
  // The next part; nothing behind the last one, when the end of the file was found to be right.
  absl::StatusOr<std::optional<std::string>> Next();

  [[nodiscard]] std::uint64_t bytes() const { return size_; }
  [[nodiscard]] std::uint64_t parts() const { return parts_; }  // read so far
  [[nodiscard]] std::uint64_t bytes_read() const { return at_; }  // where the next part begins

 private:
  SnapshotReader(std::unique_ptr<base::File> file, std::string path, std::uint64_t size, absl::string_view what_to_do)
      : file_(std::move(file)), path_(std::move(path)), size_(size), what_to_do_(what_to_do) {}
  absl::Status ReadHead(std::optional<base::ClusterId> cluster);
  absl::StatusOr<std::string> ReadExactly(std::uint64_t size, absl::string_view what);
  [[nodiscard]] absl::Status Damaged(absl::string_view what) const;

  const std::unique_ptr<base::File> file_;
  const std::string path_;
  const std::uint64_t size_;
  const std::string what_to_do_;
  SnapshotHead head_;
  std::uint64_t at_ = 0;
  std::uint64_t parts_ = 0;
  std::uint64_t chain_ = 0;
  bool ended_ = false;
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_SNAPSHOT_FILE_H_
