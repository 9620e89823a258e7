// How much of a resource, as people write and read it. Pure; any thread.
#ifndef DROVER_MASTER_RECORDS_AMOUNT_H_
#define DROVER_MASTER_RECORDS_AMOUNT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::records {

// An amount in thousandths: "2", "0.5", "16Gi", "500M" (K, M, G, T are powers of 1000, with an i of 1024). Above 0, with at most
// three decimals.
[[nodiscard]] absl::StatusOr<std::int64_t> ParseAmount(absl::string_view text);
// The shortest text that says it: "1.5", "16Gi", "2G".
[[nodiscard]] std::string AmountText(std::int64_t thousandths);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_AMOUNT_H_
