#include "client/cli/words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace drover::cli {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int HexDigit(char c) {
  for (int i = 0; i < 16; ++i) {
    if (absl::ascii_tolower(static_cast<unsigned char>(c)) == kHex[i]) return i;
  }
  return -1;
}

// What stands behind a backslash in double quotes, of which `*at` is the first character; leaves `*at` at its last one.
absl::Status Unescape(absl::string_view line, std::size_t* at, std::string* word) {
  switch (line[*at]) {
    case 'n':
      *word += '\n';
      return absl::OkStatus();
    case 't':
      *word += '\t';
      return absl::OkStatus();
    case 'r':
      *word += '\r';
      return absl::OkStatus();
    case '\\':
    case '"':
      *word += line[*at];
      return absl::OkStatus();
    case 'x': {
      const int high = *at + 2 < line.size() ? HexDigit(line[*at + 1]) : -1;
      const int low = *at + 2 < line.size() ? HexDigit(line[*at + 2]) : -1;
      if (high < 0 || low < 0) return absl::InvalidArgumentError("\\x wants two hexadecimal digits");
      *word += static_cast<char>(high * 16 + low);
      *at += 2;
      return absl::OkStatus();
    }
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("\\", line.substr(*at, 1), " means nothing; in \"...\" there are \\n, \\t, \\r, \\\\, \\\", \\xHH"));
  }
}

}  // namespace

Lexed Lex(absl::string_view line) {
  Lexed out;
  const auto begin_word = [&](std::size_t at) {
    if (out.in_word) return;
    out.in_word = true;
    out.word_begin = at;
    out.words.emplace_back();
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (out.quote == '\'') {
      if (c == '\'') {
        out.quote = '\0';
      } else {
        out.words.back() += c;
      }
    } else if (out.quote == '"') {
      if (c == '"') {
        out.quote = '\0';
      } else if (c == '\\' && i + 1 < line.size()) {
        ++i;
        if (absl::Status s = Unescape(line, &i, &out.words.back()); !s.ok() && out.wrong.ok()) out.wrong = s;
      } else {
        out.words.back() += c;
      }
    } else if (IsBlank(c)) {
      out.in_word = false;
    } else if (c == '#' && !out.in_word) {
      out.comment = true;
      break;
    } else {
      begin_word(i);
      if (c == '\'' || c == '"') {
        out.quote = c;
      } else if (c == '\\') {
        if (i + 1 == line.size()) {
          out.quote = '\\';
        } else {
          out.words.back() += line[++i];
        }
      } else {
        out.words.back() += c;
      }
    }
  }
  if (!out.in_word) out.word_begin = line.size();
  return out;
}

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line) {
  Lexed lexed = Lex(line);
  if (lexed.quote == '\\') return absl::InvalidArgumentError("nothing stands behind the last \\");
  if (lexed.quote != '\0') return absl::InvalidArgumentError(absl::StrCat("a ", std::string(1, lexed.quote), " is not closed"));
  if (!lexed.wrong.ok()) return lexed.wrong;
  return std::move(lexed.words);
}

std::string Quoted(absl::string_view word, bool open) {
  bool plain = !word.empty() && word[0] != '#';
  for (const char c : word) {
    if (IsBlank(c) || c == '\'' || c == '"' || c == '\\' || absl::ascii_iscntrl(static_cast<unsigned char>(c))) plain = false;
  }
  if (plain) return std::string(word);
  std::string quoted = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", std::string(1, c));
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      const auto byte = static_cast<unsigned char>(c);
      absl::StrAppend(&quoted, "\\x", std::string(1, kHex[byte >> 4]), std::string(1, kHex[byte & 15]));
    } else {
      quoted += c;
    }
  }
  if (!open) quoted += '"';
  return quoted;
}

}  // namespace drover::cli
