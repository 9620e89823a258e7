#include "coord/raft/tail.h"

#include <utility>

#include "coord/base/check.h"

namespace drover::coord::raft {

std::optional<Term> Tail::TermAt(Index index) const {
  if (index == before_) return before_term_;
  if (index < before_ || index > last()) return std::nullopt;
  return entries_[index.value - before_.value - 1].term;
}

const Entry& Tail::Append(Term term, EntryKind kind, base::Bytes payload) {
  DROVER_CHECK(term >= last_term());
  const Index index = last().Next();
  entries_.push_back(Entry{term, index, kind, std::move(payload)});
  return entries_.back();
}

std::vector<Entry> Tail::TakeThrough(Index index) {
  DROVER_CHECK(index >= before_ && index <= last()) << " index " << index << " last " << last();
  std::vector<Entry> taken;
  taken.reserve(index.value - before_.value);
  while (before_ < index) {
    before_ = entries_.front().index;
    before_term_ = entries_.front().term;
    taken.push_back(std::move(entries_.front()));
    entries_.pop_front();
  }
  return taken;
}

}  // namespace drover::coord::raft
