#include "client/examples/store/fenced_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::examples {
namespace {

absl::Status Trouble(const std::string& what) {
  return absl::ErrnoToStatus(errno, what);
}

absl::Status Sync(int fd, const std::string& path) {
  return fsync(fd) == 0 ? absl::OkStatus() : Trouble(path);
}

// One line: token, who, id, data, escaped so that blanks and newlines are none.
std::string Line(const Holder& holder, const std::string& id, const std::string& data) {
  return absl::StrCat(holder.token, "\t", absl::CEscape(holder.who), "\t", absl::CEscape(id), "\t", absl::CEscape(data), "\n");
}

absl::StatusOr<Record> ParseLine(absl::string_view line) {
  const std::vector<std::string> fields = absl::StrSplit(line, '\t');
  Record record;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &record.holder.token) || !absl::CUnescape(fields[1], &record.holder.who) ||
      !absl::CUnescape(fields[2], &record.id) || !absl::CUnescape(fields[3], &record.data)) {
    return absl::DataLossError(absl::StrCat("a damaged record: ", absl::CEscape(line)));
  }
  return record;
}

// The file of one log, locked as long as this lives.
class LockedLog {
 public:
  ~LockedLog() {
    if (fd_ >= 0) close(fd_);
  }

  absl::Status Open(const std::string& directory, const std::string& log) {
    if (!IsName(log)) return absl::InvalidArgumentError(absl::StrCat("'", log, "' can be no name of a log"));
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    path_ = absl::StrCat(directory, "/", log);
    fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0) return Trouble(path_);
    while (flock(fd_, LOCK_EX) != 0) {
      if (errno != EINTR) return Trouble(path_);
    }
    if (absl::Status read = ReadAll(); !read.ok()) return read;
    // What somebody has written and could not sync any more must not be taken for stored. Of a new file its name must be, too.
    absl::Status synced = Sync(fd_, path_);
    if (!synced.ok() || !records_.empty()) return synced;
    const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    synced = Sync(folder, directory);
    if (folder >= 0) close(folder);
    return synced;
  }

  // Lower tokens than the highest seen are refused; a new one is written down.
  absl::Status Enter(const Holder& holder) {
    const std::uint64_t highest = records_.empty() ? 0 : records_.back().holder.token;
    if (holder.token < highest) {
      return absl::FailedPreconditionError(absl::StrCat("token ", holder.token, " of ", holder.who,
                                                        " is refused: ", records_.back().holder.who, " came with ", highest));
    }
    return holder.token > highest ? Write(holder, "", "") : absl::OkStatus();
  }

  absl::Status Write(const Holder& holder, const std::string& id, const std::string& data) {
    const std::string line = Line(holder, id, data);
    for (std::size_t done = 0; done < line.size();) {
      const ssize_t wrote = write(fd_, line.data() + done, line.size() - done);
      if (wrote < 0 && errno != EINTR) return Trouble(path_);
      if (wrote > 0) done += static_cast<std::size_t>(wrote);
    }
    if (absl::Status synced = Sync(fd_, path_); !synced.ok()) return synced;
    records_.push_back({holder, id, data});
    return absl::OkStatus();
  }

  [[nodiscard]] const std::vector<Record>& records() const { return records_; }

 private:
  absl::Status ReadAll() {
    std::string text;
    char buffer[1 << 16];
    while (const ssize_t got = read(fd_, buffer, sizeof(buffer))) {
      if (got < 0 && errno != EINTR) return Trouble(path_);
      if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    }
    // A line without its end was never acknowledged.
    const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    if (whole < text.size() && ftruncate(fd_, static_cast<off_t>(whole)) != 0) return Trouble(path_);
    text.resize(whole);
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      absl::StatusOr<Record> record = ParseLine(line);
      if (!record.ok()) return record.status();
      records_.push_back(*std::move(record));
    }
    return absl::OkStatus();
  }

  std::string path_;
  int fd_ = -1;
  std::vector<Record> records_;
};

}  // namespace

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 100 && text[0] != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

FencedStore::FencedStore(std::string directory) : directory_(std::move(directory)) {}

absl::StatusOr<bool> FencedStore::Append(const std::string& log, const Holder& holder, const std::string& id,
                                         const std::string& data) {
  if (id.empty()) return absl::InvalidArgumentError("what is stored needs an id");
  LockedLog file;
  if (absl::Status opened = file.Open(directory_, log); !opened.ok()) return opened;
  if (absl::Status entered = file.Enter(holder); !entered.ok()) return entered;
  const auto same = [&](const Record& record) { return record.id == id; };
  if (std::any_of(file.records().begin(), file.records().end(), same)) return false;
  if (absl::Status written = file.Write(holder, id, data); !written.ok()) return written;
  return true;
}

absl::StatusOr<std::vector<Record>> FencedStore::Read(const std::string& log, const Holder& holder) {
  LockedLog file;
  if (absl::Status opened = file.Open(directory_, log); !opened.ok()) return opened;
  if (absl::Status entered = file.Enter(holder); !entered.ok()) return entered;
  std::vector<Record> appended = file.records();
  appended.erase(std::remove_if(appended.begin(), appended.end(), [](const Record& r) { return r.id.empty(); }), appended.end());
  return appended;
}

absl::Status FencedStore::Check(const std::string& log, const Holder& holder) {
  LockedLog file;
  if (absl::Status opened = file.Open(directory_, log); !opened.ok()) return opened;
  return file.Enter(holder);
}

absl::StatusOr<std::vector<Record>> FencedStore::History(const std::string& log) {
  LockedLog file;
  if (absl::Status opened = file.Open(directory_, log); !opened.ok()) return opened;
  return file.records();
}

}  // namespace drover::examples
