#include "tests/sim/run/range.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/sim/run/hooks.h"

namespace drover::sim::run {
namespace {

// One line for each field; the words of the verdict, which may have several lines, come last.
std::string Encode(const Outcome& outcome) {
  std::string text = absl::StrCat(outcome.verdict.ok() ? 1 : 0, "\n", outcome.digest, "\n", outcome.simulated.count(), "\n",
                                  outcome.events, "\n", outcome.frames, "\n", outcome.entries, "\n", outcome.answers, "\n");
  for (const std::uint64_t count : outcome.faults) absl::StrAppend(&text, count, " ");
  absl::StrAppend(&text, "\n");
  for (const std::string& probe : ProbesHit()) absl::StrAppend(&text, probe, "\t");
  absl::StrAppend(&text, "\n", outcome.verdict.message());
  return text;
}

bool Decode(const std::string& text, SeedResult* result) {
  const std::vector<std::string> lines = absl::StrSplit(text, absl::MaxSplits('\n', 9));
  if (lines.size() < 10) return false;
  Outcome& outcome = result->outcome;
  std::int64_t simulated = 0;
  const bool ok = absl::SimpleAtoi(lines[1], &outcome.digest) && absl::SimpleAtoi(lines[2], &simulated) &&
                  absl::SimpleAtoi(lines[3], &outcome.events) && absl::SimpleAtoi(lines[4], &outcome.frames) &&
                  absl::SimpleAtoi(lines[5], &outcome.entries) && absl::SimpleAtoi(lines[6], &outcome.answers);
  outcome.simulated = base::Duration(simulated);
  for (const absl::string_view count : absl::StrSplit(lines[7], ' ', absl::SkipEmpty())) {
    outcome.faults.emplace_back();
    if (!absl::SimpleAtoi(count, &outcome.faults.back())) return false;
  }
  for (const absl::string_view probe : absl::StrSplit(lines[8], '\t', absl::SkipEmpty())) result->probes.emplace(probe);
  outcome.verdict = lines[0] == "1" ? absl::OkStatus() : absl::InternalError(lines[9]);
  return ok;
}

struct Child {
  std::uint64_t seed = 0;
  std::FILE* report = nullptr;  // an unlinked file: never full, and whole once the process has ended
  std::FILE* words = nullptr;   // its stderr
};

std::string Contents(std::FILE* file) {
  std::string text;
  std::rewind(file);
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), file)) > 0;) text.append(buffer, n);
  std::fclose(file);
  return text;
}

[[noreturn]] void RunChild(const Child& child) {
  dup2(fileno(child.words), STDERR_FILENO);
  const std::string text = Encode(RunSeed(MakePlan(child.seed), false));
  std::fwrite(text.data(), 1, text.size(), child.report);
  std::fflush(child.report);
  _exit(0);
}

}  // namespace

absl::Status RunSeeds(const std::function<std::optional<std::uint64_t>()>& next, int jobs,
                      const std::function<bool(const SeedResult&)>& done) {
  std::map<pid_t, Child> children;
  bool more = true;
  while (true) {
    while (more && children.size() < static_cast<std::size_t>(jobs)) {
      const std::optional<std::uint64_t> seed = next();
      if (!seed) {
        more = false;
        break;
      }
      Child child{*seed, std::tmpfile(), std::tmpfile()};
      if (child.report == nullptr || child.words == nullptr) return absl::UnavailableError("no temporary files");
      std::fflush(stdout);
      const pid_t pid = fork();
      if (pid < 0) return absl::UnavailableError(absl::StrCat("fork: ", std::strerror(errno)));
      if (pid == 0) RunChild(child);
      children[pid] = child;
    }
    if (children.empty()) return absl::OkStatus();
    int status = 0;
    rusage usage{};
    const pid_t pid = wait4(-1, &status, 0, &usage);
    const auto found = children.find(pid);
    if (found == children.end()) continue;
    const Child child = found->second;
    children.erase(found);
    SeedResult result;
    result.seed = child.seed;
    result.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    const std::string words = Contents(child.words);
    if (!Decode(Contents(child.report), &result)) {
      result.outcome.verdict = absl::InternalError(absl::StrCat(
          WIFSIGNALED(status) ? absl::StrCat("its process died of signal ", WTERMSIG(status)) : "its process ended", ": ", words));
    }
    if (!done(result)) more = false;
  }
}

}  // namespace drover::sim::run
