// Feature levels: what the members of a cluster may say to each other and write into its log, as one small number. A newer program
// knows all levels up to its own; a cluster is raised to a level when every member has promised never to run a program that does
// not know it (coord/server/README.md, "Feature levels").
//
// What an earlier program would not understand (a command, a kind of entry, a field that changes what an entry means) belongs to a
// new level, and is used when the cluster is there and not before.
#ifndef DROVER_COORD_BASE_FEATURE_LEVEL_H_
#define DROVER_COORD_BASE_FEATURE_LEVEL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/strong.h"

namespace drover::base {

using FeatureLevel = Strong<struct FeatureLevelTag, std::uint32_t>;

// All that was there before there were levels. Clusters of older programs begin here; a new one at the highest that all its first
// members know.
inline constexpr FeatureLevel kFirstFeatureLevel{1};
// Configurations in the log tell the cluster's level, so that a program learns it before it applies anything.
inline constexpr FeatureLevel kLevelInConfigurations{2};

// Containers and nodes with a time to live, deletion of subtrees, checks in transactions, creation if absent.
inline constexpr FeatureLevel kMoreOperations{3};

// Access control lists and who has proved to be whom, quotas.
inline constexpr FeatureLevel kAccessControl{4};

// What this program knows.
inline constexpr FeatureLevel kNewestFeatureLevel = kAccessControl;

// OK, or UNIMPLEMENTED in words for whoever runs the program: `what` ("data directory /x", "cluster 17") is at `level`.
[[nodiscard]] absl::Status CheckFeatureLevel(absl::string_view what, FeatureLevel level, FeatureLevel known);

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_FEATURE_LEVEL_H_
