#include "client/cli/shell_history.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/words.h"

namespace drover::cli {
namespace {

// Written by its owner alone from the start; false: nothing was written.
bool WriteLines(const std::string& file, int how, absl::string_view lines) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
  if (fd < 0) return false;
  const bool written = write(fd, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  close(fd);
  return written;
}

}  // namespace

std::string HistoryFile(const std::function<std::optional<std::string>(const std::string&)>& environment) {
  const std::string state = environment("XDG_STATE_HOME").value_or("");
  if (absl::StartsWith(state, "/")) return state + "/drover/tree-history";  // a relative one is to be ignored
  const std::string home = environment("HOME").value_or("");
  return home.empty() ? "" : home + "/.local/state/drover/tree-history";
}

std::vector<std::string> ShellHistory::Load() {
  std::vector<std::string> lines;
  std::ifstream in(file_);
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  if (lines.size() <= kLinesMax) return lines;
  const bool many = lines.size() > 2 * kLinesMax;
  lines.erase(lines.begin(), lines.end() - kLinesMax);
  if (many) {
    std::string text;
    for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
    const std::string next = file_ + ".new";
    if (WriteLines(next, O_TRUNC, text)) rename(next.c_str(), file_.c_str());
  }
  return lines;
}

bool ShellHistory::Keeps(absl::string_view line) {
  const Lexed lexed = Lex(line);
  if (lexed.words.empty() || absl::StrContains(line, "\n")) return false;
  if (lexed.words[0] == "auth") return false;
  return lexed.words.size() < 2 || lexed.words[0] != "acl" || lexed.words[1] != "digest";
}

void ShellHistory::Add(absl::string_view line) {
  if (file_.empty() || !Keeps(line)) return;
  std::error_code ignored;
  const std::filesystem::path directory = std::filesystem::path(file_).parent_path();
  if (!std::filesystem::is_directory(directory, ignored)) {
    std::filesystem::create_directories(directory.parent_path(), ignored);
    mkdir(directory.c_str(), 0700);
  }
  (void)WriteLines(file_, O_APPEND, absl::StrCat(line, "\n"));
}

}  // namespace drover::cli
