// What the machine knows of its log: the term of every entry, and the latest entries themselves. The rest is on the disk.
#ifndef DROVER_COORD_RAFT_LOG_VIEW_H_
#define DROVER_COORD_RAFT_LOG_VIEW_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "coord/raft/term_runs.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

// Entries [held_first(), last()] are in memory, contiguous. What is not committed is never dropped.
class LogView {
 public:
  // `tail` ends at terms.last(), and may be empty.
  LogView(TermRuns terms, std::vector<Entry> tail);

  [[nodiscard]] Index last() const { return terms_.last(); }
  [[nodiscard]] Term last_term() const { return terms_.last_term(); }
  [[nodiscard]] std::optional<Term> TermAt(Index index) const { return terms_.TermAt(index); }
  [[nodiscard]] const TermRuns& terms() const { return terms_; }
  // last() + 1 if nothing is held.
  [[nodiscard]] Index held_first() const { return held_.empty() ? last().Next() : held_.front().index; }
  [[nodiscard]] std::size_t held_entries() const { return held_.size(); }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }

  // `entry.index` is last() + 1.
  const Entry& Append(Entry entry);
  void TruncateFrom(Index from);
  // Entries up to `through` are gone.
  void DropThrough(Index through);
  // The held entry at `index`.
  [[nodiscard]] const Entry& At(Index index) const;
  // Held entries from `first` (which must be held) through `last`: the first, and more while their payloads stay within `bytes`.
  [[nodiscard]] std::vector<Entry> Slice(Index first, Index last, std::size_t bytes) const;
  // Forgets the payloads of entries up to `through`, oldest first, until what is held is no more than `bytes`.
  void Shrink(Index through, std::size_t bytes);

 private:
  TermRuns terms_;
  std::deque<Entry> held_;
  std::size_t held_bytes_ = 0;
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_LOG_VIEW_H_
