// Waiting for tasks, as `drover wait` and `drover submit --wait` do.
#ifndef DROVER_CLIENT_CLI_WAIT_H_
#define DROVER_CLIENT_CLI_WAIT_H_

#include <string>
#include <vector>

#include "client/cli/app.h"

namespace drover::cli {

// NOT_FOUND, naming the first and how many more.
[[nodiscard]] absl::Status MissingError(const std::vector<std::string>& ids);

// Waits until all are terminal; `timeout` 0: for ever. Says on standard error which did not succeed; in JSON prints the tasks as
// they stood last, also when the time is over or nobody answers: with their ids alone where nothing was seen of them. Returns 0 if
// all succeeded, else 3, 4, or 6 (an id is unknown), the first that applies; 5 when the time is over; 7 when nobody answers.
// With `progress` it says on standard error how far they have come (progress.h), except in JSON.
[[nodiscard]] int WaitFor(const App& app, client::TaskClient& tasks, const std::vector<std::string>& ids, base::Duration timeout,
                          bool progress = false);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_WAIT_H_
