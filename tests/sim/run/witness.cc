#include "tests/sim/run/witness.h"

#include "absl/strings/str_cat.h"
#include "coord/base/checksum.h"
#include "coord/client/codec.h"
#include "coord/tree/invariants.h"
#include "tests/sim/check/event_record.h"

namespace drover::sim::run {

using coord::raft::Entry;
using coord::raft::EntryKind;
using coord::raft::Index;

absl::Status Witness::Learn(base::NodeId node, const Entry& entry) {
  const std::uint64_t digest =
      base::Checksum(absl::StrCat(static_cast<int>(entry.kind), " ", base::Checksum(entry.payload.view())));
  if (entry.index.value <= entries_.size()) {
    const Seen& seen = entries_[entry.index.value - 1];
    if (seen.term == entry.term.value && seen.entry_digest == digest) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("node ", node.value, " has entry ", entry.index.value, " of term ", entry.term.value,
                                            " committed; another node had one of term ", seen.term, " there"));
  }
  if (entry.index != last().Next()) {
    return absl::InternalError(
        absl::StrCat("node ", node.value, " has committed entry ", entry.index.value, "; nobody had ", last().value + 1));
  }
  if (entry.kind == EntryKind::kData || entry.kind == EntryKind::kExpiry) {
    const absl::Status applied = state_.Apply(entry.term, entry.payload.view(), this);
    if (!applied.ok()) return absl::InternalError(absl::StrCat("entry ", entry.index.value, ": ", applied.message()));
    if (!damage_.ok()) return damage_;
    if (absl::Status ok = coord::tree::CheckInvariants(state_); !ok.ok()) return ok;
  }
  entries_.push_back({entry.term.value, digest, state_.Digest()});
  return absl::OkStatus();
}

absl::Status Witness::Committed(base::NodeId node, const Entry& entry) {
  const absl::Status learnt = Learn(node, entry);
  if (!learnt.ok()) return learnt;
  const Seen& seen = entries_[entry.index.value - 1];
  return agreement_.Applied({node, entry.index.value, entry.term.value, seen.entry_digest, seen.state_digest});
}

absl::Status Witness::Installed(base::NodeId node, Index index) {
  if (index > last())
    return absl::InternalError(absl::StrCat("node ", node.value, " installs a snapshot of what nobody committed"));
  return agreement_.Installed(node, index.value, entries_[index.value - 1].state_digest);
}

absl::Status Witness::Started(base::NodeId node, const std::vector<Entry>& log, Index applied,
                              const coord::tree::StateMachine& state) {
  for (const Entry& entry : log) {
    if (entry.index > applied) break;
    if (absl::Status learnt = Learn(node, entry); !learnt.ok()) return learnt;
  }
  agreement_.Started(node, applied.value);
  return Reached(node, applied, state);
}

absl::Status Witness::Reached(base::NodeId node, Index applied, const coord::tree::StateMachine& state) const {
  if (applied > last()) {
    return absl::InternalError(absl::StrCat("node ", node.value, " has applied ", applied.value, ", which nobody committed"));
  }
  if (applied.value == 0 || state.Digest() == entries_[applied.value - 1].state_digest) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("node ", node.value, " came to another state at index ", applied.value));
}

std::vector<check::SessionSpan> Witness::Spans() const {
  std::vector<check::SessionSpan> spans;
  for (const auto& [id, record] : sessions_) spans.push_back({id, record.ended_at});
  return spans;
}

void Witness::OnEvents(absl::Span<const coord::tree::Event> events) {
  if (damage_.ok()) damage_ = check::AppendEvents(events, &events_);
}

void Witness::OnAnswer(const coord::tree::Answered& answered) {
  if (answered.number == 0 || answered.code != coord::tree::Code::kOk) return;
  coord::client::AnswerView view;
  if (!coord::client::AnswerView::Parse(answered.bytes.view(), &view)) {
    damage_ = absl::InternalError("an answer that no client can read");
    return;
  }
  // A kept answer, given again, has the zxid of its first time.
  if (view.zxid <= last_write_) return;
  last_write_ = view.zxid;
  writes_.push_back({answered.session, answered.number, view.zxid});
}

void Witness::OnSessionOpened(const coord::tree::Origin&, const coord::tree::Session& session) {
  sessions_[session.id()].opened = world_->Now();
}

void Witness::OnSessionEnded(base::SessionId session, coord::tree::SessionEnd end, base::Zxid zxid) {
  check::MarkEndOfSession(session, zxid, &events_);
  SessionRecord& record = sessions_[session];
  record.ended = world_->Now();
  record.ended_at = zxid;
  record.reason = end == coord::tree::SessionEnd::kClosed ? check::EndReason::kClosed : check::EndReason::kExpired;
  check::Operation operation;
  operation.client = 0;
  operation.kind = check::Kind::kEndSession;
  operation.owner = session;
  const std::size_t number = history_->Invoked(operation);
  history_->Returned(number, {}, zxid);
}

}  // namespace drover::sim::run
