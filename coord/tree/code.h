// drover.coord.v1.Code and the other enumerations of the wire, without protobuf. Values are the proto's (a test compares them).
#ifndef DROVER_COORD_TREE_CODE_H_
#define DROVER_COORD_TREE_CODE_H_

#include <cstdint>

namespace drover::coord::tree {

enum class Code : std::uint32_t {
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

// One sentence for people; empty for kOk.
[[nodiscard]] const char* MessageOf(Code code);

enum class EventType : std::uint32_t { kCreated = 1, kChanged = 2, kDeleted = 3 };

// A watch of another kind than these is refused with UNIMPLEMENTED; kUnspecified with INVALID_ARGUMENT.
enum class WatchKind : std::uint32_t { kUnspecified = 0, kPersistentRecursive = 1, kPersistent = 2, kOnce = 3, kOnceChildren = 4 };

enum class CompareField : std::uint32_t {
  kUnspecified = 0,
  kExists = 1,
  kCzxid = 2,
  kMzxid = 3,
  kPzxid = 4,
  kVersion = 5,
  kCversion = 6,
  kEphemeralOwner = 7,
  kDataLength = 8,
  kNumChildren = 9,
  kCtime = 10,
  kMtime = 11,
  kAversion = 12,
};

enum class CompareRelation : std::uint32_t { kEqual = 0, kNotEqual = 1, kLess = 2, kGreater = 3 };

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_CODE_H_
