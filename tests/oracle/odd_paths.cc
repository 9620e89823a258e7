#include "tests/oracle/odd_paths.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace drover::oracle {
namespace {

using std::string_literals::operator""s;

const std::string kAlone[] = {""s, "a"s, "a/b"s, "."s, ".."s, "//"s, "//a"s, "/a/"s, "/a//b"s, "/./a"s, "/../a"s, "\\a"s, " /a"s};

const std::string kNames[] = {
    // What looks like a way to go.
    ""s,
    "."s,
    ".."s,
    "..."s,
    ".a"s,
    "a."s,
    "..a"s,
    "a.."s,
    "./a"s,
    "../a"s,
    "a/."s,
    "a/.."s,
    "a/"s,
    "/a"s,
    "a//b"s,
    // Control characters, and their neighbours.
    "\0"s,
    "a\0b"s,
    "\x01"s,
    "\x1f"s,
    "\x20"s,
    "~"s,
    "\x7f"s,
    "\xc2\x80"s,
    "\xc2\x9f"s,
    "\xc2\xa0"s,
    // Letters of two, three and four bytes.
    "\xc3\xa9"s,
    "\xe6\x97\xa5\xe6\x9c\xac"s,
    "\xf0\x9f\x98\x80"s,
    "\xf4\x8f\xbf\xbf"s,
    // U+D7FF, U+E000, U+F8FF, U+F900, U+FFEF, U+FFF0, U+FFFD, U+FFFF.
    "\xed\x9f\xbf"s,
    "\xee\x80\x80"s,
    "\xef\xa3\xbf"s,
    "\xef\xa4\x80"s,
    "\xef\xbf\xaf"s,
    "\xef\xbf\xb0"s,
    "\xef\xbf\xbd"s,
    "\xef\xbf\xbf"s,
    // No UTF-8: a surrogate, too long a form, cut off, a lone second byte, bytes that never are.
    "\xed\xa0\x80"s,
    "\xc0\x80"s,
    "\xc1\xbf"s,
    "\xe0\x80\xaf"s,
    "\xe2\x82"s,
    "\x80"s,
    "\xff"s,
    "\xf8\x88\x80\x80\x80"s,
};

constexpr std::size_t kLong[] = {255, 256, 1000, 3000};
constexpr std::size_t kOverLimit = 5'000;
constexpr std::size_t kLongBelow = 64;  // a longer parent has no long children, so that no other path comes near our limit (4,096)

}  // namespace

std::string OddPath(const std::string& parent, base::Random* random) {
  if (random->Below(5) == 0) return kAlone[random->Below(std::size(kAlone))];
  const std::string above = parent == "/" ? parent : absl::StrCat(parent, "/");
  if (random->Below(12) == 0 && parent.size() <= kLongBelow)
    return absl::StrCat(above, std::string(kLong[random->Below(std::size(kLong))], 'l'));
  // Over our limit, and below a node that nobody makes: a server without that limit must not take it either.
  if (random->Below(30) == 0) return absl::StrCat("/", std::string(kOverLimit / 2, 'm'), "/", std::string(kOverLimit / 2, 'm'));
  std::string path = absl::StrCat(above, kNames[random->Below(std::size(kNames))]);
  if (random->Below(4) == 0) path += "/x";
  return path;
}

}  // namespace drover::oracle
