// In development builds: the invariants, at the end of each step. Elsewhere nothing.
#ifndef DROVER_COORD_RAFT_STEP_CHECK_H_
#define DROVER_COORD_RAFT_STEP_CHECK_H_

#include "coord/base/check.h"
#include "coord/raft/invariants.h"
#include "coord/raft/raft.h"

namespace drover::coord::raft {

class StepCheck {
 public:
#ifdef DROVER_DEV
  explicit StepCheck(const Raft* raft) : raft_(raft), before_(raft->Inspect()) {}
  ~StepCheck() {
    const State after = raft_->Inspect();
    absl::Status ok = CheckState(after);
    if (ok.ok()) ok = CheckStep(before_, after);
    DROVER_CHECK(ok.ok()) << ok.ToString();
  }

 private:
  const Raft* const raft_;
  const State before_;
#else
  explicit StepCheck(const Raft*) {}
  ~StepCheck() {}
#endif
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_STEP_CHECK_H_
