// A line as words, as a shell reads it: blanks separate them, quotes keep them together.
//
// '...' is verbatim; in "..." \n, \t, \r, \\, \", \xHH stand for what they do in C; outside of quotes a backslash takes the next
// character as it is. A # that begins a word begins a comment. Pure.
#ifndef DROVER_CLIENT_CLI_WORDS_H_
#define DROVER_CLIENT_CLI_WORDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::cli {

struct Lexed {
  std::vector<std::string> words;
  // Of the line's end: the word that goes on there ("" between two words), and where it begins in the line.
  bool in_word = false;
  std::size_t word_begin = 0;
  char quote = '\0';        // the quote that is still open; '\\': a backslash with nothing behind it
  bool comment = false;     // the line ends in a comment
  absl::Status wrong = {};  // an escape that is none
};
// Of a line that may not be finished.
[[nodiscard]] Lexed Lex(absl::string_view line);

// Of a whole line. INVALID_ARGUMENT: a quote is not closed, an escape is none.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line);

// As a word that Lex gives back: quoted only if it must be. `open`: without the closing quote, to go on typing.
[[nodiscard]] std::string Quoted(absl::string_view word, bool open = false);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_WORDS_H_
