// A round: clients call and watch, a plan of faults is carried out, all of it heals, and what was seen is judged.
#ifndef DROVER_TESTS_CHAOS_ROUND_H_
#define DROVER_TESTS_CHAOS_ROUND_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/chaos/arena.h"
#include "tests/chaos/plan.h"
#include "tests/chaos/verdict.h"

namespace drover::chaos {

struct RoundOptions {
  int number = 1;  // its nodes lie below /chaos/<number>
  int clients = 8;
  int watchers = 3;
  PlanOptions plan;
};

// One thread; clients and watchers have their own. `progress` gets a line for each strike. An error: no round could be held (nobody
// answered though nothing was wrong any more), which is a fault, too. Throws what `arena` throws.
[[nodiscard]] absl::StatusOr<Verdict> HoldRound(Arena* arena, const RoundOptions& options,
                                                const std::function<void(const std::string&)>& progress);

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_ROUND_H_
