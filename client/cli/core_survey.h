// Asks the nodes of a coordination core what they say of themselves, those that it hears of by the way too.
//
// Not thread-safe; asks from threads of its own, so that one silent node does not delay the others.
#ifndef DROVER_CLIENT_CLI_CORE_SURVEY_H_
#define DROVER_CLIENT_CLI_CORE_SURVEY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "drover/coord/blocking.h"

namespace drover::cli {

struct SurveyedNode {
  std::string address;
  std::uint64_t id = 0;  // 0: nobody says which node this is
  absl::StatusOr<coord::NodeStatus> status;
  std::optional<std::uint64_t> lag;  // in entries, behind the leader; nothing: no leader was reached, or it does not know the node
};

// Called on several threads at a time. OK, or why there is no answer.
using AskNode = std::function<absl::StatusOr<coord::NodeStatus>(const std::string& address)>;

// Asks `addresses`, and every member that an answer names and that has not answered under another address. Each node once, by id;
// those of which no id is known last, in the order given.
[[nodiscard]] std::vector<SurveyedNode> SurveyCore(const std::vector<std::string>& addresses, const AskNode& ask);

// What full disks do to the core as a whole.
struct DiskTrouble {
  std::string who;        // "the disks of nodes 2 and 3 are full"; with the voters that nobody hears, if both are needed to say why
  bool no_write = false;  // too few voters are left that could write something down, or vote
};
// By what the voters themselves say, and, of those that did not answer, the leader. Nothing: no voter's disk is known to be full.
[[nodiscard]] std::optional<DiskTrouble> FindDiskTrouble(const std::vector<SurveyedNode>& nodes);

// Of those that claim to lead the one of the newest term, for the others do not know yet that they do not; null: none.
[[nodiscard]] const coord::NodeStatus* LeaderOf(const std::vector<SurveyedNode>& nodes);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_CORE_SURVEY_H_
