// Where a directory that is to be exchanged for another one really lies, and whether it can be. Of the system's own files;
// blocking.
#ifndef DROVER_COORD_BACKUP_PLACE_H_
#define DROVER_COORD_BACKUP_PLACE_H_

#include <string>

#include "absl/status/status.h"

namespace drover::coord::backup {

// Without slashes at its end.
[[nodiscard]] std::string Trimmed(std::string path);

// The directory that `given` leads to, if that is a link: it is what is renamed, and what another one is made beside. Links on the
// way to it stay as they are. Of one that is not there the place where it would be.
[[nodiscard]] std::string BehindLinks(const std::string& given);

// FAILED_PRECONDITION: it is a mount point, which cannot be renamed; the words say what to do instead. OK of one that is not there.
[[nodiscard]] absl::Status CheckRenameable(const std::string& directory);

}  // namespace drover::coord::backup

#endif  // DROVER_COORD_BACKUP_PLACE_H_
