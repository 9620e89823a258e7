#include "coord/server/initial_cluster.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "coord/base/host_port.h"

namespace drover::coord::server {

absl::StatusOr<InitialMembers> ParseInitialCluster(absl::string_view text) {
  std::map<base::NodeId, std::string> members;
  std::set<std::string> addresses;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<std::string, std::string> member = absl::StrSplit(part, absl::MaxSplits('=', 1));
    std::uint64_t id = 0;
    const absl::StatusOr<base::HostPort> address = base::ParseHostPort(member.second);
    if (!absl::SimpleAtoi(member.first, &id) || id == 0 || !address.ok() || address->port == 0) {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is not ID=HOST:PORT, like 1=core-1:7400"));
    }
    if (!members.emplace(base::NodeId(id), member.second).second) {
      return absl::InvalidArgumentError(absl::StrCat("id ", id, " is there twice"));
    }
    if (!addresses.insert(member.second).second) {
      return absl::InvalidArgumentError(absl::StrCat("address ", member.second, " is there twice"));
    }
  }
  return InitialMembers(members.begin(), members.end());
}

std::string TextOf(const InitialMembers& members) {
  return absl::StrJoin(members, ",",
                       [](std::string* out, const auto& member) { absl::StrAppend(out, member.first.value, "=", member.second); });
}

InitialMembers MembersOf(const raft::Configuration& founding) {
  InitialMembers members;
  for (const raft::Member& member : founding.members) members.emplace_back(member.id, member.address);
  std::sort(members.begin(), members.end());
  return members;
}

absl::Status CheckFoundedWith(const raft::Configuration& founding, const InitialMembers& given) {
  const InitialMembers founders = MembersOf(founding);
  const bool alone = founders.size() == 1 && given.size() == 1 && founders.front().first == given.front().first;
  if (alone || founders == given) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("its cluster was founded with the members ", TextOf(founders),
                                                    ", and --initial-cluster is ", TextOf(given),
                                                    ": give the members it was founded with, or another directory"));
}

}  // namespace drover::coord::server
