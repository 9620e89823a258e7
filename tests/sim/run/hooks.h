// The simulator's side of coord/base/hooks.h: which breakage is on, and which probes were hit.
#ifndef DROVER_TESTS_SIM_RUN_HOOKS_H_
#define DROVER_TESTS_SIM_RUN_HOOKS_H_

#include <set>
#include <string>
#include <vector>

namespace drover::sim::run {

struct Breakage {
  const char* name;
  const char* words;  // what is done wrong
};
// All that there are: none in a build that watches memory or threads, which has no hooks.
[[nodiscard]] const std::vector<Breakage>& Breakages();

// Of this process, before a run: the one breakage that is on, "" for none.
void SetBreakage(const std::string& name);

// Every probe compiled in.
[[nodiscard]] std::set<std::string> AllProbes();
// Those hit in this process.
[[nodiscard]] const std::set<std::string>& ProbesHit();

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_HOOKS_H_
