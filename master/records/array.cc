#include "master/records/array.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "coord/base/check.h"
#include "coord/base/status.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "master/records/spec.h"

namespace drover::records {

using Range = task::v1::Array::Range;

namespace {

static_assert(ChunkOf(kArrayChunkElements) == 1 && ChunkOf(kArrayChunkElements - 1) == 0);

constexpr char kArrayRule[] = "an array is like 0-99, 1,3,7, 0-90:10 or 0-999%50";

std::uint32_t StepOf(const Range& range) {
  return std::max(1U, range.step());
}

std::uint32_t SizeOf(const Range& range) {
  return (range.last() - range.first()) / StepOf(range) + 1;
}

absl::StatusOr<std::uint32_t> ParseNumber(absl::string_view text, absl::string_view whole) {
  std::uint32_t number = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
  if (!digits) return absl::InvalidArgumentError(absl::StrCat("\"", Clip(whole, 80), "\": ", kArrayRule));
  if (!absl::SimpleAtoi(text, &number)) {
    return absl::InvalidArgumentError(absl::StrCat(Clip(text, 80), " is too large: an index is at most ", kArrayIndexMax));
  }
  return number;
}

absl::StatusOr<Range> ParseRange(absl::string_view text, absl::string_view whole) {
  Range range;
  const std::pair<absl::string_view, absl::string_view> bounds_step = absl::StrSplit(text, absl::MaxSplits(':', 1));
  const std::pair<absl::string_view, absl::string_view> bounds = absl::StrSplit(bounds_step.first, absl::MaxSplits('-', 1));
  const bool one = bounds.first.size() == bounds_step.first.size();
  DROVER_ASSIGN_OR_RETURN(const std::uint32_t first, ParseNumber(bounds.first, whole));
  range.set_first(first);
  range.set_last(first);
  if (!one) {
    DROVER_ASSIGN_OR_RETURN(const std::uint32_t last, ParseNumber(bounds.second, whole));
    range.set_last(last);
  }
  if (bounds_step.first.size() < text.size()) {
    DROVER_ASSIGN_OR_RETURN(const std::uint32_t step, ParseNumber(bounds_step.second, whole));
    if (step == 0) return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" has a step of 0"));
    range.set_step(step);
  }
  return range;
}

// SUCCEEDED is 1, as the states that follow it do.
std::uint8_t NibbleOf(task::v1::State state) {
  switch (state) {
    case task::v1::SUCCEEDED:
      return 1;
    case task::v1::FAILED:
      return 2;
    case task::v1::CANCELLED:
      return 3;
    case task::v1::LOST:
      return 4;
    default:
      return 0;
  }
}

task::v1::State StateOf(std::uint8_t nibble) {
  constexpr task::v1::State kStates[] = {task::v1::STATE_UNSPECIFIED, task::v1::SUCCEEDED, task::v1::FAILED, task::v1::CANCELLED,
                                         task::v1::LOST};
  return nibble < std::size(kStates) ? kStates[nibble] : task::v1::STATE_UNSPECIFIED;
}

std::uint8_t NibbleAt(const std::string& states, std::uint32_t position) {
  const std::size_t at = position % kArrayChunkElements;
  if (at / 2 >= states.size()) return 0;
  const auto byte = static_cast<std::uint8_t>(states[at / 2]);
  return at % 2 == 0 ? byte & 0x0F : byte >> 4;
}

}  // namespace

absl::StatusOr<task::v1::Array> ParseArray(absl::string_view text) {
  task::v1::Array array;
  const std::pair<absl::string_view, absl::string_view> ranges_max = absl::StrSplit(text, absl::MaxSplits('%', 1));
  if (ranges_max.first.size() < text.size()) {
    DROVER_ASSIGN_OR_RETURN(const std::uint32_t running_max, ParseNumber(ranges_max.second, text));
    if (running_max == 0) return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" would never run: at least 1 at a time"));
    array.set_running_max(running_max);
  }
  for (const absl::string_view part : absl::StrSplit(ranges_max.first, ',')) {
    DROVER_ASSIGN_OR_RETURN(*array.add_ranges(), ParseRange(part, text));
  }
  Normalise(&array);
  DROVER_RETURN_IF_ERROR(CheckArray(array));
  return array;
}

std::string RangeText(const Range& range) {
  if (range.first() == range.last()) return absl::StrCat(range.first());
  const std::string bounds = absl::StrCat(range.first(), "-", range.last());
  return StepOf(range) == 1 ? bounds : absl::StrCat(bounds, ":", range.step());
}

std::string ArrayText(const task::v1::Array& array) {
  const std::string ranges =
      absl::StrJoin(array.ranges(), ",", [](std::string* out, const Range& range) { absl::StrAppend(out, RangeText(range)); });
  return array.running_max() == 0 ? ranges : absl::StrCat(ranges, "%", array.running_max());
}

void Normalise(task::v1::Array* array) {
  for (Range& range : *array->mutable_ranges()) {
    if (range.step() == 1 || range.first() == range.last()) range.clear_step();
    // The last index that it has, whatever was written.
    if (range.last() > range.first()) range.set_last(range.last() - (range.last() - range.first()) % StepOf(range));
    if (range.first() == range.last()) range.clear_step();
  }
}

absl::Status CheckArray(const task::v1::Array& array) {
  if (array.ranges().empty()) return absl::InvalidArgumentError(absl::StrCat("an array has elements: ", kArrayRule));
  if (array.ranges_size() > kArrayRangesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("an array of ", array.ranges_size(), " ranges, at most ", kArrayRangesMax));
  }
  std::uint64_t elements = 0;
  const Range* before = nullptr;
  for (const Range& range : array.ranges()) {
    if (range.last() < range.first()) return absl::InvalidArgumentError(absl::StrCat(RangeText(range), " runs backwards"));
    if (range.last() > kArrayIndexMax) {
      return absl::InvalidArgumentError(absl::StrCat(RangeText(range), ": an index is at most ", kArrayIndexMax));
    }
    if (before != nullptr && range.first() <= before->last()) {
      return absl::InvalidArgumentError(
          absl::StrCat(RangeText(range), " does not come after ", RangeText(*before), ": indexes ascend, each given once"));
    }
    before = &range;
    elements += SizeOf(range);
  }
  if (elements > kArrayElementsMax) {
    return absl::ResourceExhaustedError(absl::StrCat("an array of ", elements, " elements, at most ", kArrayElementsMax));
  }
  if (array.running_max() <= kTaskKeyRunningMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(array.running_max(), " elements of an array at a time, at most ", kTaskKeyRunningMax));
}

bool SameElements(const task::v1::Array& a, const task::v1::Array& b) {
  return std::equal(a.ranges().begin(), a.ranges().end(), b.ranges().begin(), b.ranges().end(), [](const Range& x, const Range& y) {
    return x.first() == y.first() && x.last() == y.last() && x.step() == y.step();
  });
}

std::uint32_t ElementsOf(const task::v1::Array& array) {
  std::uint32_t elements = 0;
  for (const Range& range : array.ranges()) elements += SizeOf(range);
  return elements;
}

std::uint32_t IndexAt(const task::v1::Array& array, std::uint32_t position) {
  for (const Range& range : array.ranges()) {
    if (position < SizeOf(range)) return range.first() + position * StepOf(range);
    position -= SizeOf(range);
  }
  DROVER_CHECK(false) << "no element at position " << position << " behind its end";
  return 0;
}

std::optional<std::uint32_t> PositionOf(const task::v1::Array& array, std::uint32_t index) {
  std::uint32_t before = 0;
  for (const Range& range : array.ranges()) {
    if (index < range.first()) return std::nullopt;
    if (index <= range.last()) {
      const std::uint32_t from_first = index - range.first();
      if (from_first % StepOf(range) != 0) return std::nullopt;
      return before + from_first / StepOf(range);
    }
    before += SizeOf(range);
  }
  return std::nullopt;
}

worker::v1::TaskRecord ElementOf(const worker::v1::TaskRecord& array) {
  worker::v1::TaskRecord element;
  task::v1::Policy* policy = element.mutable_policy();
  *policy = array.policy();
  policy->clear_array();
  policy->clear_dependencies();
  policy->clear_delay_ms();
  policy->clear_start_at_ms();
  if (array.has_program_object()) {
    *element.mutable_program_object() = array.program_object();
    element.set_spec_digest(SpecDigest(*policy, array.program_object()));
  } else {
    element.set_program(array.program());
    element.set_spec_digest(SpecDigest(*policy, absl::string_view(array.program())));
  }
  element.set_state(task::v1::READY);
  element.set_submitted_at(array.submitted_at());
  element.set_array_life(array.reruns());
  return element;
}

task::v1::State StateIn(const worker::v1::ArrayChunk& chunk, std::uint32_t life, std::uint32_t position) {
  const task::v1::State state = StateOf(NibbleAt(chunk.states(), position));
  return chunk.life() == life || state == task::v1::SUCCEEDED ? state : task::v1::STATE_UNSPECIFIED;
}

void SetStateIn(worker::v1::ArrayChunk* chunk, std::uint32_t position, task::v1::State state) {
  const std::size_t at = position % kArrayChunkElements;
  std::string* states = chunk->mutable_states();
  if (at / 2 >= states->size()) states->resize(at / 2 + 1);
  auto byte = static_cast<std::uint8_t>((*states)[at / 2]);
  byte = at % 2 == 0 ? static_cast<std::uint8_t>((byte & 0xF0) | NibbleOf(state))
                     : static_cast<std::uint8_t>((byte & 0x0F) | NibbleOf(state) << 4);
  (*states)[at / 2] = static_cast<char>(byte);
}

void MoveTo(std::uint32_t life, worker::v1::ArrayChunk* chunk) {
  if (chunk->life() == life) return;
  const auto elements = static_cast<std::uint32_t>(chunk->states().size() * 2);
  for (std::uint32_t i = 0; i < elements; ++i) {
    if (NibbleAt(chunk->states(), i) != NibbleOf(task::v1::SUCCEEDED)) SetStateIn(chunk, i, task::v1::STATE_UNSPECIFIED);
  }
  chunk->set_life(life);
}

}  // namespace drover::records
