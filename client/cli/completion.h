// What the tab key adds to a line of the tree's shell. Pure: what the core knows comes as an argument.
#ifndef DROVER_CLIENT_CLI_COMPLETION_H_
#define DROVER_CLIENT_CLI_COMPLETION_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::cli {

// What a line up to the cursor wants next.
struct Wanted {
  enum class Kind { kNothing, kCommand, kPath };

  Kind kind = Kind::kNothing;
  std::size_t word_begin = 0;         // of the word to complete, in bytes of the line
  std::string word;                   // what there is of it, without quotes
  bool quoted = false;                // a quote was open
  std::vector<std::string> commands;  // kCommand: those that may be meant
  std::string parent;                 // kPath: the node whose children are meant
  std::string name;                   // kPath: how the child's name begins
};
// `commands_below(words)`: the commands that may follow these; empty: none, arguments follow. `at`: the node at hand.
[[nodiscard]] Wanted WantedAt(absl::string_view line, absl::string_view at,
                              const std::function<std::vector<std::string>(const std::vector<std::string>&)>& commands_below);

struct Completion {
  std::string word;                // what replaces the word from `word_begin` to the cursor; "": nothing does
  std::vector<std::string> shown;  // the choices, where the word could not be made longer
};
// `names`: commands, or the children of `wanted.parent`; those that do not begin as wanted are ignored.
[[nodiscard]] Completion Complete(const Wanted& wanted, const std::vector<std::string>& names);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_COMPLETION_H_
