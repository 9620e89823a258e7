// Both systems started for runs, each time anew, and ended with the run.
#ifndef DROVER_TESTS_ORACLE_PAIR_H_
#define DROVER_TESTS_ORACLE_PAIR_H_

#include "absl/status/statusor.h"
#include "tests/oracle/run.h"

namespace drover::oracle {

// A run on a fresh pair of servers, whose data lie in memory where the machine has a place for that (a GiB of /dev/shm): how long a
// sync takes is not what is compared. An error: a server could not be started; FAILED_PRECONDITION: it is not there.
[[nodiscard]] absl::StatusOr<RunResult> RunOnFreshPair(const RunOptions& options);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_PAIR_H_
