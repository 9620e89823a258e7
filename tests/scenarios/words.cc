#include "tests/scenarios/words.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace drover::scenarios {
namespace {

constexpr std::uint64_t kEntriesMax = 1'000'000;

bool ToNode(absl::string_view word, base::NodeId* node) {
  std::uint64_t number = 0;
  if (!absl::ConsumePrefix(&word, "n") || !absl::SimpleAtoi(word, &number) || number == 0) return false;
  *node = base::NodeId(number);
  return true;
}

}  // namespace

Words::Words(const std::string& line)
    : text_(absl::StripAsciiWhitespace(line.substr(0, line.find('#')))),
      words_(absl::StrSplit(text_, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {}

void Words::Fail(const std::string& what) {
  if (error_.ok()) error_ = absl::InvalidArgumentError(what);
}

std::string Words::Word() {
  if (more()) return words_[next_++];
  Fail("a word is missing at the end");
  return {};
}

bool Words::Accept(const std::string& word) {
  if (!more() || words_[next_] != word) return false;
  ++next_;
  return true;
}

std::uint64_t Words::Number() {
  const std::string word = Word();
  std::uint64_t number = 0;
  if (!absl::SimpleAtoi(word, &number)) Fail(absl::StrCat("'", word, "' is no number"));
  return number;
}

bool Words::OnOff() {
  const std::string word = Word();
  if (word != "on" && word != "off") Fail(absl::StrCat("'", word, "' is neither on nor off"));
  return word == "on";
}

base::NodeId Words::Node() {
  const std::string word = Word();
  base::NodeId node;
  if (!ToNode(word, &node)) Fail(absl::StrCat("'", word, "' is no node: they are n1, n2 ..."));
  return node;
}

std::optional<base::NodeId> Words::NodeOrNone() {
  if (Accept("none")) return std::nullopt;
  return Node();
}

std::optional<base::NodeId> Words::NodeOrAll() {
  if (Accept("*")) return std::nullopt;
  return Node();
}

std::pair<base::NodeId, base::NodeId> Words::Link() {
  const std::string word = Word();
  const std::vector<std::string> ends = absl::StrSplit(word, '>');
  std::pair<base::NodeId, base::NodeId> link;
  const bool ok =
      ends.size() == 2 && (ends[0] == "*" || ToNode(ends[0], &link.first)) && (ends[1] == "*" || ToNode(ends[1], &link.second));
  if (!ok) Fail(absl::StrCat("'", word, "' is no link: n1>n2, and * stands for any node"));
  return link;
}

std::vector<coord::raft::Term> Words::Terms() {
  std::vector<coord::raft::Term> terms;
  while (more()) {
    const std::string word = Word();
    const std::vector<std::string> parts = absl::StrSplit(word, 'x');
    std::uint64_t term = 0;
    std::uint64_t count = 1;
    const bool ok = parts.size() <= 2 && absl::SimpleAtoi(parts[0], &term) &&
                    (parts.size() == 1 || absl::SimpleAtoi(parts[1], &count)) && count <= kEntriesMax;
    if (!ok) Fail(absl::StrCat("'", word, "' is no term: 4, or 4x10 for ten of them"));
    if (ok) terms.insert(terms.end(), count, coord::raft::Term(term));
  }
  return terms;
}

absl::Status Words::Compare(std::uint64_t actual) {
  std::string sign = "=";
  for (const char* other : {"=", "<", "<=", ">", ">="}) {
    if (Accept(other)) sign = other;
  }
  const std::uint64_t wanted = Number();
  const absl::Status words = Done();
  if (!words.ok()) return words;
  const bool met = sign == "="    ? actual == wanted
                   : sign == "<"  ? actual < wanted
                   : sign == "<=" ? actual <= wanted
                   : sign == ">"  ? actual > wanted
                                  : actual >= wanted;
  if (met) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("it is ", actual));
}

absl::Status Words::Done() const {
  if (!error_.ok()) return error_;
  if (more()) return absl::InvalidArgumentError(absl::StrCat("'", words_[next_], "' is too much"));
  return absl::OkStatus();
}

}  // namespace drover::scenarios
