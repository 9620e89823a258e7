// What somebody who mistyped a word may have meant. Pure; any thread.
#ifndef DROVER_COORD_PROCESS_NEAREST_H_
#define DROVER_COORD_PROCESS_NEAREST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::process {

// The one of `words` that `typed` becomes by the fewest letters added, left out, replaced or swapped with their neighbour; of
// equals the first. Empty: none is near, that is within a third of its letters.
[[nodiscard]] std::string NearestOf(absl::string_view typed, const std::vector<std::string>& words);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_NEAREST_H_
