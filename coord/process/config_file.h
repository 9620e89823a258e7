// The configuration file: lines of `key = value` in a subset of TOML, so that any TOML editor understands it.
//
//   # a comment
//   listen = "127.0.0.1:7400"      # "..." with \" \\ \n \t, or '...' as it stands
//   label = ["zone=a", "disk=ssd"]  # a list, on one line
//   slots = 4                       # bare words: letters, digits and . : / _ + - =
//
// No sections: each program has a file of its own.
#ifndef DROVER_COORD_PROCESS_CONFIG_FILE_H_
#define DROVER_COORD_PROCESS_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::process {

struct ConfigLine {
  int line = 0;  // from 1
  std::string key;
  std::vector<std::string> values;  // one, or the elements of a list
};

// In the order of the file. Errors are INVALID_ARGUMENT "line N: ...".
absl::StatusOr<std::vector<ConfigLine>> ParseConfig(absl::string_view text);

// The same of a file; errors begin with its path.
absl::StatusOr<std::vector<ConfigLine>> ReadConfigFile(const std::string& path);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_CONFIG_FILE_H_
