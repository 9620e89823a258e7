// A data directory that has lost what its node had acknowledged, and was told so: that is written down in it, for the next leader
// cannot tell, and would count on it.
#ifndef DROVER_COORD_SERVER_ROLLED_BACK_H_
#define DROVER_COORD_SERVER_ROLLED_BACK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"

namespace drover::coord::server {

// DATA_LOSS, in words for people. `lost`: what, in the words of whoever noticed.
[[nodiscard]] absl::Status RolledBack(const std::string& directory, base::NodeId id, absl::string_view lost);

// Durable when it returns OK. Where it fails (the disk is full) the next start may go unnoticed, as long as no leader notices.
absl::Status MarkRolledBack(base::FileSystem* files, const std::string& directory, absl::string_view lost);
// As RolledBack, if the directory is marked. What cannot be read is told when the directory is opened.
[[nodiscard]] absl::Status CheckNotRolledBack(base::FileSystem* files, const std::string& directory, base::NodeId id);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_ROLLED_BACK_H_
