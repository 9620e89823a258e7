// `drover wait`, `status`, `explain`, `list`, `cancel`, `retry` and `logs`.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/follow.h"
#include "client/cli/raw_write.h"
#include "client/cli/task_filter.h"
#include "client/cli/task_text.h"
#include "client/cli/wait.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

using client::TaskClient;

// What can be no id of a task is a mistake of the command line, not a task that is gone: a variable of a script that was never set.
std::optional<std::string> WrongId(const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (!records::IsAnyTaskId(id)) return absl::StrCat("ID: \"", id, "\" will not do: ", records::kAnyTaskIdRule);
  }
  return std::nullopt;
}

// Registers a command that talks to the masters, perhaps of tasks that its flags name (`Ids`).
template <typename Flags>
void Add(process::OptionSet* options, Commands* commands, std::shared_ptr<Flags> flags,
         int (*run)(const App&, TaskClient&, const Flags&)) {
  commands->push_back({options, [flags = std::move(flags), run](const App& app) {
                         if (const auto wrong = WrongId(flags->Ids())) return app.Usage(*wrong);
                         auto tasks = app.Tasks();
                         if (!tasks.ok()) return app.output.Fail(tasks.status());
                         return run(app, **tasks, *flags);
                       }});
}

struct WaitFlags {
  [[nodiscard]] const std::vector<std::string>& Ids() const { return ids; }
  std::vector<std::string> ids;
  base::Duration timeout{0};
  bool progress = false;
};

int Wait(const App& app, TaskClient& tasks, const WaitFlags& flags) {
  return WaitFor(app, tasks, flags.ids, flags.timeout, flags.progress);
}

struct StatusFlags {
  [[nodiscard]] std::vector<std::string> Ids() const { return {id}; }
  std::string id;
};

int Status(const App& app, TaskClient& tasks, const StatusFlags& flags) {
  auto task = tasks.Get(flags.id);
  if (!task.ok()) return app.output.Fail(task.status());
  app.output.One(TaskNames(), TaskLines(*task));
  return kOk;
}

// Why it is where it is: a sentence, and a table of the workers if it waits for one.
int Explain(const App& app, TaskClient& tasks, const StatusFlags& flags) {
  const auto explained = tasks.Explain(flags.id);
  if (!explained.ok()) return app.output.Fail(explained.status());
  Json workers = Json::array();
  std::vector<Item> rows;
  for (const client::WorkerVerdict& verdict : explained->workers) {
    workers.push_back({{"worker", verdict.worker}, {"suits", verdict.suits}, {"sentence", verdict.sentence}});
    Item row;
    row.cells = {verdict.worker, verdict.suits ? "yes" : "no", verdict.sentence};
    rows.push_back(std::move(row));
  }
  if (app.output.format() != Format::kTable) {
    Item item;
    item.id = flags.id;
    item.json = {{"id", flags.id},
                 {"state", std::string(client::StateName(explained->task.state))},
                 {"sentence", explained->sentence},
                 {"ahead", explained->ahead},
                 {"workers", std::move(workers)}};
    app.output.One({}, item);
    return kOk;
  }
  app.output.Raw(absl::StrCat(client::StateName(explained->task.state), ": ", explained->sentence, "\n"));
  if (explained->ahead > 0) app.output.Raw(absl::StrCat(explained->ahead, " that can run in the same places come before it\n"));
  if (!rows.empty()) app.output.List({"WORKER", "SUITS", "WHY"}, rows);
  return kOk;
}

struct ListFlags {
  [[nodiscard]] static std::vector<std::string> Ids() { return {}; }
  TaskFilter filter;
  std::vector<std::string> columns = TaskHeader();
  std::uint32_t limit = 100;
};

int List(const App& app, TaskClient& tasks, const ListFlags& flags) {
  if (absl::Status s = flags.filter.Check(); !s.ok()) return app.output.Fail(s);
  std::vector<Item> items;
  const absl::Status status = flags.filter.ForEachPage(tasks, flags.limit, [&](const std::vector<client::Task>& page) {
    for (const client::Task& task : page) items.push_back(TaskRow(task, flags.columns));
    return absl::OkStatus();
  });
  if (!status.ok()) return app.output.Fail(status);
  app.output.List(flags.columns, items);
  return kOk;
}

// Tasks by id, by what is known of them, or all: what `cancel` and `retry` are about.
struct ChosenFlags {
  [[nodiscard]] const std::vector<std::string>& Ids() const { return ids; }
  std::vector<std::string> ids;
  TaskFilter filter;
  bool all = false;
  bool dry_run = false;

  void AddTo(process::OptionSet* options, const std::string& help) {
    options->Arguments("ID", &ids, help, 0);
    filter.AddTo(options);
    options->Flag("--all", &all, "All of the pool's tasks that can be");
    options->Flag("--dry-run", &dry_run, "Only print the ids of those that would be");
  }
};

// What a call takes.
constexpr std::size_t kIdsAtATime = 1'000;

// Hands over the ids that are meant, not more than a call takes at a time, the oldest first where they were chosen by options;
// `states`: those that it can be done to.
int ForChosen(const App& app, TaskClient& tasks, const ChosenFlags& flags, const std::vector<client::State>& states,
              const std::function<absl::Status(const std::vector<std::string>&)>& on_ids) {
  const int ways = (flags.ids.empty() ? 0 : 1) + (flags.filter.empty() ? 0 : 1) + (flags.all ? 1 : 0);
  if (ways == 0) return app.Usage("which tasks? Give an ID, or options that choose some, or --all");
  if (ways > 1) return app.Usage("ids, options that choose some, and --all exclude each other");
  if (absl::Status s = flags.filter.Check(); !s.ok()) return app.output.Fail(s);
  const auto take = [&](const std::vector<std::string>& ids) {
    if (!flags.dry_run) return on_ids(ids);
    for (const std::string& id : ids) app.output.Line(id, IdItem(id));
    return absl::OkStatus();
  };
  absl::Status status;
  if (!flags.ids.empty()) {
    status = take(flags.ids);
  } else {
    TaskFilter filter = flags.filter;
    if (filter.states.empty()) filter.states = states;
    std::vector<std::string> chosen;
    status = filter.ForEachPage(tasks, 0, [&](const std::vector<client::Task>& page) {
      for (const client::Task& task : page) chosen.push_back(task.id);
      return absl::OkStatus();
    });
    // The oldest first: what others depend on comes before them.
    std::reverse(chosen.begin(), chosen.end());
    for (std::size_t begin = 0; status.ok() && begin < chosen.size(); begin += kIdsAtATime) {
      const std::size_t end = std::min(chosen.size(), begin + kIdsAtATime);
      status = take({chosen.begin() + static_cast<std::ptrdiff_t>(begin), chosen.begin() + static_cast<std::ptrdiff_t>(end)});
    }
  }
  return status.ok() ? static_cast<int>(kOk) : app.output.Fail(status);
}

struct CancelFlags : ChosenFlags {
  std::string reason;
};

const char* OutcomeName(client::CancelOutcome outcome) {
  switch (outcome) {
    case client::CancelOutcome::kCancelled:
      return "CANCELLED";
    case client::CancelOutcome::kAlreadyTerminal:
      return "ALREADY_TERMINAL";
    case client::CancelOutcome::kNotFound:
      return "NOT_FOUND";
    case client::CancelOutcome::kRefused:
      return "REFUSED";
  }
  return "REFUSED";
}

Item ResultItem(const std::string& id, const char* outcome, const std::string& sentence) {
  Item item;
  item.id = id;
  item.json = {{"id", id}, {"outcome", outcome}, {"sentence", sentence}};
  return item;
}

// What was asked of several tasks, of which some are not there or refused it.
int EndOf(const App& app, const std::vector<Item>& items, const std::vector<std::string>& missing, const std::string& refused) {
  if (app.output.format() != Format::kTable) app.output.List({}, items);
  if (!missing.empty()) return app.output.Fail(MissingError(missing));
  if (!refused.empty()) return app.output.Fail(kRefused, absl::FailedPreconditionError(refused));
  return kOk;
}

int Cancel(const App& app, TaskClient& tasks, const CancelFlags& flags) {
  std::vector<Item> items;
  std::vector<std::string> missing;
  std::string refused;
  const bool named = !flags.ids.empty();
  std::size_t cancelled = 0;
  const std::vector<client::State> open = {client::State::kWaiting, client::State::kReady, client::State::kAssigned,
                                           client::State::kRunning};
  const int chosen = ForChosen(app, tasks, flags, open, [&](const std::vector<std::string>& ids) {
    auto results = tasks.Cancel(ids, flags.reason);
    if (!results.ok()) return results.status();
    for (const client::CancelResult& result : *results) {
      items.push_back(ResultItem(result.id, OutcomeName(result.outcome), result.sentence));
      cancelled += result.outcome == client::CancelOutcome::kCancelled ? 1 : 0;
      if (result.outcome == client::CancelOutcome::kRefused) refused = absl::StrCat("task ", result.id, ": ", result.sentence);
      // One that was chosen, and has ended meanwhile, is as it was wanted.
      if (!named) continue;
      if (result.outcome == client::CancelOutcome::kNotFound) missing.push_back(result.id);
      if (result.outcome == client::CancelOutcome::kAlreadyTerminal)
        app.output.Note(absl::StrCat("task ", result.id, " had ended already"));
    }
    return absl::OkStatus();
  });
  if (chosen != kOk || flags.dry_run) return chosen;
  if (!named && app.output.format() == Format::kTable) app.output.Raw(absl::StrCat(cancelled, " tasks are cancelled\n"));
  return EndOf(app, items, missing, refused);
}

struct RetryFlags : ChosenFlags {};

const char* OutcomeName(client::RetryOutcome outcome) {
  switch (outcome) {
    case client::RetryOutcome::kRetried:
      return "RETRIED";
    case client::RetryOutcome::kNotFound:
      return "NOT_FOUND";
    case client::RetryOutcome::kRefused:
      return "REFUSED";
    case client::RetryOutcome::kFull:
      return "FULL";
  }
  return "REFUSED";
}

int Retry(const App& app, TaskClient& tasks, const RetryFlags& flags) {
  if (!flags.filter.array.empty()) {
    return app.Usage(
        absl::StrCat("retry: an array is run anew as a whole, and of it what did not succeed: drover retry ", flags.filter.array));
  }
  std::vector<Item> items;
  std::vector<std::string> missing;
  std::vector<std::string> refused;
  const bool named = !flags.ids.empty();
  std::size_t retried = 0;
  const std::vector<client::State> failed = {client::State::kFailed, client::State::kCancelled, client::State::kLost};
  const int chosen = ForChosen(app, tasks, flags, failed, [&](const std::vector<std::string>& ids) {
    auto results = tasks.Retry(ids);
    if (!results.ok()) return results.status();
    for (const client::RetryResult& result : *results) {
      items.push_back(ResultItem(result.id, OutcomeName(result.outcome), result.sentence));
      retried += result.outcome == client::RetryOutcome::kRetried ? 1 : 0;
      if (result.outcome == client::RetryOutcome::kNotFound && named) missing.push_back(result.id);
      const bool no = result.outcome == client::RetryOutcome::kRefused || result.outcome == client::RetryOutcome::kFull;
      if (no) refused.push_back(absl::StrCat("task ", result.id, ": ", result.sentence));
    }
    return absl::OkStatus();
  });
  if (chosen != kOk || flags.dry_run) return chosen;
  if (!named && app.output.format() == Format::kTable) app.output.Raw(absl::StrCat(retried, " tasks are run anew\n"));
  return EndOf(app, items, missing, absl::StrJoin(refused, "; "));
}

struct LogsFlags {
  [[nodiscard]] std::vector<std::string> Ids() const { return {id}; }
  std::string id;
  bool follow = false;
  bool only_stderr = false;
  bool both = false;
  std::uint32_t attempt = 0;
};

int Logs(const App& app, TaskClient& tasks, const LogsFlags& flags) {
  if (flags.only_stderr && flags.both) return app.Usage("logs: --stderr and --both exclude each other");
  RawSink out(STDOUT_FILENO, "standard output");
  RawSink err(STDERR_FILENO, "standard error");
  auto to = [](RawSink* sink) { return [sink](absl::string_view data) { return sink->Write(data); }; };
  auto written = [&] {
    for (const RawSink* sink : {&out, &err}) {
      if (absl::Status s = sink->status(); !s.ok()) return app.output.Fail(s);
    }
    return static_cast<int>(kOk);
  };
  std::vector<FollowedStream> streams;
  if (!flags.only_stderr) streams.push_back({client::OutputStream::kStdout, to(&out)});
  if (flags.only_stderr) streams.push_back({client::OutputStream::kStderr, to(&out)});
  if (flags.both) streams.push_back({client::OutputStream::kStderr, to(&err)});

  if (flags.follow) {
    auto task = tasks.Get(flags.id);
    if (!task.ok()) return app.output.Fail(task.status());
    if (task->array.has_value()) {
      return app.output.Fail(
          kRefused, absl::FailedPreconditionError(
                        absl::StrCat("task ", flags.id, " is an array, which writes nothing itself: name one of its elements")));
    }
    FollowOptions options;
    options.id = flags.id;
    options.first_attempt = flags.attempt != 0 ? flags.attempt : std::max(task->attempt, 1u);
    options.one_attempt = flags.attempt != 0;
    options.streams = std::move(streams);
    options.note = [&app](const std::string& text) { app.output.Note(text); };
    auto followed = Follower(&tasks, std::move(options)).Run();
    return followed.ok() ? written() : app.output.Fail(followed.status());
  }
  for (const FollowedStream& stream : streams) {
    client::OutputOptions options;
    options.id = flags.id;
    options.attempt = flags.attempt;
    options.stream = stream.stream;
    if (absl::Status s = tasks.ReadOutput(options, stream.write); !s.ok()) return app.output.Fail(s);
  }
  return written();
}

// What it left as its result, byte for byte.
int Result(const App& app, TaskClient& tasks, const StatusFlags& flags) {
  const auto task = tasks.Get(flags.id);
  if (!task.ok()) return app.output.Fail(task.status());
  if (task->state != client::State::kSucceeded) {
    return app.output.Fail(kRefused, absl::FailedPreconditionError(absl::StrCat("task ", flags.id, " has no result: it is ",
                                                                                client::StateName(task->state))));
  }
  // Of one whose record is gone nobody knows.
  if (task->result_bytes == 0 && task->attempt > 0) app.output.Note(absl::StrCat("task ", flags.id, " left no result"));
  RawSink out(STDOUT_FILENO, "standard output");
  client::OutputOptions options;
  options.id = flags.id;
  options.stream = client::OutputStream::kResult;
  if (absl::Status s = tasks.ReadOutput(options, [&out](absl::string_view data) { return out.Write(data); }); !s.ok()) {
    return app.output.Fail(s);
  }
  return out.status().ok() ? static_cast<int>(kOk) : app.output.Fail(out.status());
}

struct ProgressFlags {
  std::vector<std::string> words;
};

// Of the task that this command runs in.
int TellProgress(const App& app, const ProgressFlags& flags) {
  const char* file = std::getenv("DROVER_PROGRESS");
  if (file == nullptr || *file == '\0') {
    return app.Usage("progress: the variable DROVER_PROGRESS is not set: only a program that a worker runs has a progress");
  }
  std::string line = absl::StrJoin(flags.words, " ");
  std::replace(line.begin(), line.end(), '\n', ' ');
  const auto failed = [&](int error) {
    return app.output.Fail(absl::UnavailableError(absl::StrCat("cannot write to ", file, ": ", std::strerror(error))));
  };
  // Not waiting: where nobody reads it any more the task has ended.
  const int fd = ::open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return failed(errno);
  line += '\n';
  const ssize_t n = ::write(fd, line.data(), line.size());
  const int error = n < 0 ? errno : 0;
  ::close(fd);
  // So much was said that nobody has read yet, and this is not newer by much.
  return error == 0 || error == EAGAIN ? static_cast<int>(kOk) : failed(error);
}

}  // namespace

void AddTaskCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& wait = root->Command(
      "wait", "Waits until tasks have ended; exit code 0 if all succeeded, else the first of 5 (time over), 3, 4, 6 that is so");
  auto wait_flags = std::make_shared<WaitFlags>();
  wait.Arguments("ID", &wait_flags->ids, "Tasks to wait for");
  wait.Time("--timeout", &wait_flags->timeout, "Wait no longer than this; 0 is no limit");
  wait.Flag("--progress", &wait_flags->progress, "Show on standard error how far they have come");
  Add(&wait, commands, wait_flags, Wait);

  process::OptionSet& status = root->Command("status", "Shows one task");
  auto status_flags = std::make_shared<StatusFlags>();
  status.Argument("ID", &status_flags->id, "The task");
  Add(&status, commands, status_flags, Status);

  process::OptionSet& explain = root->Command("explain", "Says why a task is where it is, worker by worker if it waits for one");
  auto explain_flags = std::make_shared<StatusFlags>();
  explain.Argument("ID", &explain_flags->id, "The task");
  Add(&explain, commands, explain_flags, Explain);

  process::OptionSet& list = root->Command("list", "Lists tasks, the newest first");
  auto list_flags = std::make_shared<ListFlags>();
  list_flags->filter.AddTo(&list);
  list.Custom(
      "--columns", [list_flags](const std::string& text) { return ParseColumns(text, &list_flags->columns); },
      absl::StrCat("Of the table, with commas between them: ", absl::StrJoin(TaskColumns(), ", ")),
      absl::StrJoin(TaskHeader(), ","));
  list.Number("--limit", &list_flags->limit, "At most so many", 1, 10'000);
  Add(&list, commands, list_flags, List);

  process::OptionSet& cancel = root->Command("cancel", "Cancels tasks; those that run are stopped");
  auto cancel_flags = std::make_shared<CancelFlags>();
  cancel_flags->AddTo(&cancel, "Tasks to cancel");
  cancel.Text("--reason", &cancel_flags->reason,
              absl::StrCat("Why, for people; at most ", records::kCancelReasonBytesMax, " bytes"));
  Add(&cancel, commands, cancel_flags, Cancel);

  process::OptionSet& retry = root->Command("retry", "Runs tasks anew that have ended without success, as they were submitted");
  auto retry_flags = std::make_shared<RetryFlags>();
  retry_flags->AddTo(&retry, "Tasks to run anew");
  Add(&retry, commands, retry_flags, Retry);

  process::OptionSet& result =
      root->Command("result", "Writes what a task left as its result: the file DROVER_RESULT of its program");
  auto result_flags = std::make_shared<StatusFlags>();
  result.Argument("ID", &result_flags->id, "The task");
  Add(&result, commands, result_flags, Result);

  process::OptionSet& progress = root->Command(
      "progress", "Says, inside a task, how far it has come: a percentage, words, or nothing, which only says that it lives");
  auto progress_flags = std::make_shared<ProgressFlags>();
  progress.Arguments("WORD", &progress_flags->words, "Like 40 of the files", 0);
  commands->push_back({&progress, [progress_flags](const App& app) { return TellProgress(app, *progress_flags); }});

  process::OptionSet& logs = root->Command("logs", "Writes what a task's program wrote");
  auto logs_flags = std::make_shared<LogsFlags>();
  logs.Argument("ID", &logs_flags->id, "The task");
  logs.Flag("-f,--follow", &logs_flags->follow, "Go on until the task has ended");
  logs.Flag("--stderr", &logs_flags->only_stderr, "Its standard error instead of its standard output");
  logs.Flag("--both", &logs_flags->both, "Both, each to where it belongs");
  logs.Number("--attempt", &logs_flags->attempt, "Of this attempt instead of the newest", 1);
  Add(&logs, commands, logs_flags, Logs);
}

}  // namespace drover::cli
