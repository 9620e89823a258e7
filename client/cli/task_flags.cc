#include "client/cli/task_flags.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/cli/input.h"
#include "client/cli/time_text.h"
#include "master/records/amount.h"
#include "master/records/dependency.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"
#include "master/records/time_bounds.h"

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

// "75,137"
absl::Status ParseExitCodes(const std::string& text, std::vector<int>* codes) {
  codes->clear();
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    int code = 0;
    if (!absl::SimpleAtoi(part, &code) || code < 1 || code > 255) {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is no exit code: 1 to 255, with commas between them"));
    }
    codes->push_back(code);
  }
  return absl::OkStatus();
}

std::function<absl::Status(const std::string&)> Instant(std::int64_t* target) {
  return [target](const std::string& text) {
    const absl::StatusOr<std::int64_t> ms = ParseRfc3339(text);
    if (ms.ok()) *target = *ms;
    return ms.status();
  };
}

}  // namespace

void AddFileOption(process::OptionSet* options, const std::string& name, std::string* target, const std::string& help) {
  options->Custom(name, NotEmpty(target, "the file's name"), help);
}

void TaskFlags::AddSingleTo(process::OptionSet* options) {
  options->Custom("--id", NotEmpty(&id, "the id"), "Id of the task; without it one is chosen");
  options->Choice("--if-exists", &if_exists, {"same", "reject", "use", "rerun-failed"},
                  "With --id, if there is a task of that id: same: take it if it is the same task; reject: refuse; use: take it; "
                  "rerun-failed: run it anew if it has ended without success, else as same");
  options->Custom("--start-at", Instant(&start_at_ms), "Runs no sooner than at this time, like 2026-01-31T12:00:00Z");
  options->Custom("--deadline", Instant(&deadline_ms), "Does not start it, or start it again, from this time on; it fails instead");
  options->Texts("--after", &after,
                 "A task that must have ended first: ID (with success), ID:failure or ID:end; several: all of them");
}

void TaskFlags::AddTo(process::OptionSet* options, const Use& use) {
  if (!use.of_schedule) AddSingleTo(options);
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
  options->Custom(
      "--retry-on", [this](const std::string& text) { return ParseExitCodes(text, &retry_on); },
      "Exit codes after which alone it is run again, like 75,137 (128 + N: killed by signal N)");
  options->Time("--delay", &delay, "Runs no sooner than this long after its submission", {},
                std::chrono::milliseconds(records::kDelayMaxMs));
  options->Time("--start-within", &start_within, "Fails it if it has not started this long after it may; 0 is no limit");
  options->Time("--total-limit", &total_limit,
                "Ends it this long after it first may run, with all attempts and waits; 0 is no limit");
  options->Time("--heartbeat", &heartbeat,
                "Ends an attempt whose program says nothing of its progress (drover progress) for this long; 0: it need not");
  options->Flag("--at-most-once", &at_most_once, "Rather lose it than start it twice");
  options->Choice("--on-disconnect", &on_disconnect, {"keep", "stop"}, "What its worker does with it when it loses the core");
  options->Pairs("--label", &labels, "Label that the worker must have");
  options->Texts(
      "--require", &rules,
      "What the worker's labels must be like, each time one of 'zone in (eu, us)', 'zone notin (eu)', 'zone!=eu', gpu, '!spot', "
      "'cores>8', 'cores<8'");
  options->Pairs("--resource", &resources,
                 "What it takes of its worker while it runs, like cpu=0.5 or memory=2Gi; counted, not enforced");
  options->Custom("--key", NotEmpty(&key, "the key"),
                  "Of the tasks of one key, whatever their queues, only --key-max run at the same time");
  options->Number("--key-max", &key_max, "With --key, how many may run when this one starts, itself among them", 1,
                  records::kTaskKeyRunningMax);
  options->Custom(
      "--array", NotEmpty(&array, "the array"),
      "Runs it once for each index, like 0-999, 1,3,7 or 0-90:10, with %50 behind it at most 50 at a time; the program sees "
      "DROVER_ARRAY_INDEX");
  options->Custom("--handler", NotEmpty(&handler, "the handler's name"),
                  "Instead of COMMAND: a function of a worker's own process, for programs that are workers themselves");
  options->Custom("--input", NotEmpty(&input, "the input"), "Its standard input, or a handler's input, itself");
  command_required_ = use.command_required;
  options->Rest("COMMAND", &argv, "The program and its arguments", false);
}

absl::StatusOr<client::TaskSpec> TaskFlags::Spec() const {
  if (command_required_ && argv.empty() && handler.empty()) {
    return absl::InvalidArgumentError("COMMAND is missing: give it behind --, or --handler");
  }
  if (!argv.empty() && !handler.empty()) return absl::InvalidArgumentError("COMMAND and --handler exclude each other");
  if (!input.empty() && !stdin_file.empty()) return absl::InvalidArgumentError("--input and --stdin exclude each other");
  if (!id.empty() && !records::IsTaskId(id)) {
    return absl::InvalidArgumentError(absl::StrCat("--id: \"", id, "\" will not do: ", records::kTaskIdRule));
  }
  if (!cwd.empty() && cwd[0] != '/')
    return absl::InvalidArgumentError(absl::StrCat("--cwd: \"", cwd, "\" is not an absolute path"));
  if (at_most_once && retries > 0) {
    return absl::InvalidArgumentError("--at-most-once and --retries exclude each other: a retry is a second start");
  }
  if (if_exists != "same" && id.empty()) {
    return absl::InvalidArgumentError("--if-exists needs --id: an id that is chosen for the task is new");
  }
  if (key_max != 1 && key.empty()) return absl::InvalidArgumentError("--key-max needs --key");
  client::TaskSpec spec;
  for (const auto& [resource, text] : resources) {
    const absl::StatusOr<std::int64_t> amount = records::ParseAmount(text);
    if (!amount.ok()) return absl::InvalidArgumentError(absl::StrCat("--resource ", resource, ": ", amount.status().message()));
    spec.resources[resource] = *amount;
  }
  for (const std::string& text : after) {
    const absl::StatusOr<task::v1::Dependency> dependency = records::ParseDependency(text);
    if (!dependency.ok()) return absl::InvalidArgumentError(absl::StrCat("--after: ", dependency.status().message()));
    spec.dependencies.push_back({dependency->task(), static_cast<client::Dependency::Condition>(dependency->condition())});
  }
  spec.array = array;
  spec.rules = rules;
  spec.key = key;
  spec.key_max = static_cast<int>(key_max);
  spec.id = id;
  spec.if_exists = if_exists == "reject"         ? client::IfExists::kReject
                   : if_exists == "use"          ? client::IfExists::kUseExisting
                   : if_exists == "rerun-failed" ? client::IfExists::kRerunFailed
                                                 : client::IfExists::kSameOnly;
  spec.argv = argv;
  spec.handler = handler;
  spec.stdin_data = input;
  spec.env = env;
  spec.cwd = cwd;
  spec.name = name;
  spec.queue = queue;
  spec.priority = static_cast<int>(priority);
  spec.labels = labels;
  spec.time_limit = std::chrono::ceil<std::chrono::milliseconds>(time_limit);
  spec.retries = static_cast<int>(retries);
  spec.retry_backoff = std::chrono::ceil<std::chrono::milliseconds>(retry_backoff);
  spec.retry_exit_codes = retry_on;
  spec.delay = std::chrono::ceil<std::chrono::milliseconds>(delay);
  spec.start_at_ms = start_at_ms;
  spec.start_within = std::chrono::ceil<std::chrono::milliseconds>(start_within);
  spec.deadline_ms = deadline_ms;
  spec.total_limit = std::chrono::ceil<std::chrono::milliseconds>(total_limit);
  spec.heartbeat = std::chrono::ceil<std::chrono::milliseconds>(heartbeat);
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
