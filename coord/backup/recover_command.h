// `drover-coord recover --force-single --data DIR`: after a permanent loss of the majority (force_single.h).
//
// Exit codes: 0 done; 1 it cannot be done, and nothing was changed or the words say what; 2 usage.
#ifndef DROVER_COORD_BACKUP_RECOVER_COMMAND_H_
#define DROVER_COORD_BACKUP_RECOVER_COMMAND_H_

#include <string>

#include "coord/backup/force_single.h"

namespace drover::coord::backup {

// The command line after "drover-coord": argv[0] is "recover".
int RecoverCommand(int argc, const char* const* argv);

// What was done, what may be lost, and what to do next: lines for people.
[[nodiscard]] std::string TextOf(const Forced& forced, const std::string& directory);

}  // namespace drover::coord::backup

#endif  // DROVER_COORD_BACKUP_RECOVER_COMMAND_H_
