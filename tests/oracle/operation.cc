#include "tests/oracle/operation.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace drover::oracle {
namespace {

constexpr std::size_t kShownMax = 120;
constexpr std::size_t kShownEnd = 50;

std::string WhatIsAsked(const Operation& o) {
  std::string words(KindName(o.kind));
  if (o.kind == Kind::kMulti) {
    words += " {";
    for (std::size_t i = 0; i < o.parts.size(); ++i) absl::StrAppend(&words, i == 0 ? "" : "; ", WhatIsAsked(o.parts[i]));
    return words + "}";
  }
  if (o.kind == Kind::kOpen || o.kind == Kind::kClose || o.kind == Kind::kAbandon) return words;
  absl::StrAppend(&words, " ", Quoted(o.path), o.ephemeral ? " ephemeral" : "", o.sequential ? " sequential" : "",
                  o.container ? " container" : "", o.local ? " local" : "");
  if (o.ttl_ms.has_value()) absl::StrAppend(&words, " for ", *o.ttl_ms, " ms");
  constexpr const char* kWatches[] = {", recursive", ", persistent", ", once", ", once of children"};
  if (o.kind == Kind::kWatch) words += kWatches[static_cast<int>(o.watch)];
  if (o.kind == Kind::kAuthenticate) return absl::StrCat(words, " ", o.data.value_or(""));
  absl::StrAppend(&words, o.acl.empty() ? "" : " for");
  for (const AclEntry& entry : o.acl) absl::StrAppend(&words, " [", ToWords(entry), "]");
  if (o.kind == Kind::kCreate || o.kind == Kind::kSet) {
    absl::StrAppend(&words, ", ", o.data.has_value() ? absl::StrCat(o.data->size(), " bytes") : "null data");
  }
  if (o.version != kAnyVersion || o.kind == Kind::kCheck) absl::StrAppend(&words, ", version ", o.version);
  return words;
}

}  // namespace

absl::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kOpen:
      return "open";
    case Kind::kClose:
      return "close";
    case Kind::kAbandon:
      return "abandon";
    case Kind::kCreate:
      return "create";
    case Kind::kDelete:
      return "delete";
    case Kind::kSet:
      return "set";
    case Kind::kCheck:
      return "check";
    case Kind::kMulti:
      return "multi";
    case Kind::kGet:
      return "get";
    case Kind::kExists:
      return "exists";
    case Kind::kChildren:
      return "children";
    case Kind::kSync:
      return "sync";
    case Kind::kWatch:
      return "watch";
    case Kind::kUnwatch:
      return "unwatch";
    case Kind::kAuthenticate:
      return "authenticate";
    case Kind::kSetAcl:
      return "set-acl";
    case Kind::kGetAcl:
      return "get-acl";
  }
  return "?";
}

std::string ToWords(const AclEntry& entry) {
  return absl::StrCat(entry.permissions, " ", entry.scheme, " ", entry.id);
}

std::string ToWords(const Operation& operation) {
  return absl::StrCat("session ", operation.session, ": ", WhatIsAsked(operation));
}

std::string Quoted(absl::string_view text) {
  if (text.size() <= kShownMax) return absl::StrCat("\"", absl::CHexEscape(text), "\"");
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShownMax - kShownEnd)), "\" ... \"",
                      absl::CHexEscape(text.substr(text.size() - kShownEnd)), "\" (", text.size(), " bytes)");
}

}  // namespace drover::oracle
