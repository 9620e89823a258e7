// A file that is being made, and is there under its name only when it is whole and durable.
//
// It is written as NAME.incoming, which only its owner may read, for it may hold secrets, and which is locked as long as it is
// written: who comes second is refused. What was left of one that was interrupted has no lock, and is replaced by the next. One
// thread.
#ifndef DROVER_CLIENT_CLI_INCOMING_FILE_H_
#define DROVER_CLIENT_CLI_INCOMING_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/file_system.h"

namespace drover::cli {

class IncomingFile {
 public:
  // ALREADY_EXISTS: there is one of that name, and `replace` is false. FAILED_PRECONDITION: another process makes it at the moment.
  // `files` must outlive it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<IncomingFile>> Begin(base::FileSystem* files, const std::string& name,
                                                                           bool replace);
  // Removes what was written, if it was not adopted.
  ~IncomingFile();
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  [[nodiscard]] absl::Status Append(absl::string_view bytes);
  // What was written is no part of it: Append begins anew.
  [[nodiscard]] absl::Status StartOver();
  // Syncs what was written.
  [[nodiscard]] absl::Status Sync();
  // Gives it its name, and syncs the directory. ALREADY_EXISTS as for Begin.
  [[nodiscard]] absl::Status Adopt();

  // Where it lies until then.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // Of the last Append, Sync or StartOver.
  [[nodiscard]] const absl::Status& status() const { return status_; }

 private:
  IncomingFile(base::FileSystem* files, std::string name, bool replace);
  [[nodiscard]] absl::Status CheckFree() const;
  [[nodiscard]] absl::Status Create();

  base::FileSystem* const files_;
  const std::string name_;
  const std::string path_;
  const bool replace_;
  int lock_ = -1;                     // a descriptor of its own, of the same file as `file_`
  std::unique_ptr<base::File> file_;  // null: not begun, or adopted
  std::uint64_t bytes_ = 0;
  absl::Status status_;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_INCOMING_FILE_H_
