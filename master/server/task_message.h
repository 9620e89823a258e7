// A task as clients see it, from its record and its standing assignment.
#ifndef DROVER_MASTER_SERVER_TASK_MESSAGE_H_
#define DROVER_MASTER_SERVER_TASK_MESSAGE_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"
#include "master/scheduler/scheduler.h"
#include "master/state/view.h"

namespace drover::master::server {

// A record that cannot be read is shown with its id and a sentence that says so.
[[nodiscard]] task::v1::Task ToTask(const state::TaskView& task, const state::View& view);

// An array's element that has no record: it was not handed out yet, or its record was retired. Nothing: there is no such element.
[[nodiscard]] std::optional<task::v1::Task> ToElement(absl::string_view id, const state::View& view);

// Why it is where it is.
[[nodiscard]] task::v1::ExplainResponse ToExplanation(const state::TaskView& task, const state::View& view,
                                                      const scheduler::Scheduler& scheduler);

// The same of an element without a record.
[[nodiscard]] task::v1::ExplainResponse ToExplanation(task::v1::Task element, const state::View& view);

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_TASK_MESSAGE_H_
