#include "coord/tree/code.h"

namespace drover::coord::tree {

const char* MessageOf(Code code) {
  switch (code) {
    case Code::kOk:
      return "";
    case Code::kNoNode:
      return "there is no such node";
    case Code::kNodeExists:
      return "the node exists already";
    case Code::kBadVersion:
      return "the node has another version";
    case Code::kNotEmpty:
      return "the node has children";
    case Code::kNoChildrenForEphemerals:
      return "an ephemeral node cannot have children";
    case Code::kInvalidArgument:
      return "the request makes no sense in any state";
    case Code::kTooLarge:
      return "the request is over a limit";
    case Code::kRolledBack:
      return "undone because a later operation of the transaction was refused";
    case Code::kOutOfOrder:
      return "the write's number is not the session's next";
    case Code::kWindowFull:
      return "too many answers of the session are unseen: send the write again later";
    case Code::kSessionExpired:
      return "the session has ended";
    case Code::kResourceExhausted:
      return "a size limit of the service is reached";
    case Code::kCompacted:
      return "events after that position are gone: arm the watch anew, then read again";
    case Code::kUnavailable:
      return "the node cannot serve now";
    case Code::kUnimplemented:
      return "the service does not know how to do this";
    case Code::kNotTried:
      return "not tried because an earlier operation of the transaction was refused";
    case Code::kNoAuth:
      return "the node's access control list does not allow it: drover tree acl get shows it";
    case Code::kInvalidAcl:
      return "the access control list is none";
    case Code::kAuthFailed:
      return "the service does not know the scheme, or this proves nothing of it";
    case Code::kQuotaExceeded:
      return "a quota above the node is reached";
  }
  return "";
}

}  // namespace drover::coord::tree
