// `drover submit`.
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/input.h"
#include "client/cli/task_flags.h"
#include "client/cli/task_json.h"
#include "client/cli/task_text.h"
#include "client/cli/wait.h"
#include "client/internal/convert.h"
#include "master/records/spec.h"

namespace drover::cli {
namespace {

// Tasks that are submitted together: one batch of the service, so that ids appear as they are accepted; fewer where each carries a
// large standard input.
constexpr std::size_t kTasksPerBatch = 1000;
constexpr std::size_t kBatchStdinBytes = 64 << 20;
// Refusals that are told one by one.
constexpr std::size_t kRefusalsTold = 10;

struct SubmitFlags {
  TaskFlags task;
  std::string each_line;
  std::string from_json;
  bool dry_run = false;
  bool wait = false;
  base::Duration wait_timeout{0};
  bool progress = false;
};

absl::StatusCode CodeOf(client::SubmitOutcome outcome) {
  switch (outcome) {
    case client::SubmitOutcome::kConflict:
      return absl::StatusCode::kAlreadyExists;
    case client::SubmitOutcome::kTooOld:
      return absl::StatusCode::kFailedPrecondition;
    case client::SubmitOutcome::kRefused:
    case client::SubmitOutcome::kFull:
      break;
    case client::SubmitOutcome::kAccepted:
      return absl::StatusCode::kOk;
  }
  return absl::StatusCode::kResourceExhausted;
}

// Where many tasks come from, one at a time.
struct TaskSource {
  const char* noun;
  // False: there are no more.
  std::function<absl::StatusOr<bool>(client::TaskSpec*)> next;
};

// One task a line, `{}` replaced by it.
absl::StatusOr<TaskSource> FromLines(const std::string& file, const client::TaskSpec& spec) {
  auto reader = LineReader::Open(file);
  if (!reader.ok()) return reader.status();
  const auto lines = std::make_shared<LineReader>(*std::move(reader));
  return TaskSource{"line", [lines, &spec](client::TaskSpec* task) -> absl::StatusOr<bool> {
                      std::string line;
                      if (!lines->Next(&line)) {
                        if (absl::Status s = lines->status(); !s.ok()) return s;
                        return false;
                      }
                      *task = ForLine(spec, line);
                      return true;
                    }};
}

absl::StatusOr<TaskSource> FromJson(const std::string& file, const TaskFlags& base) {
  auto reader = JsonReader::Open(file);
  if (!reader.ok()) return reader.status();
  const auto values = std::make_shared<JsonReader>(*std::move(reader));
  return TaskSource{"task", [values, &base](client::TaskSpec* task) -> absl::StatusOr<bool> {
                      Json value;
                      const absl::StatusOr<bool> there = values->Next(&value);
                      if (!there.ok() || !*there) return there;
                      auto spec = TaskOfJson(base, value);
                      if (!spec.ok()) return spec.status();
                      *task = *std::move(spec);
                      return true;
                    }};
}

// What can be told of tasks without asking anybody, by each other and by the time.
class DryRun {
 public:
  // INVALID_ARGUMENT says why this one, which stands behind those before, would be refused.
  absl::Status Look(const client::TaskSpec& spec) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    if (spec.deadline_ms != 0 && spec.deadline_ms <= now.count()) return absl::InvalidArgumentError("its deadline is over");
    for (const client::Dependency& dependency : spec.dependencies) {
      if (dependency.task == spec.id) return absl::InvalidArgumentError("a task does not depend on itself");
      if (!seen_.contains(dependency.task)) awaited_.insert({dependency.task, count_});
    }
    ++count_;
    if (spec.id.empty()) return absl::OkStatus();
    if (const auto early = awaited_.find(spec.id); early != awaited_.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("what depends on it, number ", early->second + 1, ", stands before it: put it in front of that"));
    }
    task::v1::Policy policy = client::ToPolicy(spec);
    records::Normalise(&policy);
    const std::string digest = records::SpecDigest(policy, records::EncodeProgram(client::ToProgram(spec)));
    const auto [there, first] = seen_.insert({spec.id, digest});
    if (first || there->second == digest) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("another one before it has the id ", spec.id));
  }

 private:
  std::map<std::string, std::string> seen_;     // ids, and the digests of what has them
  std::map<std::string, std::size_t> awaited_;  // ids that are not there yet, and who depends on them first
  std::size_t count_ = 0;
};

// Submits them batch by batch, printing ids as they are accepted.
class ManySubmission {
 public:
  ManySubmission(const App& app, TaskSource source) : app_(app), source_(std::move(source)) {}

  // The exit code; ids() are those accepted. `tasks` null: only looks at them.
  int Run(client::TaskClient* tasks) {
    std::vector<client::TaskSpec> batch;
    std::size_t stdin_bytes = 0;
    bool more = true;
    while (more) {
      client::TaskSpec spec;
      const absl::StatusOr<bool> next = source_.next(&spec);
      if (!next.ok()) return FailWith(At(next.status()));
      more = *next;
      if (more) {
        ++read_;
        stdin_bytes += spec.stdin_data.size();
        if (tasks != nullptr) {
          batch.push_back(std::move(spec));
        } else if (absl::Status s = dry_run_.Look(spec); !s.ok()) {
          --read_;
          return FailWith(At(s));
        }
      }
      if (batch.empty() || (more && batch.size() < kTasksPerBatch && stdin_bytes < kBatchStdinBytes)) continue;
      if (absl::Status s = SubmitBatch(tasks, &batch); !s.ok()) {
        return FailWith(absl::Status(s.code(), absl::StrCat("after ", submitted_, " ", source_.noun, "s (", ids_.size(),
                                                            " accepted, their ids are printed): ", s.message())));
      }
      batch.clear();
      stdin_bytes = 0;
    }
    if (read_ == 0) app_.output.Note(absl::StrCat("there is no ", source_.noun, " in it"));
    if (tasks == nullptr) return WouldSubmit(app_, read_);
    if (app_.output.format() == Format::kJson && !quiet_) PrintAll();
    if (refused_ == 0) return kOk;
    const std::string message = absl::StrCat(refused_, " of ", submitted_, " ", source_.noun, "s were refused");
    // In JSON the error is all that is said.
    return app_.output.Fail(
        kRefused, absl::ResourceExhaustedError(app_.output.json() ? absl::StrCat(message, "; ", first_refusal_) : message));
  }

  [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }
  // Print no ids: what is printed are the tasks, later.
  void Quiet() { quiet_ = true; }

  static int WouldSubmit(const App& app, std::size_t count) {
    Item item;
    item.json = {{"tasks", count}};
    app.output.Line(absl::StrCat(count, count == 1 ? " task" : " tasks", " would be submitted"), item);
    return kOk;
  }

 private:
  // What was accepted until then is printed in any case.
  int FailWith(const absl::Status& why) {
    if (app_.output.format() == Format::kJson && !quiet_ && !ids_.empty()) PrintAll();
    return app_.output.Fail(why);
  }

  // The next one is not to be had.
  [[nodiscard]] absl::Status At(const absl::Status& why) const {
    const std::string before =
        submitted_ == 0 ? "nothing was submitted" : absl::StrCat("nothing after ", source_.noun, " ", submitted_, " was submitted");
    return absl::Status(why.code(), absl::StrCat(source_.noun, " ", read_ + 1, ": ", why.message(), "; ", before));
  }

  absl::Status SubmitBatch(client::TaskClient* tasks, std::vector<client::TaskSpec>* batch) {
    auto results = tasks->SubmitAll(batch);
    if (!results.ok()) return results.status();
    for (const client::SubmitResult& result : *results) {
      ++submitted_;
      if (result.outcome == client::SubmitOutcome::kAccepted) {
        ids_.push_back(result.id);
        if (app_.output.format() != Format::kJson && !quiet_) app_.output.Line(result.id, IdItem(result.id));
      } else if (++refused_ <= kRefusalsTold) {
        const std::string refusal = absl::StrCat(source_.noun, " ", submitted_, " was refused: ", result.sentence);
        app_.output.Note(refusal);
        if (refused_ == 1) first_refusal_ = refusal;
      }
    }
    return absl::OkStatus();
  }

  void PrintAll() {
    std::vector<Item> items;
    items.reserve(ids_.size());
    for (const std::string& id : ids_) items.push_back(IdItem(id));
    app_.output.List({}, items);
  }

  const App& app_;
  const TaskSource source_;
  DryRun dry_run_;
  std::vector<std::string> ids_;
  std::size_t read_ = 0;
  std::size_t submitted_ = 0;
  std::size_t refused_ = 0;
  std::string first_refusal_;
  bool quiet_ = false;
};

int SubmitMany(const App& app, const SubmitFlags& flags, absl::StatusOr<TaskSource> source) {
  if (!source.ok()) return app.output.Fail(source.status());
  ManySubmission submission(app, *std::move(source));
  if (flags.dry_run) return submission.Run(nullptr);
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  // With --wait, JSON shows how the tasks ended.
  if (flags.wait && app.output.json()) submission.Quiet();
  const int submitted = submission.Run(tasks->get());
  if (!flags.wait) return submitted;
  const int waited = WaitFor(app, **tasks, submission.ids(), flags.wait_timeout, flags.progress);
  return submitted != kOk ? submitted : waited;
}

int SubmitOne(const App& app, const SubmitFlags& flags, client::TaskSpec spec) {
  if (flags.dry_run) {
    if (absl::Status s = DryRun().Look(spec); !s.ok()) return app.output.Fail(s);
    return ManySubmission::WouldSubmit(app, 1);
  }
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  std::vector<client::TaskSpec> specs = {std::move(spec)};
  auto results = (*tasks)->SubmitAll(&specs);
  if (!results.ok()) return app.output.Fail(results.status());
  const client::SubmitResult& result = results->front();
  if (result.outcome != client::SubmitOutcome::kAccepted) {
    const bool conflict = result.outcome == client::SubmitOutcome::kConflict;
    return app.output.Fail(kRefused,
                           absl::Status(CodeOf(result.outcome), absl::StrCat("task ", result.id, " was refused: ", result.sentence,
                                                                             conflict ? ConflictAdvice(result.id) : "")));
  }
  if (!flags.wait || !app.output.json()) app.output.Line(result.id, IdItem(result.id));
  return flags.wait ? WaitFor(app, **tasks, {result.id}, flags.wait_timeout, flags.progress) : static_cast<int>(kOk);
}

int Submit(const App& app, const SubmitFlags& flags) {
  if (flags.wait_timeout.count() > 0 && !flags.wait) return app.Usage("submit: --wait-timeout needs --wait");
  if (flags.progress && !flags.wait) return app.Usage("submit: --progress needs --wait");
  if (flags.dry_run && flags.wait) return app.Usage("submit: --dry-run and --wait exclude each other");
  const bool json = !flags.from_json.empty();
  if (json && !flags.each_line.empty()) return app.Usage("submit: --from-json and --each-line exclude each other");
  if (json && !flags.task.argv.empty()) return app.Usage("submit: with --from-json each task has a command of its own");
  if (!json && flags.task.argv.empty() && flags.task.handler.empty())
    return app.Usage("submit: COMMAND is missing: give it behind --, or tasks by --from-json");
  if ((json || !flags.each_line.empty()) && !flags.task.id.empty()) {
    return app.Usage(json ? "submit: --id and --from-json exclude each other: every task has an id of its own"
                          : "submit: --id and --each-line exclude each other: every line is a task of its own");
  }
  if ((flags.each_line == "-" || flags.from_json == "-") && flags.task.stdin_file == "-") {
    return app.Usage(json ? "submit: --from-json - and --stdin - cannot both read standard input"
                          : "submit: --each-line - and --stdin - cannot both read standard input");
  }
  if (json) return SubmitMany(app, flags, FromJson(flags.from_json, flags.task));
  auto spec = flags.task.Spec();
  if (!spec.ok()) return app.output.Fail(spec.status());
  if (!flags.each_line.empty()) return SubmitMany(app, flags, FromLines(flags.each_line, *spec));
  return SubmitOne(app, flags, *std::move(spec));
}

}  // namespace

void AddSubmitCommand(process::OptionSet* root, Commands* commands) {
  process::OptionSet& options = root->Command("submit", "Submits a task and prints its id");
  auto flags = std::make_shared<SubmitFlags>();
  flags->task.AddTo(&options, {.command_required = false});
  AddFileOption(&options, "--each-line", &flags->each_line,
                "One task per line of this file (- is standard input), {} in COMMAND replaced by it");
  AddFileOption(
      &options, "--from-json", &flags->from_json,
      "The tasks of this file (- is standard input), a JSON list or one object after the other, each with the options' names: "
      "{\"command\": [\"true\"], \"retries\": 3}; what it does not say is as the options given here");
  options.Flag("--dry-run", &flags->dry_run, "Only looks whether they can be submitted, and says how many they are");
  options.Flag("--wait", &flags->wait, "Wait until it has ended");
  options.Time("--wait-timeout", &flags->wait_timeout, "Wait no longer than this");
  options.Flag("--progress", &flags->progress, "With --wait, show on standard error how far they have come");
  commands->push_back({&options, [flags](const App& app) { return Submit(app, *flags); }});
}

}  // namespace drover::cli
