#include "client/cli/node_path.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace drover::cli {

std::string ResolvePath(absl::string_view at, absl::string_view typed) {
  const std::string whole = absl::StartsWith(typed, "/") ? std::string(typed) : absl::StrCat(at, "/", typed);
  std::vector<absl::string_view> names;
  for (const absl::string_view name : absl::StrSplit(whole, '/')) {
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  return absl::StrCat("/", absl::StrJoin(names, "/"));
}

}  // namespace drover::cli
