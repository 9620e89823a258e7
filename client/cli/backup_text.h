// What a backup holds, as the command prints it.
#ifndef DROVER_CLIENT_CLI_BACKUP_TEXT_H_
#define DROVER_CLIENT_CLI_BACKUP_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "coord/backup/backup_file.h"

namespace drover::cli {

// The names of BackupItem's cells.
[[nodiscard]] const std::vector<std::string>& BackupNames();
[[nodiscard]] Item BackupItem(const std::string& file, const coord::backup::Backup& backup);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_BACKUP_TEXT_H_
