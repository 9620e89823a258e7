#include "drover/coord/types.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "coord/base/password_digest.h"

namespace drover::coord {

std::string PasswordDigest(absl::string_view user, absl::string_view password) {
  return base::PasswordDigest(absl::StrCat(user, ":", password)).value_or("");
}

bool PathLess(absl::string_view a, absl::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a[i] == b[i]) continue;
    // A separator ends a component, and a shorter component comes before any longer one.
    if (a[i] == '/') return true;
    if (b[i] == '/') return false;
    return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
  }
  return a.size() < b.size();
}

bool PathCovers(absl::string_view root, absl::string_view path) {
  if (root == "/") return true;
  if (path.size() < root.size() || path.substr(0, root.size()) != root) return false;
  return path.size() == root.size() || path[root.size()] == '/';
}

}  // namespace drover::coord
