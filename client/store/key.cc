#include "client/store/key.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/store/object_store.h"

namespace drover::store {
namespace {

absl::Status Bad(absl::string_view key, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("object key \"", absl::CHexEscape(key.substr(0, 80)), "\" ", why));
}

// `partial`: the last component may be empty or end anywhere.
absl::Status Check(absl::string_view key, bool partial) {
  if (key.empty()) return partial ? absl::OkStatus() : Bad(key, "is empty");
  if (key.size() > kKeyBytesMax) return Bad(key, absl::StrCat("is longer than ", kKeyBytesMax, " bytes"));
  std::size_t length = 0;  // of the component so far
  for (char c : key) {
    if (c == '/') {
      if (length == 0) return Bad(key, "has an empty component");
      length = 0;
      continue;
    }
    const bool first = length == 0;
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && (first || (c != '.' && c != '_' && c != '-'))) {
      return Bad(key, "is not made of components that match [A-Za-z0-9][A-Za-z0-9._-]*");
    }
    if (++length > kKeyComponentBytesMax) return Bad(key, absl::StrCat("has a component over ", kKeyComponentBytesMax, " bytes"));
  }
  if (length == 0 && !partial) return Bad(key, "ends with '/'");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKey(absl::string_view key) {
  return Check(key, false);
}
absl::Status CheckPrefix(absl::string_view prefix) {
  return Check(prefix, true);
}

}  // namespace drover::store
