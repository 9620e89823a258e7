// Where `drover dev` keeps its cluster's state: the directory given, or a temporary one that goes with this object.
//
// A temporary one holds a file `owner`, locked (flock) as long as its process lives. One that nobody locks was left by a `drover
// dev` that was killed; whoever makes the next one in the same place removes it. Nothing else is ever removed: no other name, no
// other user's, nothing without that file. One thread.
#ifndef DROVER_CLIENT_CLI_DATA_DIRECTORY_H_
#define DROVER_CLIENT_CLI_DATA_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"

namespace drover::cli {

class DataDirectory {
 public:
  DataDirectory() = default;
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  // Makes `given`; empty: a temporary one. INVALID_ARGUMENT: `given` cannot be made.
  [[nodiscard]] absl::Status Open(const std::string& given);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] absl::Status OpenTemporary();

  std::string path_;
  int owner_ = -1;  // the locked file of a temporary one
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_DATA_DIRECTORY_H_
