#include "coord/server/dismissals.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::coord::server {

void Dismissals::OnDismissed(base::Instant now, base::NodeId by, absl::string_view why) {
  dismissed_[by] = Dismissal{now, std::string(why)};
}

absl::Status Dismissals::Verdict(base::Instant now, const raft::Configuration& configuration) const {
  std::size_t voters = 0;
  std::vector<std::uint64_t> by;
  absl::string_view why;
  for (const raft::Member& member : configuration.members) {
    if (!member.voter) continue;
    ++voters;
    const auto dismissal = dismissed_.find(member.id);
    if (dismissal == dismissed_.end() || now - dismissal->second.at > options_.window) continue;
    if (by.empty()) why = dismissal->second.why;
    by.push_back(member.id.value);
  }
  if (by.size() * 2 <= voters) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("nodes ", absl::StrJoin(by, ", "), " of its ", voters, " members refuse this one: ", why));
}

}  // namespace drover::coord::server
