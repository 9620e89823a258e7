#include "client/cli/completion.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/node_path.h"
#include "client/cli/words.h"

namespace drover::cli {
namespace {

// How all of them begin, without half a character of UTF-8 at its end.
std::string CommonBeginning(const std::vector<std::string>& names) {
  std::string common = names.front();
  for (const std::string& name : names) {
    std::size_t same = 0;
    while (same < common.size() && same < name.size() && common[same] == name[same]) ++same;
    while (same > 0 && same < common.size() && (static_cast<unsigned char>(common[same]) & 0xc0) == 0x80) --same;
    common.resize(same);
  }
  return common;
}

}  // namespace

Wanted WantedAt(absl::string_view line, absl::string_view at,
                const std::function<std::vector<std::string>(const std::vector<std::string>&)>& commands_below) {
  Lexed lexed = Lex(line);
  Wanted wanted;
  if (lexed.comment || !lexed.wrong.ok() || lexed.quote == '\\') return wanted;
  wanted.word_begin = lexed.word_begin;
  wanted.quoted = lexed.quote != '\0';
  if (lexed.in_word) {
    wanted.word = std::move(lexed.words.back());
    lexed.words.pop_back();
  }
  wanted.commands = commands_below(lexed.words);
  if (!wanted.commands.empty()) {
    wanted.kind = Wanted::Kind::kCommand;
    wanted.name = wanted.word;
    return wanted;
  }
  if (lexed.words.empty() || absl::StartsWith(wanted.word, "-")) return wanted;
  wanted.kind = Wanted::Kind::kPath;
  const std::size_t slash = wanted.word.rfind('/');
  wanted.parent = ResolvePath(at, slash == std::string::npos ? "" : wanted.word.substr(0, slash + 1));
  wanted.name = slash == std::string::npos ? wanted.word : wanted.word.substr(slash + 1);
  return wanted;
}

Completion Complete(const Wanted& wanted, const std::vector<std::string>& names) {
  std::vector<std::string> choices;
  for (const std::string& name : names) {
    if (absl::StartsWith(name, wanted.name)) choices.push_back(name);
  }
  Completion completion;
  if (wanted.kind == Wanted::Kind::kNothing || choices.empty()) return completion;
  const std::string common = CommonBeginning(choices);
  if (choices.size() > 1 && common.size() == wanted.name.size()) {
    completion.shown = std::move(choices);
    return completion;
  }
  const std::string before = wanted.word.substr(0, wanted.word.size() - wanted.name.size());
  // A path may go on; a command is a whole word.
  const bool whole = choices.size() == 1 && wanted.kind == Wanted::Kind::kCommand;
  completion.word = Quoted(absl::StrCat(before, common), /*open=*/!whole);
  if (whole) completion.word += ' ';
  return completion;
}

}  // namespace drover::cli
