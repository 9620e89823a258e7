#include "client/cli/wait.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/cli/progress.h"
#include "client/cli/task_text.h"
#include "master/records/task_id.h"

namespace drover::cli {

absl::Status MissingError(const std::vector<std::string>& ids) {
  const absl::Status first = records::NoTaskError(ids.front());
  if (ids.size() == 1) return first;
  return absl::NotFoundError(absl::StrCat(first.message(), ", nor ", ids.size() - 1, " more of those named"));
}

int WaitFor(const App& app, client::TaskClient& tasks, const std::vector<std::string>& ids, base::Duration timeout, bool progress) {
  std::map<std::string, client::Task> seen;  // as they stood last
  std::size_t ended = 0;
  std::vector<std::string> missing;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  if (timeout.count() > 0) deadline = std::chrono::steady_clock::now() + timeout;
  std::optional<Progress> shown;
  if (progress && !app.output.json()) {
    shown.emplace(Progress::Options{.total = ids.size(),
                                    .terminal = isatty(STDERR_FILENO) == 1,
                                    .write = [&app](absl::string_view text) { app.output.Aside(text); }});
  }
  const absl::Status status = tasks.Watch(
      ids,
      [&](const client::Task& task) {
        std::optional<client::Task> before;
        if (const auto known = seen.find(task.id); known != seen.end()) before = known->second;
        seen[task.id] = task;
        const bool note = client::IsTerminal(task.state) && task.state != client::State::kSucceeded;
        if (note && shown) shown->Hide();
        if (client::IsTerminal(task.state)) ++ended;
        if (note) app.output.Note(absl::StrCat(task.id, " ", EndText(task)));
        if (shown) shown->OnTask(before, task);
        return true;
      },
      [&](const std::string& id) { missing.push_back(id); }, deadline);
  if (shown) shown->Finish();

  std::vector<client::Task> in_order;
  std::vector<Item> items;
  for (const std::string& id : ids) {
    auto found = seen.find(id);
    if (found != seen.end()) {
      in_order.push_back(found->second);
      items.push_back(TaskRow(found->second));
    } else if (!status.ok() && std::find(missing.begin(), missing.end(), id) == missing.end()) {
      // Of a task that was submitted a moment ago this may be all that a program learns.
      items.push_back(IdItem(id));
    }
  }
  if (app.output.json()) app.output.List({}, items);
  // An error of the wait itself goes before it, and is the one object that JSON shows.
  if (!status.ok() && !missing.empty()) app.output.Note(MissingError(missing).message());
  if (absl::IsDeadlineExceeded(status) && seen.empty() && missing.empty()) {
    return app.output.Fail(kTimedOut, absl::DeadlineExceededError(absl::StrCat(
                                          "after ", process::FormatDuration(timeout),
                                          " nobody had said what became of the tasks: is a master running? drover master list")));
  }
  if (absl::IsDeadlineExceeded(status)) {
    return app.output.Fail(
        kTimedOut, absl::DeadlineExceededError(absl::StrCat("after ", process::FormatDuration(timeout), " only ", ended, " of ",
                                                            ids.size(), " tasks had ended; they go on: drover wait waits again")));
  }
  if (!status.ok()) return app.output.Fail(status);
  const int code = ExitCodeOf(in_order);
  if (missing.empty()) return code;
  const int not_found = app.output.Fail(MissingError(missing));
  return code == kOk ? not_found : code;
}

}  // namespace drover::cli
