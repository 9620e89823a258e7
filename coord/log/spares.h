// Spares: files of dropped segments, filled with zeros to become segments again.
//
// A new segment in a spare costs no space and, as all its blocks are written already, no change of metadata at each sync. A spare
// that holds anything but synced zeros is never used, so that behind the frames of any segment there are zeros, whatever its file
// was before. Threads: those of Log.
#ifndef DROVER_COORD_LOG_SPARES_H_
#define DROVER_COORD_LOG_SPARES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/file_system.h"

namespace drover::coord::log {

// "spare-0000000001.log", by the number of the segment that it was.
std::string SpareName(std::uint64_t number);
// False for any other file.
bool IsSpareName(absl::string_view name);

class Spares {
 public:
  struct Limits {
    std::size_t files_max = 0;
    // Smaller files are not worth it, larger ones hold more than segments use.
    std::uint64_t file_bytes_min = 0;
    std::uint64_t file_bytes_max = 0;
    std::uint64_t step_bytes = 0;
  };
  // `fs` must outlive it.
  Spares(base::FileSystem* fs, std::string directory, const Limits& limits)
      : fs_(fs), directory_(std::move(directory)), limits_(limits) {}

  // A file that a process before this one left under a spare's name: kept as one that is not filled, or removed. Removing may
  // fail: then the next process tries again.
  void Adopt(const std::string& name);

  // A dropped segment's file of so many bytes may become a spare.
  [[nodiscard]] bool Wants(std::uint64_t bytes) const;
  // Renames the file at `path`, of segment `number`, to a spare. It must not be filled before the rename is durable: the caller
  // syncs the directory before it calls Fill. Errors: of the rename.
  absl::Status Take(const std::string& path, std::uint64_t number, std::uint64_t bytes);

  // One step: writes zeros over up to `step_bytes` of a spare and syncs them. Does nothing if all are filled. After an error the
  // spare is gone.
  absl::Status Fill();
  [[nodiscard]] bool filled() const;

  struct Ready {
    std::unique_ptr<base::File> file;
    std::string path;
    std::uint64_t bytes = 0;
  };
  // A file of synced zeros only, which is the caller's from now on, to write and to rename. Empty if there is none.
  std::optional<Ready> Use();

  // Removes all, for their space.
  void Drop();

  [[nodiscard]] std::size_t files() const { return spares_.size(); }
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Spare {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t zeros = 0;           // synced, from the beginning
    std::unique_ptr<base::File> file;  // once filling has begun
  };

  absl::Status FillStep(Spare* spare);

  base::FileSystem* const fs_;
  const std::string directory_;
  const Limits limits_;
  std::deque<Spare> spares_;  // those filled, then at most one that is being filled, then the others
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_SPARES_H_
