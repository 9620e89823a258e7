#include "tests/oracle/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/oracle/differences.h"

namespace drover::oracle {

std::string Line(const RunOptions& options, const RunResult& result) {
  return absl::StrCat("seed ", options.seed, ": ", result.operations, " operations, ", result.transactions, " transactions, ",
                      result.stats, " Stats and ", result.events, " events compared");
}

std::string Report(const RunResult& sum) {
  std::string text = "answers:\n";
  for (const auto& [name, count] : sum.answers) absl::StrAppendFormat(&text, "  %9d  %s\n", count, name);
  text += "deliberate differences that showed:\n";
  for (const Difference& difference : Differences()) {
    const auto it = sum.differences.find(difference.name);
    if (it != sum.differences.end())
      absl::StrAppendFormat(&text, "  %9d  %s: %s\n", it->second, difference.name, difference.sentence);
  }
  absl::StrAppendFormat(&text, "in all: %d operations, %d transactions, %d Stats, %d events\n", sum.operations, sum.transactions,
                        sum.stats, sum.events);
  return text;
}

std::string Again(const RunOptions& options) {
  return absl::StrCat("drover-oracle --seed ", options.seed, " --operations ", options.operations, " --sessions ",
                      options.sessions);
}

}  // namespace drover::oracle
