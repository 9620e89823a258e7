// The version of the format on disk (coord/log/FORMAT.md): what `drover version` tells.
//
// It is that of a data directory's identity, which is read before anything else: a program that does not know its version leaves
// the directory alone. Segments and snapshots have versions of their own, which never exceed it.
#ifndef DROVER_COORD_BASE_DISK_VERSION_H_
#define DROVER_COORD_BASE_DISK_VERSION_H_

#include <cstdint>

namespace drover::base {

// This program reads directories up to this version. Raised when an older program could not read a new data directory.
inline constexpr std::uint32_t kDiskVersion = 2;

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_DISK_VERSION_H_
