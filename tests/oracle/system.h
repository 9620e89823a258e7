// One of the two that are compared: a coordination service with sessions in numbered slots.
//
// Operations are executed one at a time, by one thread.
#ifndef DROVER_TESTS_ORACLE_SYSTEM_H_
#define DROVER_TESTS_ORACLE_SYSTEM_H_

#include "absl/status/statusor.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

class System {
 public:
  virtual ~System() = default;
  // A refusal is an answer. An error: the system did not answer, or broke its protocol.
  [[nodiscard]] virtual absl::StatusOr<Reply> Execute(const Operation& operation) = 0;
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_SYSTEM_H_
