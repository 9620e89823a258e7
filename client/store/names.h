// What the objects are called. The only place that spells these names.
//
//   input/<task>/<upload>                        an encoded Program; <upload> is a random number, so that two uploads never meet
//   output/<task>/<fence>/<out|err|result>/<8 digits>   what one attempt wrote, in numbered chunks from 0; output while it runs
//
// An array's element <array>:<index> is <array>/<index> in them. An array itself has no attempt.
//
// A task's objects are those below InputsOf and OutputsOf; whoever committed the removal of its record deletes them. A submission
// may refer to objects below its own InputsOf only, so what no record of that task refers to is nobody's.
#ifndef DROVER_CLIENT_STORE_NAMES_H_
#define DROVER_CLIENT_STORE_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace drover::store {

// What every input's key begins with.
inline constexpr absl::string_view kInputs = "input/";

// Those of an array are those of its elements, too.
inline std::string InputsOf(absl::string_view task) {
  return absl::StrCat(kInputs, task.substr(0, task.find(':')), "/");
}
inline std::string InputKey(absl::string_view task, std::uint64_t upload) {
  return absl::StrCat(InputsOf(task), absl::Hex(upload, absl::kZeroPad16));
}

inline std::string OutputsOf(absl::string_view task) {
  const std::size_t colon = task.find(':');
  if (colon == absl::string_view::npos) return absl::StrCat("output/", task, "/");
  return absl::StrCat("output/", task.substr(0, colon), "/", task.substr(colon + 1), "/");
}
// The task of which an object is an input by its key, or nothing.
inline std::optional<absl::string_view> TaskOfInput(absl::string_view key) {
  if (!absl::StartsWith(key, kInputs)) return std::nullopt;
  key.remove_prefix(kInputs.size());
  const std::size_t slash = key.find('/');
  if (slash == absl::string_view::npos || slash == 0) return std::nullopt;
  return key.substr(0, slash);
}
// What an attempt leaves behind: values as in drover.task.v1.Stream.
enum class Part { kOut, kErr, kResult };
inline constexpr Part kParts[] = {Part::kOut, Part::kErr, Part::kResult};

inline std::string OutputsOf(absl::string_view task, std::uint64_t fence, Part part) {
  return absl::StrCat(OutputsOf(task), fence, "/", part == Part::kOut ? "out" : part == Part::kErr ? "err" : "result", "/");
}
inline std::string OutputKey(absl::string_view task, std::uint64_t fence, Part part, std::uint32_t chunk) {
  return absl::StrCat(OutputsOf(task, fence, part), absl::Dec(chunk, absl::kZeroPad8));
}

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_NAMES_H_
