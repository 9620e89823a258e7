// Whether a history of operations is that of one tree on which they took effect one at a time, each between call and answer.
//
// Nodes that no operation ties together are independent objects, and a history is linearizable if each object's is (Herlihy and
// Wing): a transaction ties the nodes that it names, a list of children all nodes below its path. The end of a session is judged on
// each object on its own, as is a history's every other aspect that would tie everything together.
// Pure; the same history gives the same report.
#ifndef DROVER_TESTS_SIM_CHECK_LINEARIZABILITY_H_
#define DROVER_TESTS_SIM_CHECK_LINEARIZABILITY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/sim/check/operation.h"
#include "tests/sim/check/search.h"

namespace drover::sim::check {

struct LinearizabilityReport {
  // kViolated if any object is; else kUndecided if the bounds of SearchOptions were met for one.
  Verdict verdict = Verdict::kLinearizable;
  // kViolated: the operations around the one that cannot be explained, without the reads that do not matter. kUndecided: which.
  std::string explanation;
  std::size_t objects = 0;
  std::size_t configurations = 0;  // visited, over all objects
};

[[nodiscard]] LinearizabilityReport CheckLinearizability(const std::vector<Operation>& history, const SearchOptions& options = {});

// OK only for kLinearizable; INTERNAL: violated; RESOURCE_EXHAUSTED: undecided, which is no pass.
[[nodiscard]] absl::Status ToStatus(const LinearizabilityReport& report);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_LINEARIZABILITY_H_
