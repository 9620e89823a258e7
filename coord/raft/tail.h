// The end of the log that is held in memory: entries not yet committed, contiguous.
#ifndef DROVER_COORD_RAFT_TAIL_H_
#define DROVER_COORD_RAFT_TAIL_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "coord/raft/types.h"

namespace drover::coord::raft {

// Invariants: entries have indexes before()+1, before()+2 ... last() and terms that never decrease.
class Tail {
 public:
  // An empty tail behind the entry (index, term); both 0 for an empty log.
  Tail(Index index, Term term) : before_(index), before_term_(term) {}

  // The entry just before the first one held.
  [[nodiscard]] Index before() const { return before_; }
  [[nodiscard]] Index last() const { return entries_.empty() ? before_ : entries_.back().index; }
  [[nodiscard]] Term last_term() const { return entries_.empty() ? before_term_ : entries_.back().term; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  // Empty for an index that is neither held nor before().
  [[nodiscard]] std::optional<Term> TermAt(Index index) const;
  // Gives the entry the next index. `term` must not be below last_term().
  const Entry& Append(Term term, EntryKind kind, base::Bytes payload);
  // Takes the entries up to and including `index` (which must be held, or before()) off the front.
  std::vector<Entry> TakeThrough(Index index);

 private:
  Index before_;
  Term before_term_;
  std::deque<Entry> entries_;
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_TAIL_H_
