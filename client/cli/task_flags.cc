#include "client/cli/task_flags.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/input.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

// An option that was given must say something: an empty value is a variable of a script that was never set.
std::function<absl::Status(const std::string&)> NotEmpty(std::string* target, const std::string& what) {
  return [target, what](const std::string& text) {
    if (text.empty()) return absl::InvalidArgumentError(absl::StrCat(what, " is empty"));
    *target = text;
    return absl::OkStatus();
  };
}

}  // namespace

void AddFileOption(process::OptionSet* options, const std::string& name, std::string* target, const std::string& help) {
  options->Custom(name, NotEmpty(target, "the file's name"), help);
}

void TaskFlags::AddTo(process::OptionSet* options) {
  options->Custom("--id", NotEmpty(&id, "the id"), "Id of the task; without it one is chosen");
  options->Text("--name", &name, "Name, for people");
  options->Text("--queue", &queue, "Queue it waits in");
  options->Number("--priority", &priority, "9 first", 0, records::kPriorityMax);
  options->Pairs("--env", &env, "Variable of its environment");
  options->Custom("--cwd", NotEmpty(&cwd, "the directory"),
                  "Directory to run in, instead of a fresh one that is removed afterwards");
  AddFileOption(options, "--stdin", &stdin_file,
                absl::StrCat("File that is its standard input, with the command at most ", records::kObjectBytesMax >> 20,
                             " MiB; - is this command's"));
  options->Time("--time-limit", &time_limit, "Ends each attempt after this long");
  options->Number("--retries", &retries, "How often to run it again when it fails by itself", 0, records::kRetriesMax);
  options->Time("--retry-backoff", &retry_backoff,
                "How long it waits before its first retry; doubled before each one more, up to 60s; 0: at once");
  options->Flag("--at-most-once", &at_most_once, "Rather lose it than start it twice");
  options->Choice("--on-disconnect", &on_disconnect, {"keep", "stop"}, "What its worker does with it when it loses the core");
  options->Pairs("--label", &labels, "Label that the worker must have");
  options->Rest("COMMAND", &argv, "The program and its arguments");
}

absl::StatusOr<client::TaskSpec> TaskFlags::Spec() const {
  if (!id.empty() && !records::IsTaskId(id)) {
    return absl::InvalidArgumentError(absl::StrCat("--id: \"", id, "\" will not do: ", records::kTaskIdRule));
  }
  if (!cwd.empty() && cwd[0] != '/')
    return absl::InvalidArgumentError(absl::StrCat("--cwd: \"", cwd, "\" is not an absolute path"));
  if (at_most_once && retries > 0) {
    return absl::InvalidArgumentError("--at-most-once and --retries exclude each other: a retry is a second start");
  }
  client::TaskSpec spec;
  spec.id = id;
  spec.argv = argv;
  spec.env = env;
  spec.cwd = cwd;
  spec.name = name;
  spec.queue = queue;
  spec.priority = static_cast<int>(priority);
  spec.labels = labels;
  spec.time_limit = std::chrono::ceil<std::chrono::milliseconds>(time_limit);
  spec.retries = static_cast<int>(retries);
  spec.retry_backoff = std::chrono::ceil<std::chrono::milliseconds>(retry_backoff);
  spec.at_most_once = at_most_once;
  spec.on_disconnect = on_disconnect == "stop" ? client::OnDisconnect::kStop : client::OnDisconnect::kKeep;
  // Judged here, before anything is read or asked, so that every command answers in the same way.
  if (absl::Status s = client::CheckSpec(spec); !s.ok()) return s;
  if (!stdin_file.empty()) {
    auto data = ReadInput(stdin_file, records::kObjectBytesMax, "the standard input of a task");
    if (!data.ok()) return data.status();
    spec.stdin_data = *std::move(data);
  }
  return spec;
}

client::TaskSpec ForLine(const client::TaskSpec& spec, const std::string& line) {
  client::TaskSpec task = spec;
  for (std::string& argument : task.argv) argument = absl::StrReplaceAll(argument, {{"{}", line}});
  return task;
}

}  // namespace drover::cli
