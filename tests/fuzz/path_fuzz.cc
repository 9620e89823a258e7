// coord/tree/path.h and coord/client/chroot.h: paths, their order, and those of a session that sees a part of the tree.
//
// An input is two paths: a piece (input.h) and the rest.
#include <cstdint>
#include <string>

#include "coord/base/check.h"
#include "coord/base/wire.h"
#include "coord/client/chroot.h"
#include "coord/tree/path.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::tree;  // NOLINT

int Sign(int order) {
  return (order > 0) - (order < 0);
}

void CheckOne(absl::string_view path) {
  const char* const fault = PathFault(path);
  DROVER_CHECK(fault == nullptr || *fault != '\0');
  DROVER_CHECK(SequentialPathFault(path) != nullptr || IsPath(std::string(path) + "0000000001"));
  if (fault != nullptr) return;
  DROVER_CHECK(IsSequentialPath(path) || path == "/");
  DROVER_CHECK(base::IsUtf8(path));
  DROVER_CHECK(IsAtOrBelow(path, "/") && IsAtOrBelow(path, path) && ComparePaths(path, path) == 0);
  std::string joined;
  absl::string_view rest = path.substr(1), name;
  while (NextComponent(&rest, &name)) {
    DROVER_CHECK(!name.empty() && name.find('/') == absl::string_view::npos);
    joined.append("/").append(name.data(), name.size());
  }
  DROVER_CHECK(joined == (path == "/" ? "" : path));
  if (path == "/") return;
  DROVER_CHECK(IsPath(ParentOf(path)) && IsAtOrBelow(path, ParentOf(path)) && !IsAtOrBelow(ParentOf(path), path));
  DROVER_CHECK(ComparePaths(ParentOf(path), path) < 0);
  const std::string parent(ParentOf(path));
  DROVER_CHECK((parent == "/" ? parent : parent + "/") + std::string(NameOf(path)) == path);
}

void CheckTwo(absl::string_view a, absl::string_view b) {
  DROVER_CHECK(Sign(ComparePaths(a, b)) == -Sign(ComparePaths(b, a)));
  DROVER_CHECK((ComparePaths(a, b) == 0) == (a == b));
  if (IsAtOrBelow(a, b) && a != b) DROVER_CHECK(ComparePaths(a, b) > 0);
  // A session below `a` names `b`, and gets it back.
  const coord::client::Chroot chroot{std::string(a)};
  std::string path = chroot.In(std::string(b));
  DROVER_CHECK(IsPath(path) && IsAtOrBelow(path, a));
  chroot.Out(&path);
  DROVER_CHECK(path == b);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  const absl::string_view a = input.Piece();
  const absl::string_view b = input.Rest();
  CheckOne(a);
  CheckOne(b);
  if (IsPath(a) && IsPath(b)) CheckTwo(a, b);
  std::string any(b);
  drover::coord::client::Chroot{std::string(a)}.Out(&any);
  return 0;
}
