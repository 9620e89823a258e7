// drover-bench-tasks: measures masters and workers on processes of its own. See ../README.md.
//
// Exit codes: 0 measured; 1 it could not be measured; 2 usage.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/process/options.h"
#include "tests/bench/statistics.h"
#include "tests/bench/table.h"
#include "tests/bench/tasks/backlog.h"
#include "tests/bench/tasks/decisions.h"
#include "tests/bench/tasks/failover.h"

namespace drover::bench::tasks {
namespace {

constexpr int kUsage = 2;

struct Flags {
  std::string what = "all";
  FailoverOptions failover;
  std::size_t tasks = 1'000'000;
  DecisionsOptions decisions;
};

void Progress(absl::string_view line) {
  std::cerr << std::string(line) << std::endl;
}

std::string MiB(std::uint64_t bytes) {
  return absl::StrFormat("%.0f", static_cast<double>(bytes) / (1 << 20));
}

void Failover(const Flags& flags) {
  std::vector<std::vector<std::string>> rows;
  for (const NamedWhat& named : AllWhats()) {
    if (flags.what != "all" && flags.what != named.name) continue;
    Progress(named.sentence);
    const Summary seconds = Summarize(MeasureFailover(named.what, flags.failover, Progress));
    rows.push_back({named.name, absl::StrCat(flags.failover.runs), absl::StrFormat("%.3f", seconds.median),
                    absl::StrFormat("%.3f", seconds.max), absl::StrFormat("%.3f", seconds.min)});
  }
  std::cout << "3 coordination nodes, 3 masters, 4 workers; " << flags.failover.live
            << " tasks wait while a master or a node is killed. Seconds.\n\n"
            << Table({"WHAT", "RUNS", "MEDIAN", "WORST", "BEST"}, rows, 1);
  for (const NamedWhat& named : AllWhats()) {
    if (flags.what == "all" || flags.what == named.name) std::cout << named.name << ": " << named.sentence << "\n";
  }
}

void Decisions(const Flags& flags) {
  std::vector<std::vector<std::string>> rows;
  double first = 0;
  for (const std::size_t waiting : {std::size_t{1'000}, std::size_t{100'000}, std::size_t{1'000'000}}) {
    DecisionsOptions options = flags.decisions;
    options.waiting = waiting;
    const DecisionsReport report = MeasureDecisions(options);
    if (first == 0) first = report.p50_us;
    rows.push_back({absl::StrCat(waiting), absl::StrFormat("%.2f", report.p50_us), absl::StrFormat("%.2f", report.p99_us),
                    absl::StrFormat("%.2f", report.p50_us / first), absl::StrFormat("%.1f", report.steps),
                    absl::StrFormat("%.0f", report.bytes)});
  }
  std::cout << flags.decisions.workers << " workers of " << flags.decisions.slots
            << " slots, all taken; a task ends, the next one is "
            << "placed: " << flags.decisions.decisions << " decisions. Microseconds.\n\n"
            << Table({"WAITING", "P50", "P99", "P50 X", "STEPS", "BYTES/TASK"}, rows, 0);
}

void Backlog(const Flags& flags) {
  const BacklogReport report = MeasureBacklog(flags.tasks, Progress);
  const auto each = [&](std::uint64_t full, std::uint64_t empty) {
    return absl::StrFormat("%.0f", (static_cast<double>(full) - static_cast<double>(empty)) / static_cast<double>(flags.tasks));
  };
  std::cout << flags.tasks << " tasks wait; 3 coordination nodes, 2 masters. Resident MiB, and bytes a task.\n\n"
            << Table({"PROCESS", "EMPTY", "FULL", "BYTES/TASK"},
                     {{"master", MiB(report.master_empty), MiB(report.master_full), each(report.master_full, report.master_empty)},
                      {"standby", MiB(report.standby_empty), MiB(report.standby_full),
                       each(report.standby_full, report.standby_empty)},
                      {"node", MiB(report.node_empty), MiB(report.node_full), each(report.node_full, report.node_empty)}},
                     1)
            << "\n"
            << Table({"SUBMITTED/S", "RUN MS", "TAKE-OVER S"},
                     {{absl::StrFormat("%.0f", static_cast<double>(flags.tasks) / report.submit_s),
                       absl::StrFormat("%.1f", report.run_ms), absl::StrFormat("%.2f", report.take_over_s)}},
                     0)
            << "RUN: submit to result of `true`, median of 20, beside those that wait. TAKE-OVER: the same, from the elected "
               "master's death.\n";
}

int Main(const std::vector<std::string>& args) {
  Flags flags;
  process::OptionSet options("drover-bench-tasks", "Measures masters and workers on processes of its own.");
  process::OptionSet& failover = options.Command("failover", "How long work stands still when something fails");
  std::vector<std::string> whats = {"all"};
  for (const NamedWhat& named : AllWhats()) whats.emplace_back(named.name);
  failover.Choice("--what", &flags.what, whats, "What is done");
  failover.Number("--runs", &flags.failover.runs, "How often", 1, 10'000);
  failover.Number("--live", &flags.failover.live, "Tasks that wait while a master or a node is killed", 0, 10'000'000);
  process::OptionSet& scheduler = options.Command("scheduler", "What a decision costs while few and many tasks wait");
  scheduler.Number("--decisions", &flags.decisions.decisions, "Decisions that are measured", 1, 100'000'000);
  scheduler.Number("--workers", &flags.decisions.workers, "Workers", 1, 100'000);
  process::OptionSet& backlog = options.Command("backlog", "A million tasks that wait: memory, rate, take-over");
  backlog.Number("--tasks", &flags.tasks, "How many", 1, 50'000'000);
  bool done = false;
  const absl::Status parsed = options.ParseFrom(
      args, [](const std::string&) { return std::nullopt; }, std::cout, &done);
  if (!parsed.ok() || (!done && !failover.chosen() && !scheduler.chosen() && !backlog.chosen())) {
    std::cerr << "drover-bench-tasks: " << (parsed.ok() ? "give a command" : std::string(parsed.message()))
              << " (see drover-bench-tasks --help)" << std::endl;
    return kUsage;
  }
  if (done) return EXIT_SUCCESS;
  if (failover.chosen()) Failover(flags);
  if (scheduler.chosen()) Decisions(flags);
  if (backlog.chosen()) Backlog(flags);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace drover::bench::tasks

int main(int argc, char** argv) {
  try {
    return drover::bench::tasks::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "drover-bench-tasks: " << error.what() << std::endl;
    return EXIT_FAILURE;
  }
}
