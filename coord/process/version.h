// What this build is, and which formats it speaks.
#ifndef DROVER_COORD_PROCESS_VERSION_H_
#define DROVER_COORD_PROCESS_VERSION_H_

#include <string>

namespace drover::process {

// Of the protos under proto/drover: raised when an old client or peer could not understand a new one.
inline constexpr int kWireVersion = 1;
// Of the write-ahead log and what its entries hold: raised when an old node could not read a new data directory.
inline constexpr int kDiskVersion = 1;

const char* Version();    // "0.1.0"
const char* Commit();     // twelve hex digits, "-dirty" not told; "unknown" outside of a repository
const char* BuildType();  // "Release", "Dev"

// "drover-coord 0.1.0 (commit 0123456789ab, Release, wire 1, disk 1)"
std::string VersionLine(const std::string& program);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_VERSION_H_
