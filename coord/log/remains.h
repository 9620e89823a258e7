// Files that were removed and whose space is given back step by step.
//
// A file system that frees a large file at once, and on many disks tells the disk so (discard), keeps all that is written meanwhile
// waiting: tens of milliseconds for 64 MiB. So the name goes at once, and the file is kept open and cut shorter between appends. It
// is only cut when its removal is durable, lest a power loss brings back a shorter one. Threads: those of Log.
#ifndef DROVER_COORD_LOG_REMAINS_H_
#define DROVER_COORD_LOG_REMAINS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/file_system.h"

namespace drover::coord::log {

class Remains {
 public:
  // `fs` must outlive it.
  Remains(base::FileSystem* fs, std::uint64_t step_bytes) : fs_(fs), step_bytes_(step_bytes) {}

  // Removes the name `path` of a file of so many bytes, which may be `open`. The caller syncs the directory before it calls Shrink.
  // Errors: of the removal.
  absl::Status Remove(const std::string& path, std::unique_ptr<base::File> open, std::uint64_t bytes);

  // One step: gives back up to `step_bytes`. Does nothing if there is nothing left.
  void Shrink();
  // Gives back all of it now.
  void Drop() { files_.clear(); }

  [[nodiscard]] bool empty() const { return files_.empty(); }
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Remain {
    std::unique_ptr<base::File> file;
    std::uint64_t bytes = 0;  // left
  };

  base::FileSystem* const fs_;
  const std::uint64_t step_bytes_;
  std::deque<Remain> files_;
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_REMAINS_H_
