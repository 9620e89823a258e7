#include "tests/oracle/path_rule.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace drover::oracle {
namespace {

constexpr char16_t kReplacement = 0xfffd;  // what Java reads where bytes are no UTF-8

// The character at `*at` and its end; kReplacement for bytes that are none.
char32_t Decode(absl::string_view text, std::size_t* at) {
  const auto first = static_cast<unsigned char>(text[*at]);
  ++*at;
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4 || text.size() - *at < more) return kReplacement;
  char32_t c = first & (0x3fu >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const auto next = static_cast<unsigned char>(text[*at + i]);
    if ((next & 0xc0) != 0x80) return kReplacement;
    c = c << 6 | (next & 0x3fu);
  }
  const bool shortest = c >= (more == 3 ? 0x10000u : more == 2 ? 0x800u : 0x80u);
  if (!shortest || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return kReplacement;
  *at += more;
  return c;
}

std::u16string ToUtf16(absl::string_view text) {
  std::u16string units;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = Decode(text, &at);
    if (c < 0x10000) {
      units += static_cast<char16_t>(c);
    } else {
      units += static_cast<char16_t>(0xd800 + ((c - 0x10000) >> 10));
      units += static_cast<char16_t>(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  return units;
}

}  // namespace

bool IsPath(absl::string_view path) {
  const std::u16string p = ToUtf16(path);
  if (p.empty() || p[0] != u'/') return false;
  if (p.size() == 1) return true;
  if (p.back() == u'/') return false;
  for (std::size_t i = 1; i < p.size(); ++i) {
    const char16_t c = p[i];
    const bool ends = i + 1 == p.size() || p[i + 1] == u'/';
    if (c == 0) return false;
    if (c == u'/' && p[i - 1] == u'/') return false;
    if (c == u'.' && ends) {
      if (p[i - 1] == u'/') return false;
      if (p[i - 1] == u'.' && p[i - 2] == u'/') return false;
    }
    if (c <= 0x1f || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0) return false;
  }
  return true;
}

bool IsPathToCreate(absl::string_view path, bool sequential) {
  return sequential ? IsPath(absl::StrCat(path, "0000000000")) : IsPath(path);
}

}  // namespace drover::oracle
