// The lines that were typed into a shell, kept in a file that only their owner may read.
#ifndef DROVER_CLIENT_CLI_SHELL_HISTORY_H_
#define DROVER_CLIENT_CLI_SHELL_HISTORY_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::cli {

// $XDG_STATE_HOME/drover/tree-history, or below ~/.local/state; "": there is no place for it.
[[nodiscard]] std::string HistoryFile(const std::function<std::optional<std::string>(const std::string&)>& environment);

// A line each; the file and its directory are made when there is something to keep (0600, 0700). What cannot be read or written is
// no error: a shell without history is still a shell. One thread; several shells may share the file.
class ShellHistory {
 public:
  static constexpr std::size_t kLinesMax = 1'000;

  // "": nothing is kept.
  explicit ShellHistory(std::string file) : file_(std::move(file)) {}

  // The oldest first, at most kLinesMax; cuts a file that holds many more.
  [[nodiscard]] std::vector<std::string> Load();
  // Not blank lines, and none that may hold a secret (auth, acl digest).
  void Add(absl::string_view line);
  [[nodiscard]] static bool Keeps(absl::string_view line);

 private:
  const std::string file_;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_SHELL_HISTORY_H_
