// Arrays: which elements they have, and how these ended. Pure; any thread.
//
// Elements are counted in the order of their indexes: the one at *position* 0 has the lowest index. What is known of those that
// have ended is kept by position, 4,096 of them a chunk, four bits each (worker.v1.ArrayChunk).
#ifndef DROVER_MASTER_RECORDS_ARRAY_H_
#define DROVER_MASTER_RECORDS_ARRAY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::records {

// "0-999", "1,3,5", "0-90:10" (every tenth), each with "%50" behind it (at most so many at a time). INVALID_ARGUMENT or
// RESOURCE_EXHAUSTED says what of it is wrong.
[[nodiscard]] absl::StatusOr<task::v1::Array> ParseArray(absl::string_view text);
// The same backwards.
[[nodiscard]] std::string ArrayText(const task::v1::Array& array);
[[nodiscard]] std::string RangeText(const task::v1::Array::Range& range);

// A step of 1 and of 0 is the same; a range of one index has none.
void Normalise(task::v1::Array* array);
// Of a normalised one. INVALID_ARGUMENT or RESOURCE_EXHAUSTED.
[[nodiscard]] absl::Status CheckArray(const task::v1::Array& array);
[[nodiscard]] bool SameElements(const task::v1::Array& a, const task::v1::Array& b);

// Of one that CheckArray approves of. Any position below ElementsOf has an index.
[[nodiscard]] std::uint32_t ElementsOf(const task::v1::Array& array);
[[nodiscard]] std::uint32_t IndexAt(const task::v1::Array& array, std::uint32_t position);
// Nothing: it has no element of this index.
[[nodiscard]] std::optional<std::uint32_t> PositionOf(const task::v1::Array& array, std::uint32_t index);

// The record of an element that is handed out now: READY, of the life that its array is in.
[[nodiscard]] worker::v1::TaskRecord ElementOf(const worker::v1::TaskRecord& array);

// How the elements of a chunk ended; STATE_UNSPECIFIED: it has not.
[[nodiscard]] constexpr std::uint32_t ChunkOf(std::uint32_t position) {
  return position / 4'096;
}
// Of a chunk as written, read in a life of its array: what did not succeed in an earlier one has not ended. Beyond its bytes: nor
// that.
[[nodiscard]] task::v1::State StateIn(const worker::v1::ArrayChunk& chunk, std::uint32_t life, std::uint32_t position);
// Writes an end into it, in the life of its array (MoveTo first). The states grow as they must.
void SetStateIn(worker::v1::ArrayChunk* chunk, std::uint32_t position, task::v1::State state);
// What did not succeed has not ended, in a later life.
void MoveTo(std::uint32_t life, worker::v1::ArrayChunk* chunk);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_ARRAY_H_
