// One of the two that are compared: a coordination service with sessions in numbered slots. It deletes nothing by itself: when the
// end of a container or of a time to live is seen depends on the clock, and nothing could be compared by it.
//
// Threads: one.
#ifndef DROVER_TESTS_ORACLE_SYSTEM_H_
#define DROVER_TESTS_ORACLE_SYSTEM_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

class System {
 public:
  virtual ~System() = default;
  // Operations of one session, all asked before the first is answered; a reply for each. (The beginning and the end of a session
  // stand alone.) All events may stand with any one of them. A refusal is an answer; an error: the system did not answer, or broke
  // its protocol.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Reply>> Execute(absl::Span<const Operation> burst) = 0;
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_SYSTEM_H_
