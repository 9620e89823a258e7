// Who belongs to the cluster, and at which feature level it is, as carried by entries of kind kConfig.
#ifndef DROVER_COORD_RAFT_CONFIGURATION_H_
#define DROVER_COORD_RAFT_CONFIGURATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"

namespace drover::coord::raft {

struct Member {
  base::NodeId id;
  base::Incarnation incarnation;
  std::string address;  // where the other members and clients reach it
  bool voter = true;    // false: a learner, which receives entries and is not asked

  friend bool operator==(const Member&, const Member&) = default;
};

// The members in ascending order of id; ids are unique and not 0.
struct Configuration {
  base::ClusterId cluster;
  std::vector<Member> members;
  base::FeatureLevel feature_level = base::kFirstFeatureLevel;  // that the cluster is at

  // Null if `id` is not a member.
  [[nodiscard]] const Member* Find(base::NodeId id) const;
  // As a member, with just this incarnation.
  [[nodiscard]] bool Names(base::NodeId id, base::Incarnation incarnation) const;
  // `id` of just this incarnation is the one and only voter, so that what is on its disk is on a quorum.
  [[nodiscard]] bool IsSoleVoter(base::NodeId id, base::Incarnation incarnation) const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
};

// The encoding is a disk format (README.md describes it).
base::Bytes EncodeConfiguration(const Configuration& configuration);
// DATA_LOSS for bytes that no EncodeConfiguration wrote. UNIMPLEMENTED for those of a newer program. (A level above the one that
// this program knows is none: the caller compares.)
absl::StatusOr<Configuration> DecodeConfiguration(absl::string_view bytes);

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_CONFIGURATION_H_
