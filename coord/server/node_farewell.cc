// A node that stops, or whose disk is full while another one leads, sends its clients to the others: first it asks them, and
// whoever goes loses nothing on the way; whoever does not is cut off.
#include "absl/strings/str_cat.h"
#include "coord/server/node.h"

namespace drover::coord::server {

// Without space a follower soon has nothing more of what is committed, so its clients would wait for ever. A leader that is full
// found nobody to lead in its place: its clients have nowhere to go.
absl::Status Node::MayStay() const {
  if (!log_writer_.disk_full() || Leads() || raft_leader_.value == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the disk of node ", options_.id.value, " is full: it serves no clients until there is space"));
}

void Node::SendClientsAway() {
  const absl::Status may_stay = MayStay();
  if (may_stay.ok()) {
    sends_away_since_.reset();
    return;
  }
  if (!sends_away_since_) {
    sends_away_since_ = loop_->Now();
    EndCalls(absl::UnavailableError(absl::StrCat("the disk of node ", options_.id.value, " is full: the outcome is unknown here")));
  }
  const bool in_vain = loop_->Now() - *sends_away_since_ >= options_.move_patience;
  for (auto& [id, stream] : streams_) {
    if (in_vain) stream.machine->Close(may_stay);
    stream.machine->AskToMove();
  }
}

// Of a node that stops.
void Node::SayFarewell() {
  const auto close = [this] {
    if (dead_) return;
    for (auto& [id, stream] : streams_) stream.machine->Close(absl::UnavailableError("this node is stopping"));
    FlushStreams();
    WantTurn();
  };
  if (raft_.Inspect().voters == 1 || Leaderless()) return close();
  for (auto& [id, stream] : streams_) stream.machine->AskToMove();
  FlushStreams();
  farewell_timer_.Set(options_.farewell, close);
}

}  // namespace drover::coord::server
