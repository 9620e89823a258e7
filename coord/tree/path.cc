#include "coord/tree/path.h"

#include <algorithm>
#include <cstdint>

#include "coord/base/wire.h"

namespace drover::coord::tree {
namespace {

// What ZooKeeper refuses in names, of characters that UTF-8 writes in more than one byte. `at` is at the first byte of one.
bool IsRefusedCharacter(const char* at) {
  const auto b0 = static_cast<unsigned char>(at[0]);
  const auto b1 = static_cast<unsigned char>(at[1]);
  if (b0 < 0xe0) {
    const std::uint32_t c = (b0 & 0x1fu) << 6 | (b1 & 0x3fu);
    return c <= 0x9f;  // U+0080-009F
  }
  if (b0 >= 0xf0) return true;  // beyond U+FFFF: in Java two surrogates
  const auto b2 = static_cast<unsigned char>(at[2]);
  const std::uint32_t c = (b0 & 0x0fu) << 12 | (b1 & 0x3fu) << 6 | (b2 & 0x3fu);
  return (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0;
}

constexpr char kNotAbsolute[] = "a path begins with \"/\"";
constexpr char kEmptyName[] = "a path has no empty names: no \"//\", and no \"/\" at its end";
constexpr char kDots[] = "\".\" and \"..\" are no names in a path";
constexpr char kControl[] = "a path has no control characters";
constexpr char kNotUtf8[] = "a path is UTF-8";
constexpr char kRefusedCharacter[] = "a path has no characters of U+0080-009F, U+D800-F8FF, or U+FFF0 and above";

// What is wrong with the components behind a leading "/": none of them may be empty, "." or ".."; but an open last one, which goes
// on, may still be any of them.
const char* ComponentsFault(absl::string_view rest, bool last_is_open) {
  bool ascii = true;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= rest.size(); ++i) {
    if (i == rest.size() || rest[i] == '/') {
      const absl::string_view name = rest.substr(begin, i - begin);
      const bool open = last_is_open && i == rest.size();
      if (!open && name.empty()) return kEmptyName;
      if (!open && (name == "." || name == "..")) return kDots;
      begin = i + 1;
      continue;
    }
    const auto c = static_cast<unsigned char>(rest[i]);
    if (c < 0x20 || c == 0x7f) return kControl;
    ascii &= c < 0x80;
  }
  if (ascii) return nullptr;
  if (!base::IsUtf8(rest)) return kNotUtf8;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (static_cast<unsigned char>(rest[i]) >= 0xc0 && IsRefusedCharacter(rest.data() + i)) return kRefusedCharacter;
  }
  return nullptr;
}

}  // namespace

const char* PathFault(absl::string_view path) {
  if (path.empty() || path[0] != '/') return kNotAbsolute;
  return path.size() == 1 ? nullptr : ComponentsFault(path.substr(1), false);
}

const char* SequentialPathFault(absl::string_view path) {
  if (path.empty() || path[0] != '/') return kNotAbsolute;
  return ComponentsFault(path.substr(1), true);
}

absl::string_view ParentOf(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

absl::string_view NameOf(absl::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool IsAtOrBelow(absl::string_view path, absl::string_view root) {
  if (root.size() == 1) return true;
  if (path.size() < root.size() || path.substr(0, root.size()) != root) return false;
  return path.size() == root.size() || path[root.size()] == '/';
}

int ComparePaths(absl::string_view a, absl::string_view b) {
  if (a.size() == 1 || b.size() == 1) return static_cast<int>(a.size() != 1) - static_cast<int>(b.size() != 1);
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a[i] == b[i]) continue;
    // A "/" ends a component, and what ends comes before what goes on.
    if (a[i] == '/') return -1;
    if (b[i] == '/') return 1;
    return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]) ? -1 : 1;
  }
  return static_cast<int>(a.size() > common) - static_cast<int>(b.size() > common);
}

bool NextComponent(absl::string_view* rest, absl::string_view* component) {
  if (rest->empty()) return false;
  const std::size_t slash = rest->find('/');
  *component = rest->substr(0, slash);
  rest->remove_prefix(slash == absl::string_view::npos ? rest->size() : slash + 1);
  return true;
}

}  // namespace drover::coord::tree
