#include "coord/process/version.h"

#include "absl/strings/str_cat.h"

namespace drover::process {

const char* Version() {
  return DROVER_VERSION;
}
const char* Commit() {
  return DROVER_COMMIT;
}
const char* BuildType() {
  return DROVER_BUILD_TYPE;
}

std::string VersionLine(const std::string& program) {
  return absl::StrCat(program, " ", Version(), " (commit ", Commit(), ", ", BuildType(), ", wire ", kWireVersion, ", disk ",
                      kDiskVersion, ")");
}

}  // namespace drover::process
