// Snapshots that somebody asked for, with everything in them that was acknowledged before.
#include <utility>

#include "coord/server/node.h"

namespace drover::coord::server {

base::ConnectionEvents* Node::AcceptSave(std::unique_ptr<base::Connection> connection) {
  return saves_.Accept(std::move(connection));
}

// A linearizable read first: when it is answered, this node has applied all that was acknowledged anywhere before it was asked.
void Node::TakeSnapshot(SnapshotTakenDone done) {
  Execute(base::Bytes::Adopt(tree::EncodeSync({})),
          [self = std::weak_ptr<Node*>(self_), done = std::move(done)](absl::StatusOr<base::Bytes> answer) mutable {
            const auto node = self.lock();
            if (node == nullptr) return done(absl::UnavailableError("this node has ended"));
            if (!answer.ok()) return done(answer.status());
            (*node)->snapshots_wanted_.push_back(std::move(done));
            (*node)->TickWantedSnapshots();
          });
}

// Those who ask while a snapshot is in the making share the next one: that one began before they were sure.
void Node::TickWantedSnapshots() {
  if (snapshots_wanted_.empty() || taker_.active() || dead_ || stopping_) return;
  std::vector<SnapshotTakenDone> wanted = std::exchange(snapshots_wanted_, {});
  if (!snapshots_.empty() && snapshots_.back() == applied_) {
    for (SnapshotTakenDone& done : wanted) done(applied_);
    return;
  }
  snapshots_awaited_ = std::move(wanted);
  BeginSnapshot();
}

void Node::EndAwaitedSnapshots(const absl::StatusOr<raft::Index>& taken) {
  for (SnapshotTakenDone& done : std::exchange(snapshots_awaited_, {})) done(taken);
  TickWantedSnapshots();
}

void Node::EndSaves(const absl::Status& status) {
  for (SnapshotTakenDone& done : std::exchange(snapshots_wanted_, {})) done(status);
  for (SnapshotTakenDone& done : std::exchange(snapshots_awaited_, {})) done(status);
  saves_.Stop(status);
}

}  // namespace drover::coord::server
