#include "coord/process/config_file.h"

#include <errno.h>
#include <string.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coord/base/status.h"

namespace drover::process {
namespace {

bool IsBare(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::string_view(".:/_+-=").find(c) != absl::string_view::npos;
}
bool IsKey(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

// Reads one line from left to right.
class LineReader {
 public:
  explicit LineReader(absl::string_view line) : rest_(line) {}

  // True at the end of the line or at a comment.
  bool AtEnd() {
    rest_ = absl::StripLeadingAsciiWhitespace(rest_);
    return rest_.empty() || rest_.front() == '#';
  }

  bool Take(char c) {
    rest_ = absl::StripLeadingAsciiWhitespace(rest_);
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string TakeWhile(bool (*accept)(char)) {
    rest_ = absl::StripLeadingAsciiWhitespace(rest_);
    std::size_t size = 0;
    while (size < rest_.size() && accept(rest_[size])) ++size;
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }

  absl::StatusOr<std::string> TakeValue() {
    if (Take('"')) return TakeQuoted('"', true);
    if (Take('\'')) return TakeQuoted('\'', false);
    std::string bare = TakeWhile(&IsBare);
    if (bare.empty()) return absl::InvalidArgumentError("a value is missing; write text in double quotes");
    return bare;
  }

 private:
  absl::StatusOr<std::string> TakeQuoted(char quote, bool escapes) {
    std::string out;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == quote) return out;
      if (escapes && c == '\\') {
        if (rest_.empty()) break;
        c = rest_.front();
        rest_.remove_prefix(1);
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c != '"' && c != '\\')
          return absl::InvalidArgumentError(absl::StrCat("\\", std::string(1, c), " is not known; there are \\\" \\\\ \\n \\t"));
      }
      out.push_back(c);
    }
    return absl::InvalidArgumentError("a quote is not closed");
  }

  absl::string_view rest_;
};

absl::StatusOr<ConfigLine> ParseLine(LineReader in) {
  ConfigLine out;
  if (in.Take('[')) return absl::InvalidArgumentError("sections are not known; write the keys without them");
  out.key = in.TakeWhile(&IsKey);
  if (out.key.empty() || !in.Take('=')) return absl::InvalidArgumentError("write `option = value`");
  if (in.Take('[')) {
    while (!in.Take(']')) {
      DROVER_ASSIGN_OR_RETURN(std::string value, in.TakeValue());
      out.values.push_back(std::move(value));
      if (in.Take(',')) continue;
      if (!in.Take(']')) return absl::InvalidArgumentError("a list is not closed; it ends with ] on the same line");
      break;
    }
  } else {
    DROVER_ASSIGN_OR_RETURN(std::string value, in.TakeValue());
    out.values.push_back(std::move(value));
  }
  if (!in.AtEnd()) return absl::InvalidArgumentError("something follows the value; write text in double quotes");
  return out;
}

}  // namespace

absl::StatusOr<std::vector<ConfigLine>> ParseConfig(absl::string_view text) {
  std::vector<ConfigLine> out;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    LineReader in(line);
    if (in.AtEnd()) continue;
    absl::StatusOr<ConfigLine> parsed = ParseLine(in);
    if (!parsed.ok()) return base::Annotate(parsed.status(), absl::StrCat("line ", number));
    parsed->line = number;
    out.push_back(*std::move(parsed));
  }
  return out;
}

absl::StatusOr<std::vector<ConfigLine>> ReadConfigFile(const std::string& path) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(absl::StrCat("the configuration file ", path, " is a directory"));
  }
  errno = 0;
  std::ifstream in(path);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return absl::InvalidArgumentError(absl::StrCat("cannot read the configuration file ", path, ": ", strerror(errno)));
  absl::StatusOr<std::vector<ConfigLine>> lines = ParseConfig(text.str());
  if (!lines.ok()) return base::Annotate(lines.status(), path);
  return lines;
}

}  // namespace drover::process
