// coord/process: configuration files and the values of flags.
#include <cstdint>
#include <string>

#include "absl/strings/str_split.h"
#include "coord/base/check.h"
#include "coord/process/config_file.h"
#include "coord/process/options.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

void CheckFile(absl::string_view text) {
  absl::StatusOr<std::vector<process::ConfigLine>> lines;
  {
    const AllocationBound bound(text.size(), 1024);
    lines = process::ParseConfig(text);
  }
  if (!lines.ok()) {
    DROVER_CHECK(absl::IsInvalidArgument(lines.status()));
    return CheckRefusal(lines.status());
  }
  // Written in double quotes it reads the same.
  std::string again;
  for (const process::ConfigLine& line : *lines) {
    DROVER_CHECK(!line.key.empty() && line.line >= 1);
    again += line.key + " = [";
    for (const std::string& value : line.values) {
      again += "\"";
      for (const char c : value) {
        if (c == '"' || c == '\\') again += '\\';
        again += c == '\n' ? std::string("\\n") : std::string(1, c);
      }
      again += "\", ";
    }
    again += "]\n";
  }
  const auto read = process::ParseConfig(again);
  DROVER_CHECK(read.ok()) << read.status().ToString();
  DROVER_CHECK(read->size() == lines->size());
  for (std::size_t i = 0; i < lines->size(); ++i) {
    DROVER_CHECK((*read)[i].key == (*lines)[i].key && (*read)[i].values == (*lines)[i].values);
  }
}

void CheckValues(absl::string_view text) {
  const absl::StatusOr<base::Duration> duration = process::ParseDuration(text);
  if (duration.ok()) {
    DROVER_CHECK(*duration >= base::Duration{0} && *duration <= process::kDurationMax);
    const auto again = process::ParseDuration(process::FormatDuration(*duration));
    DROVER_CHECK(again.ok() && *again == *duration) << process::FormatDuration(*duration);
  } else {
    CheckRefusal(duration.status());
  }
  const auto addresses = process::ParseAddressList(text);
  if (!addresses.ok()) CheckRefusal(addresses.status());
  const auto pair = process::ParseKeyValue(text);
  if (pair.ok()) {
    DROVER_CHECK(pair->first + "=" + pair->second == text && !pair->first.empty());
  } else {
    CheckRefusal(pair.status());
  }
  const absl::Status loopback = process::RequireLoopback(text, false);
  if (!loopback.ok()) CheckRefusal(loopback);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const absl::string_view text = ViewOf(data, size);
  CheckFile(text);
  CheckValues(text);
  return 0;
}
