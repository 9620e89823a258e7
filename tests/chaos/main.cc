// drover-chaos: real coordination nodes under random faults for as long as one likes; see README.md. Run it through tests/soak, or
// under unshare --mount --map-root-user.
//
// Exit codes: 0 nothing was wrong; 1 something was; 2 usage.
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/process/options.h"
#include "tests/chaos/arena.h"
#include "tests/chaos/round.h"

namespace drover::chaos {
namespace {

constexpr int kUsage = 2;
// Small, so that segments end, snapshots are taken and logs compacted within a round.
const std::vector<std::string> kCoordFlags = {"--snapshot-bytes", "131072", "--segment-bytes", "65536"};

struct Flags {
  base::Duration duration = std::chrono::minutes(1);
  int minutes = 0;  // instead
  int nodes = 3;
  int clients = 8;
  std::uint64_t seed = 0;  // 0: one at random
  base::Duration round = std::chrono::seconds(30);
};

struct Sum {
  int rounds = 0;
  std::size_t faults = 0;
  std::size_t operations = 0;
  std::size_t unknown = 0;
  std::size_t events = 0;
  std::size_t deliveries = 0;
  std::size_t strikes = 0;
};

absl::Status HoldRounds(const Flags& flags, Sum* sum) {
  Arena arena(flags.nodes, kCoordFlags);
  const auto end = std::chrono::steady_clock::now() + flags.duration;
  while (std::chrono::steady_clock::now() < end) {
    RoundOptions options;
    options.number = ++sum->rounds;
    options.clients = flags.clients;
    options.plan.seed = flags.seed + static_cast<std::uint64_t>(sum->rounds) - 1;
    options.plan.nodes = flags.nodes;
    options.plan.length = std::chrono::duration_cast<std::chrono::milliseconds>(flags.round);
    std::cout << "round " << options.number << ", seed " << options.plan.seed << std::endl;
    const absl::StatusOr<Verdict> verdict = HoldRound(&arena, options, [sum](const std::string& line) {
      ++sum->strikes;
      std::cout << "  " << line << std::endl;
    });
    if (!verdict.ok()) return verdict.status();
    for (const std::string& fault : verdict->faults) std::cout << "  FAULT: " << fault << std::endl;
    std::cout << "  " << verdict->operations << " operations, " << verdict->unknown << " of unknown outcome, in "
              << verdict->sessions << " sessions; " << verdict->deliveries << " events told, " << verdict->events << " in the log"
              << std::endl;
    sum->faults += verdict->faults.size();
    sum->operations += verdict->operations;
    sum->unknown += verdict->unknown;
    sum->events += verdict->events;
    sum->deliveries += verdict->deliveries;
  }
  std::cout << "snapshots taken " << arena.Metric("drover_coord_snapshots_taken_total") << ", installed "
            << arena.Metric("drover_coord_snapshots_installed_total") << " by the processes that run now" << std::endl;
  return absl::OkStatus();
}

int Main(const std::vector<std::string>& args) {
  Flags flags;
  process::OptionSet options("drover-chaos", "Real coordination nodes under random faults; what their clients saw is judged.");
  options.Time("--duration", &flags.duration, "How long");
  options.Number("--minutes", &flags.minutes, "How long, in minutes, instead", 0, 100'000);
  options.Number("--nodes", &flags.nodes, "Coordination nodes", 3, 9);
  options.Number("--clients", &flags.clients, "Clients that call", 1, 100);
  options.Number("--seed", &flags.seed, "Of the first round's faults and calls; the next round has the next one; 0: at random");
  options.Time("--round", &flags.round, "How long the faults of a round last");
  bool done = false;
  const absl::Status parsed = options.ParseFrom(
      args, [](const std::string&) { return std::nullopt; }, std::cout, &done);
  if (!parsed.ok()) {
    std::cerr << "drover-chaos: " << std::string(parsed.message()) << " (see drover-chaos --help)" << std::endl;
    return kUsage;
  }
  if (done) return EXIT_SUCCESS;
  if (flags.minutes > 0) flags.duration = std::chrono::minutes(flags.minutes);
  while (flags.seed == 0) flags.seed = std::random_device()();

  Sum sum;
  const absl::Status status = HoldRounds(flags, &sum);
  if (!status.ok()) std::cout << "  FAULT: " << status.ToString() << std::endl;
  if (!status.ok()) ++sum.faults;
  std::cout << sum.rounds << " rounds with " << flags.nodes << " nodes from seed " << flags.seed << ": " << sum.strikes
            << " strikes, " << sum.operations << " operations, " << sum.deliveries << " events told; " << sum.faults << " faults"
            << std::endl;
  return sum.faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace drover::chaos

int main(int argc, char** argv) {
  try {
    return drover::chaos::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cout << "  FAULT: " << error.what() << std::endl;
    return EXIT_FAILURE;
  }
}
