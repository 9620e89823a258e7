#include "worker/agent/last_will.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace drover::worker::agent {

std::string EncodeLastWill(const LastWill& will) {
  return absl::StrCat(will.worker, "\n", will.died_path, "\n", will.ticket.id.value, "\n",
                      absl::BytesToHexString(will.ticket.secret), "\n", absl::StrJoin(will.endpoints, ","), "\n",
                      base::ToMillis(will.patience));
}

absl::StatusOr<LastWill> DecodeLastWill(absl::string_view bytes) {
  const std::vector<std::string> lines = absl::StrSplit(bytes, '\n');
  LastWill will;
  std::int64_t patience_ms = 0;
  if (lines.size() != 6 || !absl::SimpleAtoi(lines[2], &will.ticket.id.value) || !absl::SimpleAtoi(lines[5], &patience_ms)) {
    return absl::InvalidArgumentError("not a last will");
  }
  will.worker = lines[0];
  will.died_path = lines[1];
  will.ticket.secret = absl::HexStringToBytes(lines[3]);
  will.patience = std::chrono::milliseconds(patience_ms);
  will.endpoints = absl::StrSplit(lines[4], ',', absl::SkipEmpty());
  if (will.endpoints.empty()) return absl::InvalidArgumentError("not a last will: no endpoints");
  return will;
}

}  // namespace drover::worker::agent
