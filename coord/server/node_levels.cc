// How the feature level of the cluster rises, and what becomes of a node whose program does not know it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/hooks.h"
#include "coord/server/node.h"

namespace drover::coord::server {

void Node::TickLevels() {
  if (dead_ || stopping_) return;
  levels_.Heard(options_.id, raft_.options().incarnation, options_.raft.feature_level_max, promised_);
  const raft::Configuration& members = raft_.configuration();
  // A level that is there already is promised, too: the directory shall tell an older program at once, whatever its log still
  // holds.
  base::FeatureLevel wanted = std::max(members.feature_level, Leads() ? levels_.Wish(members).value_or(wished_) : wished_);
  wanted = std::min(wanted, options_.raft.feature_level_max);
  if (wanted > promised_ && !promising_ && loop_->Now() >= next_promise_) Promise(wanted);
  RaiseLevelIfAllPromised();
}

void Node::Promise(base::FeatureLevel level) {
  promising_ = true;
  log_writer_.Promise(level, [this, level](bool done) {
    promising_ = false;
    if (dead_) return;
    if (done) promised_ = level;
    if (!done) DROVER_PROBE("server: a full disk puts a promise off");
    if (!done) next_promise_ = loop_->Now() + options_.log_writer.disk_full_retry;
    WantTurn();
  });
}

// As a change of the members: one at a time, and by a leader that knows what is committed.
void Node::RaiseLevelIfAllPromised() {
  if (!Leads() || change_ || transfer_ || !CheckSettled().ok() || raft_.configuration_index() > raft_.commit()) return;
  raft::Configuration next = raft_.configuration();
  const std::optional<base::FeatureLevel> wish = levels_.Wish(next);
  if (!wish || !levels_.AllPromised(next, *wish)) return;
  next.feature_level = *wish;
  const absl::StatusOr<raft::Index> index = raft_.Propose(raft::EntryKind::kConfig, raft::EncodeConfiguration(next));
  if (!index.ok()) return;  // at the next tick
  DROVER_PROBE("server: the feature level is raised");
  raising_ = *index;
}

void Node::HearLevels(const PeerHeader& header) {
  if (raft_.configuration().Names(header.from, header.from_incarnation)) {
    levels_.Heard(header.from, header.from_incarnation, header.feature_level_max, header.feature_level_promised);
  }
  if (!Leads() && header.from == raft_leader_ && neighbours_.Named(header.from, header.from_incarnation)) {
    wished_ = header.feature_level_wish;
  }
}

void Node::SayLevels(PeerHeader* header) const {
  header->feature_level_max = options_.raft.feature_level_max;
  header->feature_level_promised = promised_;
  if (Leads()) header->feature_level_wish = levels_.Wish(raft_.configuration()).value_or(base::FeatureLevel());
}

absl::Status Node::CheckKnowsLevel(base::NodeId node, base::FeatureLevel known, absl::string_view address) const {
  const base::FeatureLevel level = raft_.configuration().feature_level;
  if (std::max(known, base::kFirstFeatureLevel) >= level) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("node ", node.value, " at ", address,
                                                    " runs a program that knows feature levels up to ",
                                                    std::max(known, base::kFirstFeatureLevel).value, ", and the cluster is at ",
                                                    level.value, ": start a newer drover-coord there; nothing was done"));
}

// Nothing of what it met was taken, so a newer program can go on from this directory.
void Node::EndOutdated(const absl::Status& why) {
  if (std::exchange(dead_, true)) return;
  if (on_refused_) {
    on_refused_(absl::UnimplementedError(absl::StrCat("node ", options_.id.value, " ends: ", why.message())));
  }
}

}  // namespace drover::coord::server
