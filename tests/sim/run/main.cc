// drover-sim: runs coordination nodes and their clients in a simulated world (README.md).
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/sim/run/hooks.h"
#include "tests/sim/run/range.h"
#include "tests/sim/run/simulation.h"

namespace drover::sim::run {
namespace {

constexpr char kUsage[] =
    "usage: drover-sim --seed N [--trace] [--break NAME]      one run, in this process\n"
    "       drover-sim --seeds A-B [--jobs J] [--repeat]      a range; ends with the line 'N passed, M failed'\n"
    "       drover-sim --minutes M [--from A] [--jobs J]      as many as there is time for\n"
    "       drover-sim --break NAME [--seeds A-B]             with a breakage, until it is caught\n"
    "       drover-sim --break list\n"
    "--repeat runs each seed twice and compares the digests.\n"
    "Exit codes: 0 all passed (with --break: not caught); 1 some failed (caught); 2 usage.\n";

struct Arguments {
  std::optional<std::uint64_t> seed;
  std::uint64_t first = 1, last = 0;
  double minutes = 0;
  int jobs = 0;
  bool trace = false;
  bool repeat = false;
  std::string breakage;
};

// Both --name value and --name=value.
bool Parse(int argc, char** argv, Arguments* out) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(argv[i], absl::MaxSplits('=', 1));
    words.push_back(parts.first);
    if (absl::StrContains(argv[i], "=")) words.push_back(parts.second);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& name = words[i];
    if (name == "--trace") {
      out->trace = true;
    } else if (name == "--repeat") {
      out->repeat = true;
    } else {
      if (++i == words.size()) return false;
      const std::string& value = words[i];
      if (name == "--seed") {
        if (!absl::SimpleAtoi(value, &out->seed.emplace())) return false;
      } else if (name == "--seeds") {
        const std::pair<std::string, std::string> ends = absl::StrSplit(value, absl::MaxSplits('-', 1));
        if (!absl::SimpleAtoi(ends.first, &out->first) || !absl::SimpleAtoi(ends.second, &out->last)) return false;
        if (out->first > out->last) return false;
      } else if (name == "--from") {
        if (!absl::SimpleAtoi(value, &out->first)) return false;
      } else if (name == "--minutes") {
        if (!absl::SimpleAtod(value, &out->minutes) || out->minutes <= 0) return false;
      } else if (name == "--jobs") {
        if (!absl::SimpleAtoi(value, &out->jobs) || out->jobs < 1) return false;
      } else if (name == "--break") {
        out->breakage = value;
      } else {
        return false;
      }
    }
  }
  return out->seed || out->last > 0 || out->minutes > 0 || !out->breakage.empty();
}

int ListBreakages() {
  for (const Breakage& breakage : Breakages()) std::printf("%-28s %s\n", breakage.name, breakage.words);
  return 0;
}

bool Known(const std::string& name) {
  for (const Breakage& breakage : Breakages()) {
    if (name == breakage.name) return true;
  }
  return false;
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
  const int jobs = arguments.jobs > 0 ? arguments.jobs : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const bool breaks = !arguments.breakage.empty();
  const std::uint64_t last = arguments.last > 0 ? arguments.last : breaks ? arguments.first + 299 : UINT64_MAX;
  const auto began = std::chrono::steady_clock::now();
  const auto limit = std::chrono::duration<double>(arguments.minutes * 60);
  std::string seeds =
      last == UINT64_MAX ? absl::StrCat("seeds from ", arguments.first) : absl::StrCat("seeds ", arguments.first, "-", last);
  std::printf("commit %s, %s, %d at once%s%s\n", DROVER_COMMIT, seeds.c_str(), jobs, arguments.repeat ? ", each twice" : "",
              breaks ? absl::StrCat(", broken: ", arguments.breakage).c_str() : "");
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
      jobs,
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

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (arguments.breakage == "list") return ListBreakages();
  if (!arguments.breakage.empty() && !Known(arguments.breakage)) {
    std::fprintf(stderr, "drover-sim: there is no breakage '%s'; --break list names them\n", arguments.breakage.c_str());
    return 2;
  }
  SetBreakage(arguments.breakage);
  return arguments.seed ? RunOne(arguments) : RunRange(arguments);
}

}  // namespace
}  // namespace drover::sim::run

int main(int argc, char** argv) {
  return drover::sim::run::Main(argc, argv);
}
