#include "coord/server/readiness.h"

#include "absl/strings/str_cat.h"

namespace drover::coord::server {

Readiness ReadinessOf(const NodeStatus& status) {
  if (status.leader.value == 0) return status.disk_full ? Readiness::kCannotVote : Readiness::kNoLeader;
  // What it could not write down it does not have for long.
  if (status.disk_full && status.role != raft::RoleName::kLeader) return Readiness::kSendsAway;
  if (!status.serving) return Readiness::kCatchingUp;
  if (status.disk_full) return Readiness::kDiskFull;
  return status.uncommitted_for > kUnwrittenMax ? Readiness::kUnwritten : Readiness::kReady;
}

absl::Status StatusOf(Readiness readiness, const StartProgress& progress) {
  switch (readiness) {
    case Readiness::kStarting:
      return absl::UnavailableError(absl::StrCat("this node starts: it reads its ",
                                                 progress.phase == StartPhase::kSnapshot ? "snapshot" : "log", ", ",
                                                 progress.percent, " %"));
    case Readiness::kForming:
      return absl::UnavailableError("this node waits for its cluster to be formed");
    case Readiness::kNoLeader:
      return absl::UnavailableError(
          "no leader is known to this node: an election is under way, or too few of the other nodes can be reached, or vote "
          "(their disks are full)");
    case Readiness::kCannotVote:
      return absl::UnavailableError(
          "the disk of this node is full: it can neither vote nor lead until there is space, and no leader is known to this node");
    case Readiness::kCatchingUp:
      return absl::UnavailableError("this node has not yet applied all that it knows to be committed");
    case Readiness::kDiskFull:
      return absl::UnavailableError("the disk of this node is full: it serves reads and takes no writes until there is space");
    case Readiness::kSendsAway:
      return absl::UnavailableError("the disk of this node is full: it sends its clients to the other nodes until there is space");
    case Readiness::kUnwritten:
      return absl::UnavailableError(
          "most nodes have written down nothing for some time, though they answer: their disks are full or stand still; reads are "
          "served");
    case Readiness::kReady:
      break;
  }
  return absl::OkStatus();
}

}  // namespace drover::coord::server
