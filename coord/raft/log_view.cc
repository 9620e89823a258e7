#include "coord/raft/log_view.h"

#include <utility>

#include "coord/base/check.h"

namespace drover::coord::raft {

LogView::LogView(TermRuns terms, std::vector<Entry> tail) : terms_(std::move(terms)) {
  DROVER_CHECK(tail.empty() || tail.back().index == terms_.last()) << "a tail that is not the log's end";
  for (Entry& entry : tail) {
    DROVER_CHECK(terms_.TermAt(entry.index) == entry.term) << "entry " << entry.index << " is of another term than the log's";
    held_bytes_ += entry.payload.size();
    held_.push_back(std::move(entry));
  }
}

const Entry& LogView::Append(Entry entry) {
  DROVER_CHECK(entry.index == last().Next()) << entry.index << " after " << last();
  terms_.Append(entry.term);
  held_bytes_ += entry.payload.size();
  held_.push_back(std::move(entry));
  return held_.back();
}

void LogView::TruncateFrom(Index from) {
  while (!held_.empty() && held_.back().index >= from) {
    held_bytes_ -= held_.back().payload.size();
    held_.pop_back();
  }
  terms_.TruncateFrom(from);
}

void LogView::DropThrough(Index through) {
  Shrink(through, 0);
  terms_.DropThrough(through);
}

const Entry& LogView::At(Index index) const {
  DROVER_CHECK(index >= held_first() && index <= last()) << index << " is not held";
  return held_[index.value - held_.front().index.value];
}

std::vector<Entry> LogView::Slice(Index first, Index last, std::size_t bytes) const {
  std::vector<Entry> entries;
  std::size_t taken = 0;
  for (Index index = first; index <= last; index = index.Next()) {
    const Entry& entry = At(index);
    taken += entry.payload.size();
    if (!entries.empty() && taken > bytes) break;
    entries.push_back(entry);
  }
  return entries;
}

void LogView::Shrink(Index through, std::size_t bytes) {
  while (!held_.empty() && held_.front().index <= through && held_bytes_ > bytes) {
    held_bytes_ -= held_.front().payload.size();
    held_.pop_front();
  }
}

}  // namespace drover::coord::raft
