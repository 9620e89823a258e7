#include "tests/support/installed.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::testing {

std::string FindProgram(const std::string& program) {
  const char* const path = std::getenv("PATH");
  const std::string places = absl::StrCat(path == nullptr ? "" : path, ":/usr/sbin");
  for (const absl::string_view place : absl::StrSplit(places, ':', absl::SkipEmpty())) {
    std::string candidate = absl::StrCat(place, "/", program);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

absl::Status NotInstalled(const std::string& what, const std::string& package) {
  return absl::FailedPreconditionError(absl::StrCat(what, " is not there: deploy/install-packages peers (or apt-get install ",
                                                    package, "); it need not run as a service"));
}

}  // namespace drover::testing
