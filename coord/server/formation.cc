#include "coord/server/formation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/check.h"

namespace drover::coord::server {

Formation::Formation(const Self& self, InitialMembers members)
    : self_(self), members_(std::move(members)), members_text_(TextOf(members_)) {
  DROVER_CHECK(std::any_of(members_.begin(), members_.end(), [this](const auto& m) { return m.first == self_.id; }));
}

void Formation::Fail(std::string why) {
  if (failed_.ok()) failed_ = absl::FailedPreconditionError(why);
}

Hello Formation::NextRound() {
  ++round_;
  answered_.clear();
  return Hello{round_, false, 0, members_text_, self_.started, restored()};
}

absl::StatusOr<std::optional<Hello>> Formation::OnOtherList(base::NodeId from, const Hello& hello) {
  std::string why = absl::StrCat("node ", from.value, " was started with --initial-cluster ", hello.members, ", node ",
                                 self_.id.value, " with ", members_text_, ": give all nodes the same list");
  if (std::pair(hello.started, from) > std::pair(self_.started, self_.id)) return absl::FailedPreconditionError(why);
  Fail(std::move(why));
  return Hello{hello.round, true, 0, members_text_, self_.started};  // so that the other one knows, too
}

absl::StatusOr<std::optional<Hello>> Formation::OnHello(const PeerHeader& from, const Hello& hello) {
  if (formed_ || !failed_.ok()) return std::nullopt;
  if (hello.members != members_text_) return OnOtherList(from.from, hello);
  heard_[from.from] = from.from_incarnation;
  earlier_.erase(from.from);
  declined_.erase(from.from);
  if (!hello.reply) return Hello{hello.round, true, 0, members_text_, self_.started};
  if (!Founds() || hello.round != round_) return std::nullopt;
  answered_[from.from] = Answered{from.from_incarnation, std::max(from.feature_level_max, base::kFirstFeatureLevel)};
  if (answered_.size() + 1 < members_.size()) return std::nullopt;
  raft::Configuration configuration;
  configuration.cluster = self_.cluster;
  configuration.feature_level = LevelToFoundAt();
  for (const auto& [id, address] : members_) {
    const base::Incarnation incarnation = id == self_.id ? self_.incarnation : answered_.at(id).incarnation;
    const bool voter = id == self_.id || !self_.restored;
    configuration.members.push_back(raft::Member{id, incarnation, address, voter});
  }
  formed_ = std::move(configuration);
  return std::nullopt;
}

// Who finds such an entry at the beginning of its log, or is handed it, and does not know the level, ends: so nobody need promise
// anything before there is a cluster.
base::FeatureLevel Formation::LevelToFoundAt() const {
  if (self_.restored) return self_.feature_level;
  base::FeatureLevel level = self_.feature_level_max;
  for (const auto& [id, answered] : answered_) level = std::min(level, answered.known);
  return level;
}

void Formation::OnFound(const PeerHeader& from, const Found& found) {
  if (formed_ || !failed_.ok()) return;
  absl::StatusOr<raft::Configuration> configuration = raft::DecodeConfiguration(found.configuration.view());
  if (!configuration.ok()) return Fail(absl::StrCat("node ", from.from.value, ": ", configuration.status().message()));
  const absl::Status known = base::CheckFeatureLevel("the cluster", configuration->feature_level, self_.feature_level_max);
  if (!known.ok()) return Fail(std::string(known.message()));
  if (!configuration->Names(self_.id, self_.incarnation)) {
    return Fail(absl::StrCat("the cluster that node ", from.from.value, " is in was not founded with this node's data directory"));
  }
  const absl::Status founders = CheckFoundedWith(*configuration, members_);
  if (!founders.ok()) return Fail(absl::StrCat("node ", from.from.value, ": ", founders.message()));
  formed_ = *std::move(configuration);
}

void Formation::OnDismissed(base::NodeId by, const absl::Status& why) {
  if (!formed_) Fail(absl::StrCat("node ", by.value, " refuses this one: ", why.message()));
}

void Formation::OnDeclined(base::NodeId by, absl::string_view why) {
  declined_[by] = std::string(why);
}

// It does not count as a refusal: who was restored is right, and the other one is the past.
std::string Formation::OnEarlierDirectory(base::NodeId from, base::ClusterId cluster) {
  earlier_[from] = cluster;
  return absl::StrCat("node ", self_.id.value, " was restored from a backup and begins cluster ", self_.cluster.value,
                      "; the data directory of node ", from.value, " is of cluster ", cluster.value,
                      ": to be a member of the new one, stop node ", from.value,
                      ", move its directory away and start it with an empty one");
}

std::string Formation::Waiting() const {
  std::string waiting = WaitingFor();
  for (const auto& [id, why] : declined_) absl::StrAppend(&waiting, "; ", why);
  for (const auto& [id, cluster] : earlier_) {
    absl::StrAppend(&waiting, "; the data directory of node ", id.value, " is of another cluster, ", cluster.value,
                    ": if that one is the past, stop node ", id.value, ", move the directory away and start it with an empty one");
  }
  return waiting;
}

std::string Formation::WaitingFor() const {
  std::vector<std::uint64_t> missing;
  for (const auto& [id, address] : members_) {
    if (id != self_.id && !heard_.contains(id)) missing.push_back(id.value);
  }
  if (missing.empty()) return absl::StrCat("waiting for node ", members_.front().first.value, " to found the cluster");
  return absl::StrCat("waiting for node", missing.size() > 1 ? "s " : " ", absl::StrJoin(missing, ", "), " of the initial cluster");
}

}  // namespace drover::coord::server
