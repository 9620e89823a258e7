// `drover run`: a task as if it were a child of this shell.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/follow.h"
#include "client/cli/interrupts.h"
#include "client/cli/raw_write.h"
#include "client/cli/task_flags.h"
#include "client/cli/task_text.h"
#include "coord/base/mutex.h"

namespace drover::cli {
namespace {

constexpr int kInterruptedExitCode = 128 + SIGINT;

// Cancels the task at the first Ctrl-C, whenever its id becomes known; gives up waiting at the second.
class Canceller {
 public:
  explicit Canceller(Output* output) : output_(output), interrupts_([this](int count, int /*signal*/) { OnSignal(count); }) {}

  // `tasks` must outlive this.
  void Watch(client::TaskClient* tasks, const std::string& id) {
    base::MutexLock lock(&mu_);
    tasks_ = tasks;
    id_ = id;
    if (requested_) Start();
  }

 private:
  void OnSignal(int count) {
    base::MutexLock lock(&mu_);
    if (count > 1) {
      output_->Note(id_.empty() ? "gone without waiting" : absl::StrCat("gone without waiting; task ", id_, " is left as it is"));
      _exit(kInterruptedExitCode);
    }
    requested_ = true;
    if (!id_.empty()) Start();
  }

  void Start() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    output_->Note(absl::StrCat("cancelling task ", id_, "; Ctrl-C again to go without waiting"));
    cancelling_ = std::jthread([this, tasks = tasks_, id = id_] {
      auto results = tasks->Cancel({id}, "interrupted");
      if (!results.ok()) {
        output_->Note(absl::StrCat("cannot cancel: ", results.status().message()));
      } else if (results->front().outcome == client::CancelOutcome::kRefused) {
        output_->Note(absl::StrCat("cannot cancel: ", results->front().sentence));
      }
    });
  }

  Output* const output_;
  base::Mutex mu_;
  client::TaskClient* tasks_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::string id_ ABSL_GUARDED_BY(mu_);
  bool requested_ ABSL_GUARDED_BY(mu_) = false;
  std::jthread cancelling_ ABSL_GUARDED_BY(mu_);
  Interrupts interrupts_;  // last: its thread uses the others
};

int Run(const App& app, const TaskFlags& flags) {
  if (!flags.array.empty())
    return app.Usage("run: an array's elements write each for itself: drover submit --array, and drover logs ID:INDEX");
  auto spec = flags.Spec();
  if (!spec.ok()) return app.output.Fail(spec.status());
  std::unique_ptr<client::TaskClient> tasks;
  Canceller canceller(&app.output);  // before any other thread
  {
    auto created = app.Tasks();
    if (!created.ok()) return app.output.Fail(created.status());
    tasks = *std::move(created);
  }
  auto id = tasks->Submit(*std::move(spec));
  if (absl::IsAlreadyExists(id.status())) {
    return app.output.Fail(absl::AlreadyExistsError(absl::StrCat(id.status().message(), ConflictAdvice(flags.id))));
  }
  if (!id.ok()) return app.output.Fail(id.status());
  canceller.Watch(tasks.get(), *id);

  FollowOptions options;
  options.id = *id;
  RawSink out(STDOUT_FILENO, "standard output");
  RawSink err(STDERR_FILENO, "standard error");
  options.streams = {{client::OutputStream::kStdout, [&out](absl::string_view data) { return out.Write(data); }},
                     {client::OutputStream::kStderr, [&err](absl::string_view data) { return err.Write(data); }}};
  options.note = [&app](const std::string& text) { app.output.Note(text); };
  auto task = Follower(tasks.get(), std::move(options)).Run();
  if (!task.ok()) {
    return app.output.Fail(absl::Status(task.status().code(),
                                        absl::StrCat("task ", *id, " goes on, its end was not seen: ", task.status().message())));
  }
  // What a handler has to say is its result.
  if (!flags.handler.empty() && task->state == client::State::kSucceeded && task->result_bytes > 0) {
    client::OutputOptions result;
    result.id = *id;
    result.stream = client::OutputStream::kResult;
    if (absl::Status s = tasks->ReadOutput(result, [&out](absl::string_view data) { return out.Write(data); }); !s.ok()) {
      return app.output.Fail(s);
    }
  }
  const bool told_by_its_code = task->state == client::State::kSucceeded || task->reason == client::Reason::kExitCode;
  // Output that got lost here is no success, whatever the program says.
  for (const RawSink* sink : {&out, &err}) {
    if (absl::Status s = sink->status(); !s.ok()) {
      if (!told_by_its_code) app.output.Note(absl::StrCat("task ", *id, " ", EndText(*task)));
      return app.output.Fail(s);
    }
  }
  return told_by_its_code ? ExitCodeOfProgram(*task) : app.output.Fail(ExitCodeOfProgram(*task), EndError(*task));
}

}  // namespace

void AddRunCommand(process::OptionSet* root, Commands* commands) {
  process::OptionSet& options = root->Command("run", "Runs a task and waits: its output here, its exit code as this command's");
  auto flags = std::make_shared<TaskFlags>();
  flags->AddTo(&options);
  commands->push_back({&options, [flags](const App& app) { return Run(app, *flags); }});
}

}  // namespace drover::cli
