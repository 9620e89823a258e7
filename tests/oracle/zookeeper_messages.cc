#include "tests/oracle/zookeeper_messages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/oracle/jute.h"

namespace drover::oracle {
namespace {

// Types of requests, and of results of a multi.
constexpr std::int32_t kCreate = 1;
constexpr std::int32_t kDelete = 2;
constexpr std::int32_t kExists = 3;
constexpr std::int32_t kGetData = 4;
constexpr std::int32_t kSetData = 5;
constexpr std::int32_t kGetAcl = 6;
constexpr std::int32_t kSetAcl = 7;
constexpr std::int32_t kSync = 9;
constexpr std::int32_t kGetChildren2 = 12;
constexpr std::int32_t kCheck = 13;
constexpr std::int32_t kMulti = 14;
constexpr std::int32_t kCreate2 = 15;
constexpr std::int32_t kRemoveWatches = 18;
constexpr std::int32_t kCreateContainer = 19;
constexpr std::int32_t kCreateTtl = 21;
constexpr std::int32_t kAuth = 100;
constexpr std::int32_t kAddWatch = 106;
constexpr std::int32_t kCloseSession = -11;
constexpr std::int32_t kErrorResult = -1;

// Modes of a create, which are flags but for these.
constexpr std::int32_t kContainerMode = 4;
constexpr std::int32_t kTtlMode = 5;
constexpr std::int32_t kSequentialTtlMode = 6;

constexpr std::int32_t kModePersistent = 0;
constexpr std::int32_t kModeRecursive = 1;
constexpr std::int32_t kAnyWatcher = 3;
constexpr int kPasswordBytes = 16;

// By which of ZooKeeper's requests.
Kind AskedAs(const Operation& o) {
  if (o.kind == Kind::kWatch && o.watch == WatchKind::kOnce) return Kind::kExists;
  if (o.kind == Kind::kWatch && o.watch == WatchKind::kOnceChildren) return Kind::kChildren;
  return o.kind;
}

std::int32_t TypeOf(const Operation& o) {
  switch (AskedAs(o)) {
    case Kind::kCreate:
      return o.container ? kCreateContainer : o.ttl_ms.has_value() ? kCreateTtl : kCreate2;
    case Kind::kDelete:
      return kDelete;
    case Kind::kSet:
      return kSetData;
    case Kind::kCheck:
      return kCheck;
    case Kind::kMulti:
      return kMulti;
    case Kind::kGet:
      return kGetData;
    case Kind::kExists:
      return kExists;
    case Kind::kChildren:
      return kGetChildren2;
    case Kind::kSync:
      return kSync;
    case Kind::kWatch:
      return kAddWatch;
    case Kind::kUnwatch:
      return kRemoveWatches;
    case Kind::kClose:
      return kCloseSession;
    case Kind::kAuthenticate:
      return kAuth;
    case Kind::kSetAcl:
      return kSetAcl;
    case Kind::kGetAcl:
      return kGetAcl;
    case Kind::kOpen:
    case Kind::kAbandon:
      break;
  }
  return 0;
}

std::int32_t ModeOf(const Operation& create) {
  if (create.container) return kContainerMode;
  if (create.ttl_ms.has_value()) return create.sequential ? kSequentialTtlMode : kTtlMode;
  return (create.ephemeral ? 1 : 0) | (create.sequential ? 2 : 0);
}

void AppendAcl(const Acl& acl, JuteWriter* out) {
  out->Int(static_cast<std::int32_t>(acl.size()));
  for (const AclEntry& entry : acl) {
    out->Int(entry.permissions);
    out->String(entry.scheme);
    out->String(entry.id);
  }
}

void AppendBody(const Operation& o, JuteWriter* out) {
  if (o.kind == Kind::kClose) return;
  if (o.kind == Kind::kMulti) {
    for (const Operation& part : o.parts) {
      out->Int(TypeOf(part));
      out->Bool(false);
      out->Int(-1);
      AppendBody(part, out);
    }
    out->Int(-1);
    out->Bool(true);
    out->Int(-1);
    return;
  }
  if (o.kind == Kind::kAuthenticate) {
    out->Int(0);  // a type that nobody reads
    out->String("digest");
    out->Buffer(o.data);
    return;
  }
  out->String(o.path);
  switch (o.kind) {
    case Kind::kCreate:
      out->Buffer(o.data);
      AppendAcl(o.acl.empty() ? Acl{{31, "world", "anyone"}} : o.acl, out);
      out->Int(ModeOf(o));
      if (o.ttl_ms.has_value()) out->Long(*o.ttl_ms);
      break;
    case Kind::kSet:
      out->Buffer(o.data);
      out->Int(o.version);
      break;
    case Kind::kDelete:
    case Kind::kCheck:
      out->Int(o.version);
      break;
    case Kind::kSetAcl:
      AppendAcl(o.acl, out);
      out->Int(o.version);
      break;
    case Kind::kGet:
    case Kind::kExists:
    case Kind::kChildren:
      out->Bool(false);  // no watch
      break;
    case Kind::kWatch:
      if (o.watch == WatchKind::kOnce || o.watch == WatchKind::kOnceChildren) {
        out->Bool(true);
      } else {
        out->Int(o.watch == WatchKind::kRecursive ? kModeRecursive : kModePersistent);
      }
      break;
    case Kind::kUnwatch:
      out->Int(kAnyWatcher);
      break;
    default:
      break;
  }
}

void SetError(std::int32_t error, Answer* answer) {
  answer->said = error == 0 ? "" : absl::StrCat(error);
  switch (error) {
    case 0:
      answer->code = Code::kOk;
      return;
    case -2:
      answer->code = Code::kNotTried;
      return;
    case -8:
      answer->code = Code::kBadArguments;
      return;
    case -101:
      answer->code = Code::kNoNode;
      return;
    case -102:
      answer->code = Code::kNoAuth;
      return;
    case -114:
      answer->code = Code::kInvalidAcl;
      return;
    case -103:
      answer->code = Code::kBadVersion;
      return;
    case -108:
      answer->code = Code::kNoChildrenForEphemerals;
      return;
    case -110:
      answer->code = Code::kNodeExists;
      return;
    case -111:
      answer->code = Code::kNotEmpty;
      return;
    case -112:
      answer->code = Code::kSessionExpired;
      return;
    case -121:
      answer->code = Code::kNoWatcher;
      return;
    default:
      answer->code = Code::kOther;
  }
}

Stat ReadStat(JuteReader* in) {
  Stat s;
  s.czxid = static_cast<std::uint64_t>(in->Long());
  s.mzxid = static_cast<std::uint64_t>(in->Long());
  s.ctime = in->Long();
  s.mtime = in->Long();
  s.version = in->Int();
  s.cversion = in->Int();
  s.aversion = in->Int();
  s.ephemeral_owner = static_cast<std::uint64_t>(in->Long());
  s.lifetime_told = false;
  s.data_length = in->Int();
  s.num_children = in->Int();
  s.pzxid = static_cast<std::uint64_t>(in->Long());
  return s;
}

// Of an operation that succeeded.
void ReadResult(Kind kind, JuteReader* in, Answer* answer) {
  switch (kind) {
    case Kind::kCreate:
      answer->path = in->String();
      answer->stat = ReadStat(in);
      return;
    case Kind::kSet:
    case Kind::kSetAcl:
    case Kind::kExists:
      answer->stat = ReadStat(in);
      return;
    case Kind::kGetAcl:
      for (std::int32_t left = in->Count(); left > 0; --left) {
        AclEntry entry{in->Int(), {}, {}};
        entry.scheme = in->String();
        entry.id = in->String();
        answer->names.push_back(ToWords(entry));
      }
      std::sort(answer->names.begin(), answer->names.end());  // what "auth" stands for has no order
      answer->stat = ReadStat(in);
      return;
    case Kind::kGet:
      answer->data = in->Buffer();
      answer->stat = ReadStat(in);
      return;
    case Kind::kChildren: {
      for (std::int32_t left = in->Count(); left > 0; --left) answer->names.push_back(in->String());
      std::sort(answer->names.begin(), answer->names.end());
      static_cast<void>(ReadStat(in));
      return;
    }
    case Kind::kSync:
      static_cast<void>(in->String());  // the path asked for
      return;
    case Kind::kWatch:               // by addWatch
      static_cast<void>(in->Int());  // an error that is always 0
      return;
    default:
      return;
  }
}

// A multi is answered as a success whose results may be refusals.
void ReadResults(const Operation& multi, JuteReader* in, Answer* answer) {
  bool failed = false;
  while (in->ok()) {
    const std::int32_t type = in->Int();
    const bool done = in->Bool();
    static_cast<void>(in->Int());  // an error that a refusal's body says again
    if (done) break;
    Answer part;
    if (type == kErrorResult) {
      failed = true;
      SetError(in->Int(), &part);
      if (part.code == Code::kOk) part.code = Code::kUndone;
      if (part.code != Code::kUndone && part.code != Code::kNotTried) {
        answer->code = part.code;
        answer->said = part.said;
      }
    } else if (type == kCreate) {
      part.path = in->String();
      part.stat_untold = true;
    } else if (answer->parts.size() < multi.parts.size()) {
      ReadResult(multi.parts[answer->parts.size()].kind, in, &part);
    }
    answer->parts.push_back(std::move(part));
  }
  if (failed && answer->code == Code::kOk) answer->code = Code::kOther;
}

absl::Status Malformed(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, " is not as the protocol says"));
}

}  // namespace

std::string EncodeConnect(std::int32_t timeout_ms) {
  return EncodeReconnect({.session = 0, .password = std::string(kPasswordBytes, '\0')}, timeout_ms);
}

std::string EncodeReconnect(const ZooKeeperGrant& grant, std::int32_t timeout_ms) {
  JuteWriter out;
  out.Int(0);   // version of the protocol
  out.Long(0);  // newest zxid seen
  out.Int(timeout_ms);
  out.Long(static_cast<std::int64_t>(grant.session));  // 0: a new one
  out.Buffer(grant.password);
  out.Bool(false);  // not for reading alone
  return out.bytes();
}

absl::StatusOr<ZooKeeperGrant> DecodeGrant(absl::string_view bytes) {
  JuteReader in(bytes);
  ZooKeeperGrant grant;
  static_cast<void>(in.Int());
  grant.timeout_ms = in.Int();
  grant.session = static_cast<std::uint64_t>(in.Long());
  grant.password = in.String();
  if (!in.ok()) return Malformed("the answer to a connect");
  return grant;
}

std::string EncodeRequest(std::int32_t xid, const Operation& operation) {
  JuteWriter out;
  out.Int(xid);
  out.Int(TypeOf(operation));
  AppendBody(operation, &out);
  return out.bytes();
}

absl::StatusOr<ZooKeeperReplyHead> DecodeHead(absl::string_view bytes) {
  JuteReader in(bytes);
  ZooKeeperReplyHead head;
  head.xid = in.Int();
  head.zxid = in.Long();
  head.error = in.Int();
  if (!in.ok()) return Malformed("a reply's head");
  return head;
}

absl::StatusOr<Answer> DecodeReply(const Operation& operation, absl::string_view bytes) {
  JuteReader in(bytes);
  static_cast<void>(in.Int());
  Answer answer;
  answer.zxid = static_cast<std::uint64_t>(in.Long());
  SetError(in.Int(), &answer);
  if (answer.code == Code::kOk && operation.kind == Kind::kMulti) {
    ReadResults(operation, &in, &answer);
  } else if (answer.code == Code::kOk) {
    ReadResult(AskedAs(operation), &in, &answer);
  }
  if (operation.kind == Kind::kWatch && operation.watch == WatchKind::kOnce) {
    // The watch stands whether there is a node or not.
    if (answer.code == Code::kNoNode) answer.code = Code::kOk;
    answer.stat.reset();
  }
  if (!in.ok() || !in.rest().empty()) return Malformed(absl::StrCat("the reply to ", KindName(operation.kind)));
  return answer;
}

absl::StatusOr<Event> DecodeEvent(absl::string_view bytes) {
  JuteReader in(bytes);
  static_cast<void>(in.Int());
  static_cast<void>(in.Long());
  static_cast<void>(in.Int());
  const std::int32_t type = in.Int();
  static_cast<void>(in.Int());  // state of the connection
  Event event;
  event.path = in.String();
  if (!in.ok() || type < 1 || type > 4) return Malformed("an event");
  constexpr Event::Type kTypes[] = {Event::Type::kCreated, Event::Type::kDeleted, Event::Type::kChanged, Event::Type::kChildren};
  event.type = kTypes[type - 1];
  return event;
}

}  // namespace drover::oracle
