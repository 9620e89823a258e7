#include "tests/oracle/answer.h"

#include "absl/strings/str_cat.h"

namespace drover::oracle {
namespace {

constexpr std::size_t kNamesShown = 20;

}  // namespace

absl::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kNoNode:
      return "NO_NODE";
    case Code::kNodeExists:
      return "NODE_EXISTS";
    case Code::kBadVersion:
      return "BAD_VERSION";
    case Code::kNotEmpty:
      return "NOT_EMPTY";
    case Code::kNoChildrenForEphemerals:
      return "NO_CHILDREN_FOR_EPHEMERALS";
    case Code::kBadArguments:
      return "BAD_ARGUMENTS";
    case Code::kTooLarge:
      return "TOO_LARGE";
    case Code::kSessionExpired:
      return "SESSION_EXPIRED";
    case Code::kNoWatcher:
      return "NO_WATCHER";
    case Code::kNoAuth:
      return "NO_AUTH";
    case Code::kInvalidAcl:
      return "INVALID_ACL";
    case Code::kUndone:
      return "UNDONE";
    case Code::kNotTried:
      return "NOT_TRIED";
    case Code::kOther:
      return "OTHER";
  }
  return "?";
}

std::string ToWords(const Stat& s) {
  return absl::StrCat("{czxid ", s.czxid, ", mzxid ", s.mzxid, ", pzxid ", s.pzxid, ", ctime ", s.ctime, ", mtime ", s.mtime,
                      ", version ", s.version, ", cversion ", s.cversion, ", aversion ", s.aversion, ", owner ", s.ephemeral_owner,
                      ", length ", s.data_length, ", children ", s.num_children, s.container ? ", container" : "",
                      s.ttl_ms == 0 ? "" : absl::StrCat(", to live ", s.ttl_ms, " ms"), "}");
}

std::string ToWords(const Answer& a) {
  std::string words(CodeName(a.code));
  if (!a.said.empty()) absl::StrAppend(&words, " (", a.said, ")");
  if (a.zxid != 0) absl::StrAppend(&words, " zxid ", a.zxid);
  if (a.session != 0) absl::StrAppend(&words, " session ", a.session);
  if (!a.path.empty()) absl::StrAppend(&words, " ", Quoted(a.path));
  if (a.stat.has_value()) absl::StrAppend(&words, " ", ToWords(*a.stat));
  if (a.data.has_value()) absl::StrAppend(&words, " data ", Quoted(*a.data));
  if (!a.names.empty()) {
    absl::StrAppend(&words, " ", a.names.size(), " names:");
    for (std::size_t i = 0; i < a.names.size() && i < kNamesShown; ++i) absl::StrAppend(&words, " ", Quoted(a.names[i]));
  }
  if (!a.parts.empty()) {
    words += " {";
    for (std::size_t i = 0; i < a.parts.size(); ++i) absl::StrAppend(&words, i == 0 ? "" : "; ", ToWords(a.parts[i]));
    words += "}";
  }
  return words;
}

std::string ToWords(const Event& event) {
  constexpr const char* kTypes[] = {"created", "changed", "deleted", "children of"};
  return absl::StrCat(kTypes[static_cast<std::size_t>(event.type)], " ", Quoted(event.path));
}

}  // namespace drover::oracle
