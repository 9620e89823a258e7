// drover-sim: runs coordination nodes and their clients in a simulated world (README.md).
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/sim/run/hooks.h"
#include "tests/sim/run/range.h"
#include "tests/sim/run/simulation.h"

namespace drover::sim::run {
namespace {

constexpr std::uint64_t kBreakageSeeds = 300;

struct Arguments {
  std::optional<std::uint64_t> seed;
  std::uint64_t first = 1, last = 0;
  std::uint64_t commit_seeds = 0;
  double minutes = 0;
  int jobs = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  bool trace = false;
  bool repeat = false;
  std::string breakage;
};

// "A-B", or "A".
std::string ParseSeeds(const std::string& text, Arguments* out) {
  const std::vector<std::string> ends = absl::StrSplit(text, absl::MaxSplits('-', 1));
  if (!absl::SimpleAtoi(ends.front(), &out->first) || !absl::SimpleAtoi(ends.back(), &out->last) || out->first > out->last ||
      out->last == 0) {
    return absl::StrCat("'", text, "' is not A-B, e.g. 1-2000");
  }
  return "";
}

// The parser takes a number that is too large for the largest there is.
std::string IsSeed(const std::string& text) {
  std::uint64_t seed = 0;
  return absl::SimpleAtoi(text, &seed) ? "" : absl::StrCat("'", text, "' is not a seed: 0 to ", UINT64_MAX);
}

std::string KnownBreakage(const std::string& name) {
  for (const Breakage& breakage : Breakages()) {
    if (name == breakage.name || name == "list") return "";
  }
  if (Breakages().empty()) return "a build with sanitizers has no breakages: take that of another preset";
  return absl::StrCat("there is no breakage '", name, "'; --break list names them");
}

// 0: go on; else, or if help was asked for, the exit code is in `code`.
bool Parse(int argc, char** argv, Arguments* out, int* code) {
  CLI::App app(
      "Runs coordination nodes and their clients in a simulated world, with faults at random, and judges what came of it.");
  app.footer(
      "A range ends with the line 'N passed, M failed'.\n"
      "Exit codes: 0 all passed (with --break: not caught); 1 some failed (caught); 2 usage.");
  CLI::Option* seed = app.add_option("--seed", out->seed, "one run, in this process")->check(IsSeed);
  CLI::Option* seeds = app.add_option_function<std::string>(
                              "--seeds", [](const std::string&) {}, "a range of runs, each in a process of its own")
                           ->type_name("A-B")
                           ->check([out](const std::string& text) { return ParseSeeds(text, out); })
                           ->excludes(seed);
  CLI::Option* minutes = app.add_option("--minutes", out->minutes, "as many runs as there is time for")
                             ->check(CLI::PositiveNumber)
                             ->excludes(seed, seeds);
  app.add_option("--from", out->first, "with --minutes: the first seed")->check(IsSeed)->needs(minutes);
  app.add_option("--commit-seeds", out->commit_seeds, "so many runs, of seeds that depend on the commit it was built from")
      ->check(CLI::Range(1, 1'000'000))
      ->excludes(seed, seeds, minutes);
  app.add_option("--jobs", out->jobs, "runs at once; by default one for each core")->check(CLI::Range(1, 1'000));
  app.add_flag("--trace", out->trace, "with --seed: prints each step")->needs(seed);
  app.add_flag("--repeat", out->repeat, "runs each seed twice and compares the digests")->excludes(seed);
  app.add_option(
         "--break", out->breakage,
         absl::StrCat("does one thing wrong, until that is caught, by default in seeds 1-", kBreakageSeeds, "; 'list' names them"))
      ->check(KnownBreakage);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    *code = app.exit(error) == 0 ? 0 : 2;
    return false;
  }
  if (!out->seed && out->last == 0 && out->minutes == 0 && out->commit_seeds == 0 && out->breakage.empty()) {
    std::fputs(app.help().c_str(), stderr);
    *code = 2;
    return false;
  }
  return true;
}

int ListBreakages() {
  for (const Breakage& breakage : Breakages()) std::printf("%-28s %s\n", breakage.name, breakage.words);
  return 0;
}

int RunOne(const Arguments& arguments) {
  const Plan plan = MakePlan(*arguments.seed);
  std::printf("seed %llu, commit %s: %s\n", static_cast<unsigned long long>(plan.seed), DROVER_COMMIT, plan.Text().c_str());
  std::fflush(stdout);
  const Outcome outcome = RunSeed(plan, arguments.trace);
  std::printf("%lld ms simulated, %llu events, %llu entries, %llu answers, digest %016llx\n",
              static_cast<long long>(base::ToMillis(outcome.simulated)), static_cast<unsigned long long>(outcome.events),
              static_cast<unsigned long long>(outcome.entries), static_cast<unsigned long long>(outcome.answers),
              static_cast<unsigned long long>(outcome.digest));
  if (outcome.verdict.ok()) {
    std::printf("passed\n");
    return 0;
  }
  std::printf("FAILED: %s\n", std::string(outcome.verdict.message()).c_str());
  return 1;
}

// Sums over a range.
struct Totals {
  std::uint64_t passed = 0, failed = 0, events = 0, frames = 0, entries = 0, answers = 0;
  double cpu_seconds = 0, cpu_seconds_max = 0;
  base::Duration simulated{};
  std::vector<std::uint64_t> faults = std::vector<std::uint64_t>(kFaults);
  std::set<std::string> probes;

  void Add(const SeedResult& result) {
    const Outcome& outcome = result.outcome;
    (outcome.verdict.ok() ? passed : failed) += 1;
    events += outcome.events;
    frames += outcome.frames;
    entries += outcome.entries;
    answers += outcome.answers;
    simulated += outcome.simulated;
    cpu_seconds += result.cpu_seconds;
    cpu_seconds_max = std::max(cpu_seconds_max, result.cpu_seconds);
    for (std::size_t i = 0; i < outcome.faults.size(); ++i) faults[i] += outcome.faults[i];
    probes.insert(result.probes.begin(), result.probes.end());
  }

  void Print() const {
    std::uint64_t all = 0;
    std::string by_kind;
    for (int i = 0; i < kFaults; ++i) {
      all += faults[static_cast<std::size_t>(i)];
      absl::StrAppend(&by_kind, " ", NameOf(static_cast<Fault>(i)), " ", faults[static_cast<std::size_t>(i)]);
    }
    std::printf("simulated: %.1f hours, %llu events, %llu frames, %llu entries, %llu answers, %llu faults:%s\n",
                std::chrono::duration<double>(simulated).count() / 3600, static_cast<unsigned long long>(events),
                static_cast<unsigned long long>(frames), static_cast<unsigned long long>(entries),
                static_cast<unsigned long long>(answers), static_cast<unsigned long long>(all), by_kind.c_str());
    std::printf("time: %.2f s of a core a seed on average, %.2f s at most\n",
                cpu_seconds / static_cast<double>(std::max<std::uint64_t>(passed + failed, 1)), cpu_seconds_max);
    for (const std::string& probe : AllProbes()) {
      if (!probes.contains(probe)) std::printf("never hit: %s\n", probe.c_str());
    }
  }
};

int RunRange(const Arguments& arguments) {
  const bool breaks = !arguments.breakage.empty();
  const std::uint64_t last = arguments.last > 0 ? arguments.last : breaks ? arguments.first + kBreakageSeeds - 1 : UINT64_MAX;
  const auto began = std::chrono::steady_clock::now();
  const auto limit = std::chrono::duration<double>(arguments.minutes * 60);
  std::string seeds =
      last == UINT64_MAX ? absl::StrCat("seeds from ", arguments.first) : absl::StrCat("seeds ", arguments.first, "-", last);
  std::printf("commit %s, %s, %d at once%s%s\n", DROVER_COMMIT, seeds.c_str(), arguments.jobs,
              arguments.repeat ? ", each twice" : "", breaks ? absl::StrCat(", broken: ", arguments.breakage).c_str() : "");
  std::uint64_t next = arguments.first;
  bool again = false;
  Totals totals;
  std::map<std::uint64_t, std::uint64_t> digests;
  std::uint64_t tried = 0;
  const absl::Status ran = RunSeeds(
      [&]() -> std::optional<std::uint64_t> {
        if (next > last || (arguments.minutes > 0 && std::chrono::steady_clock::now() - began > limit)) return std::nullopt;
        if (!arguments.repeat) return next++;
        if (!std::exchange(again, !again)) return next;
        return next++;
      },
      arguments.jobs,
      [&](const SeedResult& run) {
        SeedResult result = run;
        if (arguments.repeat) {
          const auto [first, fresh] = digests.emplace(result.seed, result.outcome.digest);
          if (fresh) return true;
          if (result.outcome.verdict.ok() && first->second != result.outcome.digest) {
            result.outcome.verdict = absl::InternalError("the same seed ran differently the second time");
          }
        }
        ++tried;
        totals.Add(result);
        if (result.outcome.verdict.ok()) return true;
        const std::string words(result.outcome.verdict.message());
        if (breaks) {
          std::printf("caught after %llu seeds, by seed %llu: %s\n", static_cast<unsigned long long>(tried),
                      static_cast<unsigned long long>(result.seed), words.c_str());
          return false;
        }
        std::printf("seed %llu FAILED: %s\n  again: drover-sim --seed %llu --trace\n", static_cast<unsigned long long>(result.seed),
                    words.c_str(), static_cast<unsigned long long>(result.seed));
        std::fflush(stdout);
        return true;
      });
  if (!ran.ok()) {
    std::fprintf(stderr, "drover-sim: %s\n", ran.ToString().c_str());
    return 2;
  }
  if (breaks && totals.failed == 0) std::printf("not caught by %llu seeds\n", static_cast<unsigned long long>(tried));
  if (!breaks) totals.Print();
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(totals.passed),
              static_cast<unsigned long long>(totals.failed));
  return totals.failed == 0 ? 0 : 1;
}

// Numbers far from those that are run each time, and others for each commit.
void ChooseCommitSeeds(Arguments* arguments) {
  std::uint64_t commit = 0;
  static_cast<void>(absl::SimpleHexAtoi(absl::string_view(DROVER_COMMIT).substr(0, 7), &commit));
  arguments->first = 1'000'000 + commit * 1'000;
  arguments->last = arguments->first + arguments->commit_seeds - 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  int code = 0;
  if (!Parse(argc, argv, &arguments, &code)) return code;
  if (arguments.breakage == "list") return ListBreakages();
  if (arguments.commit_seeds > 0) ChooseCommitSeeds(&arguments);
  SetBreakage(arguments.breakage);
  return arguments.seed ? RunOne(arguments) : RunRange(arguments);
}

}  // namespace
}  // namespace drover::sim::run

int main(int argc, char** argv) {
  return drover::sim::run::Main(argc, argv);
}
