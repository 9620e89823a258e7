// What a process takes of the machine's memory, as the kernel counts it.
#ifndef DROVER_TESTS_BENCH_PROCESS_MEMORY_H_
#define DROVER_TESTS_BENCH_PROCESS_MEMORY_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::bench {

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;   // VmRSS
  std::uint64_t anonymous_bytes = 0;  // of these, not of a file: RssAnon
  std::uint64_t peak_bytes = 0;       // the most that was resident since the start or the last ForgetPeak: VmHWM

  friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};

// From the text of /proc/PID/status. Pure. DATA_LOSS: it has no such lines (a zombie has none).
[[nodiscard]] absl::StatusOr<ProcessMemory> ParseProcessStatus(absl::string_view text);

// Of a process of the same user. NOT_FOUND: there is none.
[[nodiscard]] absl::StatusOr<ProcessMemory> ReadProcessMemory(pid_t pid);
// The peak begins anew with what is resident now.
absl::Status ForgetPeak(pid_t pid);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_PROCESS_MEMORY_H_
