// What gRPC says of a failed call, in words for people. Pure; any thread.
#ifndef DROVER_COORD_BASE_FAILURE_WORDS_H_
#define DROVER_COORD_BASE_FAILURE_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace drover::base {

// "cannot connect: Connection refused" of a link that never was, "no answer in time" of a deadline that passed or a process that
// does not speak, "its name cannot be resolved: Domain name not found" of a host that nobody knows. Every other message comes back
// as it is: a server's own word, or empty.
[[nodiscard]] std::string FailureWords(absl::string_view message);

// They are of the first kinds: nobody was reached, or said anything.
[[nodiscard]] bool IsOfSilence(absl::string_view failure_words);

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_FAILURE_WORDS_H_
