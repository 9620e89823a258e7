// Where a shell's lines come from: a terminal, or a file or pipe.
#ifndef DROVER_CLIENT_CLI_LINE_SOURCE_H_
#define DROVER_CLIENT_CLI_LINE_SOURCE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "client/cli/completion.h"

namespace drover::cli {

enum class LineOutcome {
  kLine,
  kEnd,          // of the file, or Ctrl-D
  kInterrupted,  // Ctrl-C: what was typed is dropped
  kFailed,       // the input cannot be read
};

struct LineHooks {
  // Readable when there is something to show, or Ctrl-C was pressed.
  int news_fd = -1;
  // Shows what there is to show; true: Ctrl-C was pressed. The cursor stands at the beginning of an empty line.
  std::function<bool()> on_news;
  // What the tab key adds to a line up to the cursor. Null where there is no tab key.
  std::function<Completion(absl::string_view line, std::size_t* word_begin)> complete = nullptr;
};

// One thread; its hooks are called on that thread, inside Read.
class LineSource {
 public:
  virtual ~LineSource() = default;
  // A line without its end; waits for it.
  [[nodiscard]] virtual LineOutcome Read(const std::string& prompt, std::string* line) = 0;
};

// Lines of a descriptor that is no terminal. The last one needs no newline; a line has at most 16 MiB (kFailed).
[[nodiscard]] std::unique_ptr<LineSource> LinesOf(int fd, LineHooks hooks);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_LINE_SOURCE_H_
