// The term of every entry of a log, as runs: a log of a million entries has as many runs as it has had leaders.
#ifndef DROVER_COORD_RAFT_TERM_RUNS_H_
#define DROVER_COORD_RAFT_TERM_RUNS_H_

#include <map>
#include <optional>

#include "coord/raft/types.h"

namespace drover::coord::raft {

// A value. Invariant: terms grow from one run to the next.
class TermRuns {
 public:
  // Of a log whose first entry follows (before, before_term); both 0 for a log from the beginning.
  explicit TermRuns(Index before = {}, Term before_term = {}) : before_(before), last_(before) { runs_[before] = before_term; }

  // The next entry is of this term, which must not be below last_term().
  void Append(Term term);
  // Entries up to `through`, which is not behind last(), are gone; the term of that one stays known.
  void DropThrough(Index through);
  // Entries from `from` on are gone; `from` is behind before().
  void TruncateFrom(Index from);

  [[nodiscard]] Index before() const { return before_; }
  [[nodiscard]] Index last() const { return last_; }
  [[nodiscard]] Term last_term() const { return runs_.rbegin()->second; }
  // Empty outside of [before(), last()].
  [[nodiscard]] std::optional<Term> TermAt(Index index) const;
  // The largest index <= `index` (which is cut to last()) whose term is <= `term`; before() if there is none behind it. Two logs
  // that disagree find their last common entry by asking each other this, in as many steps as there are terms (Raft paper 5.3,
  // end).
  [[nodiscard]] Index FindConflict(Index index, Term term) const;

  friend bool operator==(const TermRuns&, const TermRuns&) = default;

 private:
  Index before_;
  Index last_;
  std::map<Index, Term> runs_;  // by the first index of each; the first run begins at before_
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_TERM_RUNS_H_
