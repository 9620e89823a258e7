// How the outcome of a coordination call appears as an absl::Status. Done, refused and unknown are three different things:
//
//   OK        The call took effect (a write) or shows a state (a read).
//   refused   The service, or the client before it sent anything, said no: the call had no effect, for ever. RefusalOf() tells why.
//   unknown   A write may or may not have taken effect. IsOutcomeUnknown() is true. It happens in three cases only: the session was
//   lost
//             with the write in flight; a write outside of any session lost its link; the caller's own deadline passed, which ends
//             the wait and not the write. While a session lives, a lost link is not such a case: the write is sent again under its
//             number and the first answer comes.
//
// The absl code is for printing and for mapping to exit codes; programs decide by RefusalOf() and IsOutcomeUnknown().
//
//   kNoAuth PERMISSION_DENIED · kInvalidAcl INVALID_ARGUMENT · kAuthFailed UNAUTHENTICATED · kQuotaExceeded RESOURCE_EXHAUSTED
//   kNoNode NOT_FOUND · kNodeExists ALREADY_EXISTS · kBadVersion, kNotEmpty, kNoChildrenForEphemerals, kCompacted
//   FAILED_PRECONDITION kInvalidArgument, kTooLarge INVALID_ARGUMENT · kSessionExpired ABORTED · kResourceExhausted
//   RESOURCE_EXHAUSTED kUnavailable UNAVAILABLE · kUnimplemented UNIMPLEMENTED · the rest INTERNAL (a caller never sees them)
//   unknown: session lost UNKNOWN, deadline DEADLINE_EXCEEDED. A read whose deadline passed is DEADLINE_EXCEEDED and not unknown.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_STATUS_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"

namespace drover::coord {

// The service's answer codes; values as in drover.coord.v1.Code.
enum class Code : std::uint8_t {
  kOk = 0,
  kNoNode = 1,
  kNodeExists = 2,
  kBadVersion = 3,
  kNotEmpty = 4,
  kNoChildrenForEphemerals = 5,
  kInvalidArgument = 6,
  kTooLarge = 7,
  kRolledBack = 8,
  kOutOfOrder = 9,
  kWindowFull = 10,
  kSessionExpired = 11,
  kResourceExhausted = 12,
  kCompacted = 13,
  kUnavailable = 14,
  kUnimplemented = 15,
  kNotTried = 16,
  kNoAuth = 17,
  kInvalidAcl = 18,
  kAuthFailed = 19,
  kQuotaExceeded = 20,
};

// "NO_NODE" ...
[[nodiscard]] absl::string_view CodeName(Code code);

// `code` must not be kOk. `zxid` is that of the state which refused, 0 when no state was asked.
[[nodiscard]] absl::Status RefusedError(Code code, absl::string_view message, base::Zxid zxid = base::Zxid());
// A refused transaction: `operation` is the index, in its branch, of the operation that was refused.
[[nodiscard]] absl::Status RefusedError(Code code, absl::string_view message, base::Zxid zxid, std::size_t operation);

enum class UnknownCause { kSessionLost, kLinkLost, kDeadline };
[[nodiscard]] absl::Status UnknownOutcomeError(UnknownCause cause, absl::string_view message);

// Why the call was refused; nothing for OK, unknown outcomes and errors that are no answer of the service.
[[nodiscard]] std::optional<Code> RefusalOf(const absl::Status& status);
// The zxid of the state that refused; 0 if there is none. A view that has reached it shows why.
[[nodiscard]] base::Zxid RefusalZxid(const absl::Status& status);
// Which operation of a transaction's branch was refused.
[[nodiscard]] std::optional<std::size_t> RefusedOperation(const absl::Status& status);
// A write may or may not have taken effect. (Not absl::IsUnknown, which asks for a code and not for an outcome.)
[[nodiscard]] bool IsOutcomeUnknown(const absl::Status& status);

[[nodiscard]] inline bool IsNoNode(const absl::Status& s) {
  return RefusalOf(s) == Code::kNoNode;
}
[[nodiscard]] inline bool IsNodeExists(const absl::Status& s) {
  return RefusalOf(s) == Code::kNodeExists;
}
[[nodiscard]] inline bool IsBadVersion(const absl::Status& s) {
  return RefusalOf(s) == Code::kBadVersion;
}
[[nodiscard]] inline bool IsNotEmpty(const absl::Status& s) {
  return RefusalOf(s) == Code::kNotEmpty;
}
[[nodiscard]] inline bool IsNoAuth(const absl::Status& s) {
  return RefusalOf(s) == Code::kNoAuth;
}
[[nodiscard]] inline bool IsSessionExpired(const absl::Status& s) {
  return RefusalOf(s) == Code::kSessionExpired;
}
[[nodiscard]] inline bool IsCompacted(const absl::Status& s) {
  return RefusalOf(s) == Code::kCompacted;
}

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_STATUS_H_
