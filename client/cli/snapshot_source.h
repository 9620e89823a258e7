// Which coordination node a backup is taken from.
#ifndef DROVER_CLIENT_CLI_SNAPSHOT_SOURCE_H_
#define DROVER_CLIENT_CLI_SNAPSHOT_SOURCE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/core_survey.h"

namespace drover::cli {

// Of node `from` (0: any), those that serve, one that follows before the one that leads, which has enough to do. UNAVAILABLE: none
// serves, or `from` does not answer or serve. NOT_FOUND: those who answer know no node `from`. FAILED_PRECONDITION: the nodes are
// of different clusters, so it cannot be told which is meant.
[[nodiscard]] absl::StatusOr<std::vector<SurveyedNode>> SnapshotSources(const std::vector<SurveyedNode>& nodes, std::uint64_t from);

// Whether it is worth while to ask another node for what one has not given, for this reason.
[[nodiscard]] bool AnotherMayGive(const absl::Status& why_not);

// What all those have said that were asked: their addresses, and why each gave none. A node that has not what it should have is one
// that gives none now (UNAVAILABLE), and so are several with different reasons.
[[nodiscard]] absl::Status NobodyGave(const std::vector<std::pair<std::string, absl::Status>>& why_not);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_SNAPSHOT_SOURCE_H_
