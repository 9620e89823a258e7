// drover-oracle: random operations on a real ZooKeeper and a real drover-coord, every answer compared; see README.md.
//
// Exit codes: 0 nothing differed; 1 something did, or a server could not be started; 2 usage.
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "coord/process/options.h"
#include "tests/oracle/pair.h"
#include "tests/oracle/report.h"

namespace drover::oracle {
namespace {

int Main(int argc, char** argv) {
  RunOptions run;
  run.operations = 10'000;
  int minutes = 0;
  process::OptionSet options("drover-oracle", "Random operations on ZooKeeper and on drover-coord; every answer is compared.");
  options.Number("--seed", &run.seed, "Of the first run");
  options.Number("--operations", &run.operations, "Of a run; each run has servers of its own", std::uint64_t{1});
  options.Number("--sessions", &run.sessions, "That act by turns", 1, 100);
  options.Number("--minutes", &minutes, "Go on with the next seeds for so long", 0, 100'000);
  if (const std::optional<int> code = options.Parse(argc, argv)) return *code;

  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  RunResult sum;
  const std::uint64_t first = run.seed;
  do {
    const absl::StatusOr<RunResult> result = RunOnFreshPair(run);
    if (!result.ok()) {
      std::cerr << "drover-oracle: " << std::string(result.status().message()) << std::endl;
      return EXIT_FAILURE;
    }
    std::cout << Line(run, *result) << std::endl;
    sum.Add(*result);
    ++run.seed;
  } while (sum.fault.empty() && std::chrono::steady_clock::now() < end);
  std::cout << Report(sum);
  if (sum.fault.empty()) {
    std::cout << "seeds " << first << " to " << run.seed - 1 << ": nothing differed" << std::endl;
    return EXIT_SUCCESS;
  }
  --run.seed;
  std::cout << "DIFFERENCE: " << sum.fault << "again: " << Again(run) << std::endl;
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace drover::oracle

int main(int argc, char** argv) {
  try {
    return drover::oracle::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "drover-oracle: " << error.what() << std::endl;
    return EXIT_FAILURE;
  }
}
