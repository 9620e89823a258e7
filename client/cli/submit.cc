// `drover submit`.
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/input.h"
#include "client/cli/task_flags.h"
#include "client/cli/task_text.h"
#include "client/cli/wait.h"

namespace drover::cli {
namespace {

// Lines that are submitted together: one batch of the service, so that ids appear as the tasks are accepted; fewer where each
// carries a large standard input.
constexpr std::size_t kLinesPerBatch = 1000;
constexpr std::size_t kBatchStdinBytes = 64 << 20;
// Refusals that are told one by one.
constexpr std::size_t kRefusalsTold = 10;

struct SubmitFlags {
  TaskFlags task;
  std::string each_line;
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

// Submits a file's lines batch by batch, printing ids as they are accepted.
class LineSubmission {
 public:
  LineSubmission(const App& app, client::TaskClient& tasks, const client::TaskSpec& spec)
      : app_(app),
        tasks_(tasks),
        spec_(spec),
        lines_per_batch_(std::clamp<std::size_t>(kBatchStdinBytes / (spec.stdin_data.size() + 1), 1, kLinesPerBatch)) {}

  // The exit code; ids() are those accepted.
  int Run(LineReader reader) {
    std::vector<client::TaskSpec> batch;
    std::string line;
    bool more = true;
    while (more) {
      more = reader.Next(&line);
      if (more) batch.push_back(ForLine(spec_, line));
      if (batch.empty() || (more && batch.size() < lines_per_batch_)) continue;
      if (absl::Status s = SubmitBatch(&batch); !s.ok()) {
        return app_.output.Fail(absl::Status(
            s.code(), absl::StrCat("after ", lines_, " lines (", ids_.size(), " accepted, their ids are printed): ", s.message())));
      }
      batch.clear();
    }
    if (absl::Status s = reader.status(); !s.ok()) {
      return app_.output.Fail(absl::Status(s.code(), absl::StrCat(s.message(), " after line ", lines_)));
    }
    if (app_.output.format() == Format::kJson && !quiet_) PrintAll();
    if (refused_ == 0) return kOk;
    const std::string message = absl::StrCat(refused_, " of ", lines_, " lines were refused");
    // In JSON the error is all that is said.
    return app_.output.Fail(
        kRefused, absl::ResourceExhaustedError(app_.output.json() ? absl::StrCat(message, "; ", first_refusal_) : message));
  }

  [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }
  // Print no ids: what is printed are the tasks, later.
  void Quiet() { quiet_ = true; }

 private:
  absl::Status SubmitBatch(std::vector<client::TaskSpec>* batch) {
    auto results = tasks_.SubmitAll(batch);
    if (!results.ok()) return results.status();
    for (const client::SubmitResult& result : *results) {
      ++lines_;
      if (result.outcome == client::SubmitOutcome::kAccepted) {
        ids_.push_back(result.id);
        if (app_.output.format() != Format::kJson && !quiet_) app_.output.Line(result.id, IdItem(result.id));
      } else if (++refused_ <= kRefusalsTold) {
        const std::string refusal = absl::StrCat("line ", lines_, " was refused: ", result.sentence);
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
  client::TaskClient& tasks_;
  const client::TaskSpec& spec_;
  const std::size_t lines_per_batch_;
  std::vector<std::string> ids_;
  std::size_t lines_ = 0;
  std::size_t refused_ = 0;
  std::string first_refusal_;
  bool quiet_ = false;
};

int Submit(const App& app, const SubmitFlags& flags) {
  if (flags.wait_timeout.count() > 0 && !flags.wait) return app.Usage("submit: --wait-timeout needs --wait");
  if (flags.progress && !flags.wait) return app.Usage("submit: --progress needs --wait");
  if (!flags.each_line.empty() && !flags.task.id.empty()) {
    return app.Usage("submit: --id and --each-line exclude each other: every line is a task of its own");
  }
  if (flags.each_line == "-" && flags.task.stdin_file == "-") {
    return app.Usage("submit: --each-line - and --stdin - cannot both read standard input");
  }
  auto spec = flags.task.Spec();
  if (!spec.ok()) return app.output.Fail(spec.status());
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  // With --wait, JSON shows how the tasks ended.
  const bool tasks_later = flags.wait && app.output.json();

  if (!flags.each_line.empty()) {
    auto reader = LineReader::Open(flags.each_line);
    if (!reader.ok()) return app.output.Fail(reader.status());
    LineSubmission submission(app, **tasks, *spec);
    if (tasks_later) submission.Quiet();
    const int submitted = submission.Run(*std::move(reader));
    if (!flags.wait) return submitted;
    const int waited = WaitFor(app, **tasks, submission.ids(), flags.wait_timeout, flags.progress);
    return submitted != kOk ? submitted : waited;
  }

  std::vector<client::TaskSpec> specs = {*std::move(spec)};
  auto results = (*tasks)->SubmitAll(&specs);
  if (!results.ok()) return app.output.Fail(results.status());
  const client::SubmitResult& result = results->front();
  if (result.outcome != client::SubmitOutcome::kAccepted) {
    const bool conflict = result.outcome == client::SubmitOutcome::kConflict;
    return app.output.Fail(kRefused,
                           absl::Status(CodeOf(result.outcome), absl::StrCat("task ", result.id, " was refused: ", result.sentence,
                                                                             conflict ? ConflictAdvice(result.id) : "")));
  }
  if (!tasks_later) app.output.Line(result.id, IdItem(result.id));
  return flags.wait ? WaitFor(app, **tasks, {result.id}, flags.wait_timeout, flags.progress) : static_cast<int>(kOk);
}

}  // namespace

void AddSubmitCommand(process::OptionSet* root, Commands* commands) {
  process::OptionSet& options = root->Command("submit", "Submits a task and prints its id");
  auto flags = std::make_shared<SubmitFlags>();
  flags->task.AddTo(&options);
  AddFileOption(&options, "--each-line", &flags->each_line,
                "One task per line of this file (- is standard input), {} in COMMAND replaced by it");
  options.Flag("--wait", &flags->wait, "Wait until it has ended");
  options.Time("--wait-timeout", &flags->wait_timeout, "Wait no longer than this");
  options.Flag("--progress", &flags->progress, "With --wait, show on standard error how far they have come");
  commands->push_back({&options, [flags](const App& app) { return Submit(app, *flags); }});
}

}  // namespace drover::cli
