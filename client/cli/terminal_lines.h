// Lines from a terminal, with editing, history and the tab key: libedit, behind LineSource.
#ifndef DROVER_CLIENT_CLI_TERMINAL_LINES_H_
#define DROVER_CLIENT_CLI_TERMINAL_LINES_H_

#include <memory>
#include <string>

#include "client/cli/line_source.h"
#include "client/cli/shell_history.h"

namespace drover::cli {

// Of standard input and output. While a line is typed, news are shown above it. `history` must outlive it. Null if the terminal
// cannot be used so.
[[nodiscard]] std::unique_ptr<LineSource> LinesOfTerminal(LineHooks hooks, ShellHistory* history);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TERMINAL_LINES_H_
