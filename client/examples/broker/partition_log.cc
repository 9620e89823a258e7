#include "client/examples/broker/partition_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::examples::broker {
namespace {

absl::Status Failed(const char* what) {
  return absl::ErrnoToStatus(errno, what);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PartitionLog>> PartitionLog::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return absl::InternalError(absl::StrCat(path, ": ", Failed("open").message()));
  return std::unique_ptr<PartitionLog>(new PartitionLog(fd));
}

PartitionLog::~PartitionLog() {
  close(fd_);
}

absl::Status PartitionLog::CatchUp() {
  std::string text;  // from size_ on
  char buffer[65536];
  for (ssize_t n = 1; n > 0;) {
    n = pread(fd_, buffer, sizeof buffer, static_cast<off_t>(size_ + text.size()));
    if (n < 0) return Failed("read");
    text.append(buffer, static_cast<std::size_t>(n));
  }
  const std::size_t whole = text.rfind('\n') + 1;  // 0: there is none
  for (std::size_t at = 0, end = 0; at < whole; at = end + 1) {
    end = text.find('\n', at);
    const std::vector<std::string> words = absl::StrSplit(text.substr(at, end - at), absl::MaxSplits(' ', 3));
    std::uint64_t token = 0;
    std::uint64_t sequence = 0;
    if (words.size() != 4 || !absl::SimpleAtoi(words[0], &token) || !absl::SimpleAtoi(words[2], &sequence)) {
      return absl::DataLossError(absl::StrCat("no record at byte ", size_ + at));
    }
    begins_.push_back(size_ + at);
    token_ = std::max(token_, token);
    last_[words[1]] = sequence;
  }
  size_ += whole;
  return absl::OkStatus();
}

absl::Status PartitionLog::Append(std::uint64_t token, const std::string& producer, std::uint64_t sequence,
                                  const std::string& text) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (flock(fd_, LOCK_EX) != 0) return Failed("flock");
  absl::Status appended = AppendLocked(token, producer, sequence, text);
  flock(fd_, LOCK_UN);
  return appended;
}

absl::Status PartitionLog::AppendLocked(std::uint64_t token, const std::string& producer, std::uint64_t sequence,
                                        const std::string& text) {
  if (absl::Status caught_up = CatchUp(); !caught_up.ok()) return caught_up;
  if (token < token_) return absl::AbortedError(absl::StrCat("token ", token, " is refused: ", token_, " has written"));
  const auto end = static_cast<off_t>(size_);
  if (ftruncate(fd_, end) != 0) return Failed("truncate");  // to whole lines
  if (last_[producer] < sequence) {
    const std::string line = absl::StrCat(token, " ", producer, " ", sequence, " ", text, "\n");
    if (write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      if (ftruncate(fd_, end) != 0) return Failed("truncate");
      return absl::ResourceExhaustedError("there was no room for the whole record");
    }
  }
  // Also of what is there already: whoever wrote it may have been killed before it came here.
  if (fdatasync(fd_) != 0) return Failed("fdatasync");
  return CatchUp();
}

absl::StatusOr<std::vector<std::string>> PartitionLog::Read(std::uint64_t from, std::uint64_t max) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (absl::Status caught_up = CatchUp(); !caught_up.ok()) return caught_up;
  std::vector<std::string> records;
  for (std::uint64_t i = from; i < begins_.size() && i - from < max; ++i) {
    const std::uint64_t end = i + 1 < begins_.size() ? begins_[i + 1] : size_;
    std::string line(end - begins_[i], '\0');
    if (pread(fd_, line.data(), line.size(), static_cast<off_t>(begins_[i])) != static_cast<ssize_t>(line.size())) {
      return Failed("read");
    }
    line.pop_back();
    records.push_back(line.substr(line.find(' ') + 1));
  }
  return records;
}

absl::StatusOr<PartitionLog::Summary> PartitionLog::Summarize(const std::string& producer) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (absl::Status caught_up = CatchUp(); !caught_up.ok()) return caught_up;
  return Summary{begins_.size(), last_[producer]};
}

}  // namespace drover::examples::broker
