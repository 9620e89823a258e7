// coord/server/log_command.h: what `drover-coord log dump` and `log verify` say of a directory, in each of their formats.
//
// An input: directory_input.h.
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "coord/base/check.h"
#include "coord/server/log_command.h"
#include "nlohmann/json.hpp"
#include "tests/fuzz/directory_input.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::server;  // NOLINT

void CheckJson(LogFormat format, const std::string& text) {
  if (format == LogFormat::kJson) DROVER_CHECK(nlohmann::json::accept(text)) << text;
  if (format != LogFormat::kJsonl) return;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    DROVER_CHECK(nlohmann::json::accept(line.begin(), line.end())) << text;
  }
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  drover::sim::SimFileSystem files(1);
  FillDirectory(Input(data, size), &files);
  std::vector<int> verified, dumped;
  for (const LogFormat format : {LogFormat::kTable, LogFormat::kJson, LogFormat::kJsonl}) {
    std::ostringstream out, err, dump, dump_err;
    verified.push_back(VerifyLog(&files, "data", format, out, err));
    DROVER_CHECK((verified.back() == 0) == err.str().empty());
    CheckJson(format, out.str());
    dumped.push_back(DumpLog(&files, "data", format, dump, dump_err));
    DROVER_CHECK(dumped.back() == 0 || !dump_err.str().empty());  // notes go there, too
    CheckJson(format, dump.str());
    DROVER_CHECK(verified.back() == verified.front() && dumped.back() == dumped.front());
  }
  return 0;
}
