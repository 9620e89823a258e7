#include "coord/log/log_state.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

absl::Status Contradiction(const FrameRef& ref, absl::string_view what) {
  return Damage(SegmentName(ref.segment), ref.offset, absl::StrCat("this frame contradicts those before it: ", what));
}

}  // namespace

absl::Status LogState::ApplySegment(const SegmentHeader& header) {
  if (!begun_) {
    begun_ = true;
    hard_state_ = header.hard_state;
    last_index_ = header.base_index;
    commit_ = header.commit;
    configurations_ = header.configurations;
    if (header.base_term.value > 0) terms_[header.base_index] = header.base_term;
    return absl::OkStatus();
  }
  const FrameRef ref{.segment = header.number};
  if (header.hard_state != hard_state_) return Contradiction(ref, "another term or vote");
  if (header.base_index != last_index_) {
    return Contradiction(ref, absl::StrCat("it follows entry ", header.base_index.value, ", the last is ", last_index_.value));
  }
  const raft::Term base_term = TermAt(last_index_);
  // Not known when earlier segments are gone and a truncation reached back behind the first that is left.
  if (base_term.value == 0 && header.base_term.value > 0) {
    terms_[last_index_] = header.base_term;
  } else if (header.base_term != base_term) {
    return Contradiction(ref, "another term of the last entry");
  }
  NoteCommit(header.commit);
  return absl::OkStatus();
}

absl::Status LogState::ApplyFrame(const Frame& frame) {
  const FrameHeader& header = frame.header;
  if (header.type == FrameType::kProof) return absl::OkStatus();
  if (header.type != FrameType::kBatch && header.type != FrameType::kRestart) {
    return absl::FailedPreconditionError(absl::StrCat("segment ", frame.ref.segment, " at offset ", frame.ref.offset,
                                                      ": a frame of type ", static_cast<int>(header.type),
                                                      ", which this program does not know: use the newer program"));
  }
  if (header.hard_state.term < hard_state_.term) return Contradiction(frame.ref, "the term went back");
  if (header.hard_state.term == hard_state_.term && hard_state_.vote.value != 0 && header.hard_state.vote != hard_state_.vote) {
    return Contradiction(frame.ref, "a second vote in one term");
  }
  hard_state_ = header.hard_state;
  if (header.type == FrameType::kRestart) DROVER_RETURN_IF_ERROR(ApplyRestart(frame));
  const bool overlaps = header.first_index <= last_index_;
  if (header.first_index > last_index_.Next() || header.first_index.value == 0) return Contradiction(frame.ref, "a gap");
  if (overlaps != header.truncates) return Contradiction(frame.ref, "a truncation of nothing, or entries over others");
  if (overlaps && header.first_index <= commit_) return Contradiction(frame.ref, "it voids committed entries");
  if (overlaps) Truncate(header.first_index);
  absl::Status order;
  raft::Term last_term = terms_.empty() ? raft::Term() : std::prev(terms_.end())->second;
  DROVER_RETURN_IF_ERROR(ForEachEntry(frame, [&](raft::Entry entry) {
    if (entry.term < last_term || entry.term > hard_state_.term) order = Contradiction(frame.ref, "terms out of order");
    if (terms_.empty() || entry.term != last_term) terms_[entry.index] = entry.term;
    last_term = entry.term;
    // Copied: it would keep the whole frame in memory.
    if (entry.kind == raft::EntryKind::kConfig) configurations_[entry.index] = base::Bytes::Copy(entry.payload.view());
    last_index_ = entry.index;
  }));
  if (header.entry_count > 0) {
    extents_.push_back(
        Extent{.first = header.first_index, .count = header.entry_count, .frame = frame.ref, .frame_bytes = frame.size});
  }
  return order;
}

absl::Status LogState::ApplyRestart(const Frame& frame) {
  DROVER_ASSIGN_OR_RETURN(const Restart restart, DecodeRestart(frame));
  if (restart.index < commit_) return Contradiction(frame.ref, "it goes on from a snapshot that lacks committed entries");
  if (restart.term.value == 0 || restart.term > hard_state_.term) return Contradiction(frame.ref, "terms out of order");
  extents_.clear();
  terms_.clear();
  terms_[restart.index] = restart.term;
  configurations_.clear();
  configurations_[restart.configuration_index] = base::Bytes::Copy(restart.configuration.view());
  last_index_ = restart.index;
  commit_ = restart.index;
  return absl::OkStatus();
}

void LogState::Truncate(raft::Index from) {
  while (!extents_.empty() && extents_.back().first >= from) extents_.pop_back();
  if (!extents_.empty() && extents_.back().last() >= from) extents_.back().count = from.value - extents_.back().first.value;
  terms_.erase(terms_.lower_bound(from), terms_.end());
  configurations_.erase(configurations_.lower_bound(from), configurations_.end());
  last_index_ = from.Previous();
}

void LogState::DropSegmentsBelow(std::uint64_t segment) {
  while (!extents_.empty() && extents_.front().frame.segment < segment) extents_.pop_front();
  // The run that holds the entry before the first stays: its term is the base of what follows.
  const raft::Index base = first_index().Previous();
  while (terms_.size() > 1 && std::next(terms_.begin())->first <= base) terms_.erase(terms_.begin());
}

void LogState::NoteCommit(raft::Index commit) {
  commit_ = std::min(std::max(commit_, commit), last_index_);
  // Of those committed only the last still matters.
  while (configurations_.size() > 1 && std::next(configurations_.begin())->first <= commit_) {
    configurations_.erase(configurations_.begin());
  }
}

void LogState::NoteBaseTerm(raft::Index index, raft::Term term) {
  if (index.Next() == first_index() && TermAt(index).value == 0 && term.value > 0) terms_[index] = term;
}

SegmentHeader LogState::NextHeader(base::ClusterId cluster, std::uint64_t number, const FrameRef& previous) const {
  return SegmentHeader{.cluster = cluster,
                       .number = number,
                       .previous = previous,
                       .hard_state = hard_state_,
                       .base_index = last_index_,
                       .base_term = TermAt(last_index_),
                       .commit = commit_,
                       .configurations = configurations_};
}

raft::Term LogState::TermAt(raft::Index index) const {
  if (index > last_index_) return raft::Term();
  const auto after = terms_.upper_bound(index);
  return after == terms_.begin() ? raft::Term() : std::prev(after)->second;
}

const Extent* LogState::Find(raft::Index index) const {
  const auto after =
      std::upper_bound(extents_.begin(), extents_.end(), index, [](raft::Index i, const Extent& e) { return i < e.first; });
  if (after == extents_.begin() || index > std::prev(after)->last()) return nullptr;
  return &*std::prev(after);
}

}  // namespace drover::coord::log
