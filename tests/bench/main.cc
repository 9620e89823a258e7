// drover-bench: measures the coordination core on processes of its own, and other systems beside it. See README.md.
//
// Exit codes: 0 measured; 1 it could not be measured, or was interrupted; 2 usage.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/coord_bench.h"
#include "tests/bench/failover_bench.h"
#include "tests/bench/flags.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/report.h"
#include "tests/bench/scale/bench.h"
#include "tests/bench/steady_bench.h"
#include "tests/bench/watch_bench.h"
#include "tests/support/process.h"

namespace drover::bench {
namespace {

constexpr int kUsage = 2;

absl::StatusOr<std::string> Measure(const Flags& flags) {
  const testing::TemporaryDirectory directory(flags.data);
  // To standard error, where it disturbs no reader of the result.
  const auto progress = [](absl::string_view line) { std::cerr << std::string(line) << std::endl; };
  if (flags.command == Command::kCoord) {
    const absl::StatusOr<CoordReport> report = RunCoordBench(flags, directory.path(), progress);
    if (!report.ok()) return report.status();
    return flags.json ? CoordJson(flags, *report) : CoordText(flags, *report);
  }
  if (flags.command == Command::kSteady) {
    const absl::StatusOr<SteadyReport> report = RunSteadyBench(flags, directory.path(), progress);
    if (!report.ok()) return report.status();
    return flags.json ? SteadyJson(flags, *report) : SteadyText(flags, *report);
  }
  if (flags.command == Command::kScale) {
    const absl::StatusOr<ScaleReport> report = RunScaleBench(flags, directory.path(), progress);
    if (!report.ok()) return report.status();
    return flags.json ? ScaleJson(flags, *report) : ScaleText(flags, *report);
  }
  if (flags.command == Command::kWatches) {
    const absl::StatusOr<WatchReport> report = RunWatchBench(flags, directory.path(), progress);
    if (!report.ok()) return report.status();
    return flags.json ? WatchJson(flags, *report) : WatchText(flags, *report);
  }
  const absl::StatusOr<FailoverReport> report = RunFailoverBench(flags, directory.path(), progress);
  if (!report.ok()) return report.status();
  return flags.json ? FailoverJson(flags, *report) : FailoverText(flags, *report);
}

int Main(const std::vector<std::string>& args) {
  Flags flags;
  bool done = false;
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  if (const absl::Status status = ParseFlags(args, environment, std::cout, &flags, &done); !status.ok()) {
    std::cerr << "drover-bench: " << std::string(status.message()) << " (see drover-bench --help)" << std::endl;
    return kUsage;
  }
  if (done) return EXIT_SUCCESS;
  WatchInterrupts();
  const absl::StatusOr<std::string> result = Measure(flags);
  if (!result.ok()) {
    std::cerr << "drover-bench: " << std::string(result.status().message()) << std::endl;
    return EXIT_FAILURE;
  }
  std::cout << *result << std::flush;
  return std::cout.good() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace drover::bench

int main(int argc, char** argv) {
  try {
    return drover::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {  // of the processes' harness: a fork, a port or a directory that cannot be had
    std::fprintf(stderr, "drover-bench: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
