// The options that describe a task, shared by `drover submit` and `drover run`.
#ifndef DROVER_CLIENT_CLI_TASK_FLAGS_H_
#define DROVER_CLIENT_CLI_TASK_FLAGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/time.h"
#include "coord/process/options.h"
#include "drover/client/task.h"

namespace drover::cli {

struct TaskFlags {
  std::string id;
  std::string if_exists = "same";
  std::string name;
  std::string queue;
  std::uint32_t priority = 0;
  std::map<std::string, std::string> env;
  std::string cwd;
  std::string stdin_file;
  base::Duration time_limit{0};
  std::uint32_t retries = 0;
  base::Duration retry_backoff = std::chrono::seconds(1);
  std::vector<int> retry_on;
  base::Duration delay{0};
  std::int64_t start_at_ms = 0;
  base::Duration start_within{0};
  std::int64_t deadline_ms = 0;
  base::Duration total_limit{0};
  base::Duration heartbeat{0};
  bool at_most_once = false;
  std::string on_disconnect = "keep";
  std::map<std::string, std::string> labels;
  std::vector<std::string> rules;
  std::map<std::string, std::string> resources;
  std::string key;
  std::uint32_t key_max = 1;
  std::vector<std::string> after;
  std::string array;
  std::vector<std::string> argv;
  std::string handler;
  std::string input;

  struct Use {
    bool command_required = true;
    bool of_schedule = false;  // without what only a single task has: an id, times that are not relative, dependencies
  };
  void AddTo(process::OptionSet* options, const Use& use);
  void AddTo(process::OptionSet* options) { AddTo(options, Use()); }
  // The task they describe, as the service would take it; reads --stdin. INVALID_ARGUMENT: a usage error, as one sentence;
  // RESOURCE_EXHAUSTED: over a limit.
  [[nodiscard]] absl::StatusOr<client::TaskSpec> Spec() const;

 private:
  bool command_required_ = false;

  void AddSingleTo(process::OptionSet* options);
};

// An option that names a file, or - for standard input.
void AddFileOption(process::OptionSet* options, const std::string& name, std::string* target, const std::string& help);

// The task of one line of --each-line: every `{}` in every argument becomes the line.
[[nodiscard]] client::TaskSpec ForLine(const client::TaskSpec& spec, const std::string& line);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TASK_FLAGS_H_
