// `drover tree shell`.
#ifndef DROVER_CLIENT_CLI_TREE_SHELL_H_
#define DROVER_CLIENT_CLI_TREE_SHELL_H_

#include "client/cli/app.h"

namespace drover::cli {

// From standard input, a terminal or not, to the process's own standard output. `keep_going`: also after a line that failed, where
// it is no terminal. Returns the exit code.
[[nodiscard]] int RunTreeShell(const App& app, bool keep_going);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TREE_SHELL_H_
