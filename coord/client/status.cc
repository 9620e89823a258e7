#include "drover/coord/status.h"

#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::coord {
namespace {

// "code zxid operation+1" of a refusal.
constexpr char kRefusal[] = "drover/coord/refusal";
constexpr char kUnknown[] = "drover/coord/unknown";

absl::StatusCode StatusCodeOf(Code code) {
  switch (code) {
    case Code::kOk:
      return absl::StatusCode::kOk;
    case Code::kNoNode:
      return absl::StatusCode::kNotFound;
    case Code::kNodeExists:
      return absl::StatusCode::kAlreadyExists;
    case Code::kBadVersion:
    case Code::kNotEmpty:
    case Code::kNoChildrenForEphemerals:
    case Code::kCompacted:
      return absl::StatusCode::kFailedPrecondition;
    case Code::kInvalidArgument:
    case Code::kTooLarge:
    case Code::kInvalidAcl:
      return absl::StatusCode::kInvalidArgument;
    case Code::kNoAuth:
      return absl::StatusCode::kPermissionDenied;
    case Code::kAuthFailed:
      return absl::StatusCode::kUnauthenticated;
    case Code::kSessionExpired:
      return absl::StatusCode::kAborted;
    case Code::kResourceExhausted:
    case Code::kQuotaExceeded:
      return absl::StatusCode::kResourceExhausted;
    case Code::kUnavailable:
      return absl::StatusCode::kUnavailable;
    case Code::kUnimplemented:
      return absl::StatusCode::kUnimplemented;
    case Code::kRolledBack:
    case Code::kOutOfOrder:
    case Code::kWindowFull:
    case Code::kNotTried:
      return absl::StatusCode::kInternal;
  }
  return absl::StatusCode::kInternal;  // a code of a newer service
}

absl::Status Refused(Code code, absl::string_view message, base::Zxid zxid, std::uint64_t operation_plus_one) {
  absl::Status status(StatusCodeOf(code), absl::StrCat(CodeName(code), message.empty() ? "" : ": ", message));
  status.SetPayload(kRefusal, absl::Cord(absl::StrCat(static_cast<int>(code), " ", zxid.value, " ", operation_plus_one)));
  return status;
}

struct Refusal {
  std::uint64_t code = 0;
  std::uint64_t zxid = 0;
  std::uint64_t operation_plus_one = 0;
};

std::optional<Refusal> ParseRefusal(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRefusal);
  if (!payload.has_value()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(std::string(*payload), ' ');
  Refusal refusal;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &refusal.code) || !absl::SimpleAtoi(parts[1], &refusal.zxid) ||
      !absl::SimpleAtoi(parts[2], &refusal.operation_plus_one)) {
    return std::nullopt;
  }
  return refusal;
}

}  // namespace

absl::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk:
      return "OK";
    case Code::kNoNode:
      return "NO_NODE";
    case Code::kNodeExists:
      return "NODE_EXISTS";
    case Code::kBadVersion:
      return "BAD_VERSION";
    case Code::kNotEmpty:
      return "NOT_EMPTY";
    case Code::kNoChildrenForEphemerals:
      return "NO_CHILDREN_FOR_EPHEMERALS";
    case Code::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Code::kTooLarge:
      return "TOO_LARGE";
    case Code::kRolledBack:
      return "ROLLED_BACK";
    case Code::kOutOfOrder:
      return "OUT_OF_ORDER";
    case Code::kWindowFull:
      return "WINDOW_FULL";
    case Code::kSessionExpired:
      return "SESSION_EXPIRED";
    case Code::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case Code::kCompacted:
      return "COMPACTED";
    case Code::kUnavailable:
      return "UNAVAILABLE";
    case Code::kUnimplemented:
      return "UNIMPLEMENTED";
    case Code::kNotTried:
      return "NOT_TRIED";
    case Code::kNoAuth:
      return "NO_AUTH";
    case Code::kInvalidAcl:
      return "INVALID_ACL";
    case Code::kAuthFailed:
      return "AUTH_FAILED";
    case Code::kQuotaExceeded:
      return "QUOTA_EXCEEDED";
  }
  return "UNKNOWN_CODE";
}

absl::Status RefusedError(Code code, absl::string_view message, base::Zxid zxid) {
  return Refused(code, message, zxid, 0);
}

absl::Status RefusedError(Code code, absl::string_view message, base::Zxid zxid, std::size_t operation) {
  return Refused(code, message, zxid, operation + 1);
}

absl::Status UnknownOutcomeError(UnknownCause cause, absl::string_view message) {
  const absl::StatusCode code = cause == UnknownCause::kDeadline ? absl::StatusCode::kDeadlineExceeded : absl::StatusCode::kUnknown;
  absl::Status status(code, absl::StrCat("outcome unknown: ", message));
  status.SetPayload(kUnknown, absl::Cord("1"));
  return status;
}

std::optional<Code> RefusalOf(const absl::Status& status) {
  const std::optional<Refusal> refusal = ParseRefusal(status);
  if (!refusal.has_value()) return std::nullopt;
  return static_cast<Code>(refusal->code);
}

base::Zxid RefusalZxid(const absl::Status& status) {
  const std::optional<Refusal> refusal = ParseRefusal(status);
  return base::Zxid(refusal.has_value() ? refusal->zxid : 0);
}

std::optional<std::size_t> RefusedOperation(const absl::Status& status) {
  const std::optional<Refusal> refusal = ParseRefusal(status);
  if (!refusal.has_value() || refusal->operation_plus_one == 0) return std::nullopt;
  return refusal->operation_plus_one - 1;
}

bool IsOutcomeUnknown(const absl::Status& status) {
  return status.GetPayload(kUnknown).has_value();
}

}  // namespace drover::coord
