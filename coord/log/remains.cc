#include "coord/log/remains.h"

#include <utility>

#include "coord/base/status.h"

namespace drover::coord::log {

absl::Status Remains::Remove(const std::string& path, std::unique_ptr<base::File> open, std::uint64_t bytes) {
  if (open == nullptr) {
    DROVER_ASSIGN_OR_RETURN(open, fs_->Open(path, base::OpenMode::kReadWrite));
  }
  DROVER_RETURN_IF_ERROR(fs_->Remove(path));
  files_.push_back({.file = std::move(open), .bytes = bytes});
  return absl::OkStatus();
}

void Remains::Shrink() {
  if (files_.empty()) return;
  Remain& file = files_.front();
  if (file.bytes > step_bytes_ && file.file->Truncate(file.bytes - step_bytes_).ok()) {
    file.bytes -= step_bytes_;
    return;
  }
  files_.pop_front();  // the last step, or one that cannot be made: closed, it is gone as a whole
}

std::uint64_t Remains::bytes() const {
  std::uint64_t sum = 0;
  for (const Remain& file : files_) sum += file.bytes;
  return sum;
}

}  // namespace drover::coord::log
