// The client library's values as the oracle's, and back. Pure.
#ifndef DROVER_TESTS_ORACLE_DROVER_VALUES_H_
#define DROVER_TESTS_ORACLE_DROVER_VALUES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drover/coord/types.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

[[nodiscard]] Stat StatOf(const coord::Stat& stat);
[[nodiscard]] Event EventOf(const coord::Event& event);
// Of a call that did not succeed.
[[nodiscard]] Answer RefusalAnswer(const absl::Status& status);
// A multi's checks as compares, its writes as the branch if they hold; the other branch is empty.
[[nodiscard]] coord::Acl AclOf(const Acl& acl);
[[nodiscard]] coord::CreateOptions CreateOptionsOf(const Operation& create);
[[nodiscard]] coord::Transaction TransactionOf(const Operation& multi);
// `writes` is the branch that was asked for. The answer has a part for each of them, unless the compares did not hold.
[[nodiscard]] Answer MultiAnswer(const std::vector<coord::Operation>& writes,
                                 const absl::StatusOr<coord::TransactionResult>& result);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_DROVER_VALUES_H_
