// Tasks as the command prints them.
#ifndef DROVER_CLIENT_CLI_TASK_TEXT_H_
#define DROVER_CLIENT_CLI_TASK_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "drover/client/task.h"

namespace drover::cli {

// README.md has the fields.
// Times are RFC 3339; what has not happened or does not apply is null.
[[nodiscard]] Json TaskJson(const client::Task& task);

// What has not happened, and what is not there, is null.
[[nodiscard]] Json TimeOrNull(std::int64_t ms);
[[nodiscard]] Json TextOrNull(const std::string& text);

// A task of which nothing but its id is known: `{"id":...}`.
[[nodiscard]] Item IdItem(const std::string& id);

// A row of `drover list`: the usual columns, and all that there are.
[[nodiscard]] const std::vector<std::string>& TaskHeader();
[[nodiscard]] std::vector<std::string> TaskColumns();
[[nodiscard]] Item TaskRow(const client::Task& task, const std::vector<std::string>& columns = TaskHeader());
// "id,state" ... INVALID_ARGUMENT names one that there is not.
[[nodiscard]] absl::Status ParseColumns(const std::string& text, std::vector<std::string>* columns);

// The lines of `drover status`.
[[nodiscard]] const std::vector<std::string>& TaskNames();
[[nodiscard]] Item TaskLines(const client::Task& task);

// How it ended, as a sentence: "FAILED (EXIT_CODE): exited with 3".
[[nodiscard]] std::string EndText(const client::Task& task);
// The same as an error, of a task that did not succeed: CANCELLED or ABORTED, naming it.
[[nodiscard]] absl::Status EndError(const client::Task& task);

// What the user may do whose task was refused because another one has its id; goes behind that sentence.
[[nodiscard]] std::string ConflictAdvice(const std::string& id);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TASK_TEXT_H_
