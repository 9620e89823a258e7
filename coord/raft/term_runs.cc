#include "coord/raft/term_runs.h"

#include <algorithm>
#include <iterator>

#include "coord/base/check.h"

namespace drover::coord::raft {

void TermRuns::Append(Term term) {
  DROVER_CHECK(term >= last_term()) << "term " << term << " after " << last_term();
  last_ = last_.Next();
  if (term != last_term()) runs_[last_] = term;
}

void TermRuns::TruncateFrom(Index from) {
  DROVER_CHECK(from > before_) << from << " is not behind " << before_;
  if (from > last_) return;
  runs_.erase(runs_.lower_bound(from), runs_.end());
  last_ = from.Previous();
}

void TermRuns::DropThrough(Index through) {
  DROVER_CHECK(through <= last_) << through << " is behind " << last_;
  if (through <= before_) return;
  const Term term = *TermAt(through);
  runs_.erase(runs_.begin(), runs_.upper_bound(through));
  runs_[through] = term;
  before_ = through;
}

std::optional<Term> TermRuns::TermAt(Index index) const {
  if (index < before_ || index > last_) return std::nullopt;
  return std::prev(runs_.upper_bound(index))->second;
}

Index TermRuns::FindConflict(Index index, Term term) const {
  index = std::min(index, last_);
  while (index > before_) {
    const auto run = std::prev(runs_.upper_bound(index));
    if (run->second <= term) return index;
    if (run->first <= before_) break;
    index = run->first.Previous();
  }
  return before_;
}

}  // namespace drover::coord::raft
