#include "master/records/array_view.h"

#include <algorithm>
#include <string>
#include <utility>

#include "master/records/array.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"

namespace drover::records {

using task::v1::State;

void ArrayView::SetRecord(const worker::v1::TaskRecord& record) {
  const bool same = present_ && life_ == record.reruns() && SameElements(array_, record.policy().array());
  present_ = true;
  array_ = record.policy().array();
  if (same) return;
  life_ = record.reruns();
  // What somebody wrote there by hand has no elements that could be counted.
  size_ = CheckArray(array_).ok() ? ElementsOf(array_) : 0;
  Recount();
}

void ArrayView::RemoveRecord() {
  present_ = false;
  array_.Clear();
  life_ = 0;
  size_ = 0;
  Recount();
}

void ArrayView::SetChunk(std::uint32_t number, ChunkView chunk) {
  const ChunkView before = std::exchange(chunks_[number], std::move(chunk));
  const ChunkView& now = chunks_[number];
  const std::string& was = before.chunk.states();
  const std::string& is = now.chunk.states();
  const bool same_life = before.chunk.life() == now.chunk.life();
  const Position begin = number * kArrayChunkElements;
  const std::size_t bytes = std::min<std::size_t>(std::max(was.size(), is.size()), kArrayChunkElements / 2);
  for (std::size_t byte = 0; byte < bytes; ++byte) {
    // A chunk is written again and again, each time for a few of its elements.
    if (same_life && (byte < was.size() ? was[byte] : '\0') == (byte < is.size() ? is[byte] : '\0')) continue;
    for (const std::size_t at : {2 * byte, 2 * byte + 1}) {
      const Position position = begin + static_cast<Position>(at);
      if (position < size_) MoveEnd(position, StateIn(before.chunk, life_, position), StateIn(now.chunk, life_, position));
    }
  }
}

void ArrayView::MoveEnd(Position position, State before, State now) {
  if (before == now) return;
  CountEnd(before, -1);
  CountEnd(now, 1);
  Displace(position);
  if (now == task::v1::STATE_UNSPECIFIED) first_free_ = std::min(first_free_, position);
  const std::uint32_t index = IndexAt(array_, position);
  if (const auto record = records_.find(index); record != records_.end()) Place(index, record->second);
}

void ArrayView::RemoveChunk(std::uint32_t number) {
  if (!chunks_.contains(number)) return;
  SetChunk(number, {});
  chunks_.erase(number);
}

void ArrayView::SetElement(std::uint32_t index, State state, std::uint32_t life) {
  RemoveElement(index);
  const Element element{state, life};
  records_[index] = element;
  Place(index, element);
}

void ArrayView::RemoveElement(std::uint32_t index) {
  if (records_.erase(index) == 0) return;
  const std::optional<Position> position = size_ == 0 ? std::nullopt : PositionOf(array_, index);
  if (!position.has_value()) return;
  Displace(*position);
  first_free_ = std::min(first_free_, *position);
}

void ArrayView::Place(std::uint32_t index, const Element& element) {
  const std::optional<Position> position = size_ == 0 ? std::nullopt : PositionOf(array_, index);
  if (!position.has_value()) return;
  const bool ended = IsTerminal(element.state);
  // One that ended in an earlier life is handed out anew.
  if (ended && element.life != life_) return;
  if (EndOf(*position) != task::v1::STATE_UNSPECIFIED) return;
  if (ended) {
    unfolded_[*position] = element.state;
  } else {
    live_[*position] = element.state;
    if (element.state == task::v1::READY) ++ready_;
  }
}

void ArrayView::Displace(Position position) {
  if (const auto it = live_.find(position); it != live_.end()) {
    if (it->second == task::v1::READY) --ready_;
    live_.erase(it);
  }
  unfolded_.erase(position);
}

void ArrayView::CountEnd(State end, int by) {
  if (end == task::v1::STATE_UNSPECIFIED) return;
  counts_[end] += static_cast<std::uint32_t>(by);
  ended_ += static_cast<std::uint32_t>(by);
}

void ArrayView::Recount() {
  counts_.clear();
  live_.clear();
  unfolded_.clear();
  ended_ = 0;
  ready_ = 0;
  first_free_ = 0;
  for (const auto& [number, chunk] : chunks_) {
    const Position begin = number * kArrayChunkElements;
    const Position elements = static_cast<Position>(std::min<std::size_t>(chunk.chunk.states().size() * 2, kArrayChunkElements));
    for (Position position = begin; position < std::min(size_, begin + elements); ++position) {
      CountEnd(StateIn(chunk.chunk, life_, position), 1);
    }
  }
  for (const auto& [index, element] : records_) Place(index, element);
}

State ArrayView::EndOf(Position position) const {
  const auto it = chunks_.find(ChunkOf(position));
  return it == chunks_.end() ? task::v1::STATE_UNSPECIFIED : StateIn(it->second.chunk, life_, position);
}

bool ArrayView::IsFree(Position position) const {
  return position < size_ && EndOf(position) == task::v1::STATE_UNSPECIFIED && !live_.contains(position) &&
         !unfolded_.contains(position);
}

ArrayView::Position ArrayView::NextFree(Position from) const {
  const bool from_first = from <= first_free_;
  Position position = std::max(from, first_free_);
  while (position < size_ && !IsFree(position)) ++position;
  if (from_first) first_free_ = position;
  return position;
}

std::uint32_t ArrayView::Count(State end) const {
  const auto it = counts_.find(end);
  return it == counts_.end() ? 0 : it->second;
}

bool ArrayView::IsUnfolded(std::uint32_t index) const {
  const std::optional<Position> position = size_ == 0 ? std::nullopt : PositionOf(array_, index);
  return position.has_value() && unfolded_.contains(*position);
}

std::vector<task::v1::Array::Range> ArrayView::Unsuccessful(std::size_t ranges_max, bool over) const {
  std::vector<task::v1::Array::Range> ranges;
  if (ended_ == Count(task::v1::SUCCEEDED) && (!over || free() == 0)) return ranges;
  for (Position position = 0; position < size_; ++position) {
    const State end = EndOf(position);
    const bool unsuccessful = end == task::v1::STATE_UNSPECIFIED ? over && IsFree(position) : end != task::v1::SUCCEEDED;
    if (!unsuccessful) continue;
    const std::uint32_t index = IndexAt(array_, position);
    if (!ranges.empty() && ranges.back().last() + 1 == index) {
      ranges.back().set_last(index);
      continue;
    }
    if (ranges.size() == ranges_max) break;
    ranges.emplace_back().set_first(index);
    ranges.back().set_last(index);
  }
  return ranges;
}

}  // namespace drover::records
