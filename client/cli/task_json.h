// Tasks as JSON, for `submit --from-json`: what the options of `submit` say, under their names without dashes.
//
//   {"id": "fetch", "command": ["curl", "-O", "https://..."], "retries": 3, "time_limit": "5m", "env": {"A": "1"}}
//   {"command": ["sort"], "stdin": "b\na\n", "after": ["fetch"]}
//
// Each is parsed by the very options (TaskFlags), so that it means the same and is refused with the same words.
#ifndef DROVER_CLIENT_CLI_TASK_JSON_H_
#define DROVER_CLIENT_CLI_TASK_JSON_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/input.h"
#include "client/cli/output.h"
#include "client/cli/task_flags.h"
#include "drover/client/task.h"

namespace drover::cli {

// What `base` says holds where the task says nothing. Besides the options: `command`, the program and its arguments; `stdin`, its
// standard input itself (`stdin_file` is the option). Numbers may be given as text, lists as one value; null is as if it were not
// there. INVALID_ARGUMENT or RESOURCE_EXHAUSTED, as one sentence.
[[nodiscard]] absl::StatusOr<client::TaskSpec> TaskOfJson(const TaskFlags& base, const Json& task);

// The values of a file, one at a time: of one array, or standing one after the other (JSON Lines).
class JsonReader {
 public:
  // Errors as LineReader.
  [[nodiscard]] static absl::StatusOr<JsonReader> Open(const std::string& file);
  // False at the end. INVALID_ARGUMENT: it is no JSON from here on; DATA_LOSS: the reading failed.
  [[nodiscard]] absl::StatusOr<bool> Next(Json* value);

 private:
  explicit JsonReader(InputFile input) : input_(std::move(input)) {}

  InputFile input_;
  bool begun_ = false;
  bool in_array_ = false;
  bool ended_ = false;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TASK_JSON_H_
