#include "coord/server/member_change.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::coord::server {
namespace {

using Next = absl::StatusOr<std::optional<raft::Configuration>>;

raft::Member* Find(raft::Configuration* configuration, base::NodeId id) {
  for (raft::Member& member : configuration->members) {
    if (member.id == id) return &member;
  }
  return nullptr;
}

Next Remove(raft::Configuration now, base::NodeId id) {
  if (now.members.size() == 1) {
    return absl::FailedPreconditionError(absl::StrCat("node ", id.value, " is the only member: end the node instead"));
  }
  const raft::Member* const member = now.Find(id);
  if (member->voter && now.IsSoleVoter(id, member->incarnation)) {
    return absl::FailedPreconditionError(absl::StrCat("node ", id.value, " is the only voter: promote another member first"));
  }
  std::erase_if(now.members, [id](const raft::Member& m) { return m.id == id; });
  return now;
}

Next PutAt(raft::Configuration now, const MemberChange& change) {
  const auto taken = std::find_if(now.members.begin(), now.members.end(), [&](const raft::Member& m) {
    return m.id != change.id && m.address == change.address && !change.address.empty();
  });
  if (taken != now.members.end()) {
    return absl::FailedPreconditionError(absl::StrCat(change.address, " is the address of node ", taken->id.value));
  }
  raft::Member* const member = Find(&now, change.id);
  if (member == nullptr) {
    if (change.address.empty()) {
      return absl::NotFoundError(absl::StrCat("node ", change.id.value, " is no member: give its address, too"));
    }
    now.members.push_back(raft::Member{change.id, change.incarnation, change.address, false});
    std::sort(now.members.begin(), now.members.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return now;
  }
  if (member->incarnation == change.incarnation) {
    if (change.address.empty() || member->address == change.address) return Next(std::nullopt);
    member->address = change.address;
    return now;
  }
  if (change.kind == MemberChange::Kind::kReadmit) return Remove(std::move(now), change.id);
  return OtherLife(change.id);
}

}  // namespace

absl::Status OtherLife(base::NodeId id) {
  return absl::FailedPreconditionError(
      absl::StrCat("node ", id.value,
                   " is a member with another data directory than the one it has now. If its own is "
                   "still there, give it that; if it was lost, let it in again: drover cluster member "
                   "readmit ",
                   id.value));
}

absl::Status UsedDirectory(base::NodeId id, const std::string& address) {
  return absl::FailedPreconditionError(
      absl::StrCat("node ", id.value, " at ", address,
                   " has a data directory that belonged to this cluster and does so no more: since it was written the node was "
                   "removed, or came back with another one. Move it away, start the node with an empty one and --join, and ask "
                   "again; nothing was done"));
}

Next NextConfiguration(const raft::Configuration& now, const MemberChange& change) {
  const raft::Member* const member = now.Find(change.id);
  switch (change.kind) {
    case MemberChange::Kind::kAdd:
    case MemberChange::Kind::kReadmit:
      return PutAt(now, change);
    case MemberChange::Kind::kPromote: {
      if (member == nullptr) return absl::NotFoundError(absl::StrCat("node ", change.id.value, " is no member"));
      if (member->voter) return Next(std::nullopt);
      raft::Configuration next = now;
      Find(&next, change.id)->voter = true;
      return next;
    }
    case MemberChange::Kind::kRemove:
      break;
  }
  if (member == nullptr) return absl::NotFoundError(absl::StrCat("node ", change.id.value, " is no member"));
  return Remove(now, change.id);
}

absl::Status CheckQuorum(const raft::Configuration& next, const std::set<base::NodeId>& answering) {
  std::size_t voters = 0;
  std::vector<std::uint64_t> silent;
  for (const raft::Member& member : next.members) {
    if (!member.voter) continue;
    ++voters;
    if (!answering.contains(member.id)) silent.push_back(member.id.value);
  }
  const std::size_t quorum = voters / 2 + 1;
  if (voters - silent.size() >= quorum) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the cluster would lose its quorum: of ", voters, " voters ", quorum,
                                                    " are needed, and ", absl::StrJoin(silent, ", "),
                                                    silent.size() == 1 ? " does" : " do", " not answer"));
}

}  // namespace drover::coord::server
