// Which tasks a command is about, by what is known of them: shared by `drover list`, `cancel` and `retry`.
#ifndef DROVER_CLIENT_CLI_TASK_FILTER_H_
#define DROVER_CLIENT_CLI_TASK_FILTER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/process/options.h"
#include "drover/client/task_client.h"

namespace drover::cli {

struct TaskFilter {
  std::vector<client::State> states;
  std::string queue;
  std::string name;
  std::string key;
  std::string worker;
  std::string array;

  void AddTo(process::OptionSet* options);
  [[nodiscard]] bool empty() const {
    return states.empty() && queue.empty() && name.empty() && key.empty() && worker.empty() && array.empty();
  }
  // INVALID_ARGUMENT: what can be the queue or worker of no task.
  [[nodiscard]] absl::Status Check() const;

  // Hands over all that match, the newest first, page by page, until `on_page` returns an error; `limit` 0: all of them.
  [[nodiscard]] absl::Status ForEachPage(client::TaskClient& tasks, std::size_t limit,
                                         const std::function<absl::Status(const std::vector<client::Task>&)>& on_page) const;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TASK_FILTER_H_
