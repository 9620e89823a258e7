// Times for people and programs.
#ifndef DROVER_CLIENT_CLI_TIME_TEXT_H_
#define DROVER_CLIENT_CLI_TIME_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace drover::cli {

// Milliseconds since 1970 as RFC 3339 in UTC: "2026-01-31T12:00:00.123Z".
[[nodiscard]] std::string Rfc3339(std::int64_t ms);
// The other way round, with any offset from UTC. INVALID_ARGUMENT: it is none, or not from 1970 on.
[[nodiscard]] absl::StatusOr<std::int64_t> ParseRfc3339(const std::string& text);
// How long it took, shortly: "120ms", "3.4s", "2m05s", "1h02m".
[[nodiscard]] std::string ShortDuration(std::int64_t ms);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TIME_TEXT_H_
