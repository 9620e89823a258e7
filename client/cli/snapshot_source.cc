#include "client/cli/snapshot_source.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::cli {

absl::StatusOr<std::vector<SurveyedNode>> SnapshotSources(const std::vector<SurveyedNode>& nodes, std::uint64_t from) {
  std::set<std::uint64_t> clusters;
  std::vector<SurveyedNode> sources;
  std::vector<std::string> why_not;
  bool answered = false, known = false;
  for (const SurveyedNode& node : nodes) {
    if (node.status.ok() && node.status->cluster_id != 0) clusters.insert(node.status->cluster_id);
    answered = answered || node.status.ok();
    if (from != 0 && node.id != from && node.id != 0) continue;  // of one that is silent it may not be known who it is
    known = known || node.id == from;
    if (node.status.ok() && node.status->serving) {
      sources.push_back(node);
    } else {
      why_not.push_back(absl::StrCat(node.address, ": ", node.status.ok() ? node.status->trouble : node.status.status().message()));
    }
  }
  if (clusters.size() > 1) {
    return absl::FailedPreconditionError(absl::StrCat("these are nodes of ", clusters.size(), " different clusters (",
                                                      absl::StrJoin(clusters, ", "), "): give the addresses of one with --coord"));
  }
  if (answered && !known && from != 0)
    return absl::NotFoundError(absl::StrCat("no coordination node with the id ", from, " is known"));
  if (sources.empty()) {
    return absl::UnavailableError(
        absl::StrCat(from == 0 ? "no coordination node serves" : absl::StrCat("node ", from, " does not serve"), ": ",
                     absl::StrJoin(why_not, "; ")));
  }
  std::stable_sort(sources.begin(), sources.end(), [](const SurveyedNode& a, const SurveyedNode& b) {
    return (a.status->role == "leader") < (b.status->role == "leader");
  });
  return sources;
}

bool AnotherMayGive(const absl::Status& why_not) {
  switch (why_not.code()) {
    case absl::StatusCode::kCancelled:           // nobody is to be asked any more
    case absl::StatusCode::kUnimplemented:       // a newer cluster's, or a program that knows no backups
    case absl::StatusCode::kFailedPrecondition:  // a newer program's
      return false;
    default:
      return true;
  }
}

absl::Status NobodyGave(const std::vector<std::pair<std::string, absl::Status>>& why_not) {
  std::set<absl::StatusCode> codes;
  std::vector<std::string> words;
  for (const auto& [address, status] : why_not) {
    codes.insert(absl::IsNotFound(status) ? absl::StatusCode::kUnavailable : status.code());
    words.push_back(absl::StrCat(address, ": ", status.message()));
  }
  return absl::Status(codes.size() == 1 ? *codes.begin() : absl::StatusCode::kUnavailable, absl::StrJoin(words, "; "));
}

}  // namespace drover::cli
