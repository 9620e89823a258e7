// What this build is, and which formats it speaks.
#ifndef DROVER_COORD_PROCESS_VERSION_H_
#define DROVER_COORD_PROCESS_VERSION_H_

#include <string>

#include "coord/base/disk_version.h"

namespace drover::process {

// Of the protos under proto/drover: raised when an old client or peer could not understand a new one.
inline constexpr int kWireVersion = 1;
inline constexpr int kDiskVersion = base::kDiskVersion;

const char* Version();    // "0.1.0"
const char* Commit();     // twelve hex digits, "-dirty" not told; "unknown" outside of a repository
const char* BuildType();  // "Release", "Dev"

// "drover-coord 0.1.0 (commit 0123456789ab, Release, wire 1, disk 2)"
std::string VersionLine(const std::string& program);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_VERSION_H_
