#include "client/cli/wait.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/cli/task_text.h"

namespace drover::cli {

int WaitFor(const App& app, client::TaskClient& tasks, const std::vector<std::string>& ids, base::Duration timeout) {
  std::map<std::string, client::Task> ended;
  std::vector<std::string> missing;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  if (timeout.count() > 0) deadline = std::chrono::steady_clock::now() + timeout;
  const absl::Status status = tasks.Watch(
      ids,
      [&](const client::Task& task) {
        if (!client::IsTerminal(task.state)) return true;
        if (task.state != client::State::kSucceeded) app.output.Note(absl::StrCat(task.id, " ", EndText(task)));
        ended[task.id] = task;
        return true;
      },
      [&](const std::string& id) { missing.push_back(id); }, deadline);
  if (absl::IsDeadlineExceeded(status)) {
    return app.output.Fail(kTimedOut, absl::DeadlineExceededError(
                                          absl::StrCat("after ", process::FormatDuration(timeout), " only ", ended.size(), " of ",
                                                       ids.size(), " tasks had ended; they go on: drover wait waits again")));
  }
  if (!status.ok()) return app.output.Fail(status);

  std::vector<client::Task> in_order;
  std::vector<Item> items;
  for (const std::string& id : ids) {
    auto found = ended.find(id);
    if (found == ended.end()) continue;
    in_order.push_back(found->second);
    items.push_back(TaskRow(found->second));
  }
  if (app.output.json()) app.output.List({}, items);
  const int code = ExitCodeOf(in_order);
  if (missing.empty()) return code;
  const int not_found = app.output.Fail(absl::NotFoundError(
      absl::StrCat("there is no task ", missing.front(),
                   missing.size() > 1 ? absl::StrCat(" and ", missing.size() - 1, " more of them") : "", " (any more)")));
  return code == kOk ? not_found : code;
}

}  // namespace drover::cli
