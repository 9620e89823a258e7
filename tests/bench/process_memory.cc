#include "tests/bench/process_memory.h"

#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/support/process.h"

namespace drover::bench {
namespace {

// "VmRSS:	  123 kB".
bool TakeKilobytes(absl::string_view line, absl::string_view name, std::uint64_t* bytes) {
  std::uint64_t kilobytes = 0;
  if (!absl::ConsumePrefix(&line, name) || !absl::ConsumePrefix(&line, ":") || !absl::ConsumeSuffix(&line, "kB")) return false;
  if (!absl::SimpleAtoi(line, &kilobytes)) return false;
  *bytes = kilobytes * 1024;
  return true;
}

}  // namespace

absl::StatusOr<ProcessMemory> ParseProcessStatus(absl::string_view text) {
  ProcessMemory memory;
  int found = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (TakeKilobytes(line, "VmRSS", &memory.resident_bytes) || TakeKilobytes(line, "RssAnon", &memory.anonymous_bytes) ||
        TakeKilobytes(line, "VmHWM", &memory.peak_bytes)) {
      ++found;
    }
  }
  if (found != 3) return absl::DataLossError("the process's status does not tell its memory");
  return memory;
}

absl::StatusOr<ProcessMemory> ReadProcessMemory(pid_t pid) {
  const std::string text = testing::ReadFile(absl::StrCat("/proc/", pid, "/status"));
  if (text.empty()) return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  return ParseProcessStatus(text);
}

absl::Status ForgetPeak(pid_t pid) {
  std::ofstream file(absl::StrCat("/proc/", pid, "/clear_refs"));
  file << "5" << std::flush;  // proc(5)
  return file.good() ? absl::OkStatus() : absl::InternalError(absl::StrCat("the peak of process ", pid, " cannot be reset"));
}

}  // namespace drover::bench
