#include "coord/client/codec.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace drover::coord::client {
namespace {

using base::WireReader;
using base::WireType;
using base::WireWriter;

// Field numbers of Request.operation, and of Operation.operation, which share their messages.
enum Request : std::uint32_t {
  kLocal = 3,
  kAuth = 4,
  kCreate = 10,
  kDelete = 11,
  kSet = 12,
  kTransaction = 13,
  kCloseSession = 14,
  kDeleteSubtree = 15,
  kSetAcl = 16,
  kSetQuota = 17,
  kAuthenticate = 18,
  kGet = 20,
  kExists = 21,
  kChildren = 22,
  kList = 23,
  kSync = 24,
  kMultiRead = 25,
  kCountDescendants = 26,
  kEphemerals = 27,
  kGetAcl = 28,
  kQuotas = 29,
  kAddWatch = 30,
  kRemoveWatch = 31,
  kWhoAmI = 40,
  kSessions = 41,
};
enum OperationField : std::uint32_t {
  kOperationCreate = 1,
  kOperationDelete = 2,
  kOperationSet = 3,
  kOperationCheck = 4,
  kOperationDeleteSubtree = 5,
  kOperationSetAcl = 6,
};
enum ReadField : std::uint32_t { kReadGet = 1, kReadExists = 2, kReadChildren = 3 };

std::uint64_t PlusOne(std::optional<std::uint32_t> version) {
  return version.has_value() ? std::uint64_t{*version} + 1 : 0;
}

void WriteAcl(WireWriter* out, std::uint32_t field, const Acl& acl) {
  const std::size_t mark = out->Open(field);
  for (const AclEntry& entry : acl) {
    const std::size_t one = out->Open(1);
    out->Varint(1, entry.permissions);
    out->Bytes(2, entry.scheme);
    out->Bytes(3, entry.id);
    out->Close(one);
  }
  out->Close(mark);
}

void WriteSetAcl(WireWriter* out, std::uint32_t field, absl::string_view path, const Acl& acl,
                 std::optional<std::uint32_t> aversion) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, path);
  WriteAcl(out, 2, acl);
  out->Varint(3, PlusOne(aversion));
  out->Close(mark);
}

void WriteCredential(WireWriter* out, std::uint32_t field, const Credential& credential) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, credential.scheme);
  out->Bytes(2, credential.secret);
  out->Close(mark);
}

// At least one, for 0 is for ever. A negative one becomes one that is too long, and is refused.
std::uint64_t TtlMs(base::Duration ttl) {
  if (ttl < base::Duration{0}) return std::numeric_limits<std::uint64_t>::max();
  if (ttl == base::Duration{0}) return 0;
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(base::ToMillis(ttl)), 1);
}

void WriteCreate(WireWriter* out, std::uint32_t field, absl::string_view path, absl::string_view data, const CreateOptions& how) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, path);
  out->Bytes(2, data);
  out->Varint(3, how.ephemeral ? 1 : 0);
  out->Varint(4, how.sequential ? 1 : 0);
  out->Varint(5, how.parents ? 1 : 0);
  out->Varint(6, how.container ? 1 : 0);
  out->Varint(7, TtlMs(how.ttl));
  out->Varint(8, how.if_absent ? 1 : 0);
  if (!how.acl.empty()) WriteAcl(out, 9, how.acl);
  out->Close(mark);
}

void WriteDelete(WireWriter* out, std::uint32_t field, absl::string_view path, std::optional<std::uint32_t> version) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, path);
  out->Varint(2, PlusOne(version));
  out->Close(mark);
}

void WriteSet(WireWriter* out, std::uint32_t field, absl::string_view path, absl::string_view data,
              std::optional<std::uint32_t> version) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, path);
  out->Bytes(2, data);
  out->Varint(3, PlusOne(version));
  out->Close(mark);
}

void WriteOperation(WireWriter* out, std::uint32_t field, const Operation& operation) {
  const std::size_t mark = out->Open(field);
  switch (operation.kind) {
    case Operation::Kind::kCreate:
      WriteCreate(out, kOperationCreate, operation.path, operation.data, operation.create);
      break;
    case Operation::Kind::kDelete:
      WriteDelete(out, kOperationDelete, operation.path, operation.version);
      break;
    case Operation::Kind::kSet:
      WriteSet(out, kOperationSet, operation.path, operation.data, operation.version);
      break;
    case Operation::Kind::kCheck:
      WriteDelete(out, kOperationCheck, operation.path, operation.version);
      break;
    case Operation::Kind::kDeleteSubtree:
      WriteDelete(out, kOperationDeleteSubtree, operation.path, operation.version);
      break;
    case Operation::Kind::kSetAcl:
      WriteSetAcl(out, kOperationSetAcl, operation.path, operation.create.acl, operation.version);
      break;
  }
  out->Close(mark);
}

void WritePath(WireWriter* out, std::uint32_t field, absl::string_view path) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, path);
  out->Close(mark);
}

void WritePage(WireWriter* out, std::uint32_t field, absl::string_view path, absl::string_view after, std::uint32_t limit,
               bool without_data) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, path);
  out->Bytes(2, after);
  out->Varint(3, limit);
  out->Varint(4, without_data ? 1 : 0);
  out->Close(mark);
}

std::string EncodePath(std::uint32_t field, absl::string_view path, bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  WritePath(&out, field, path);
  return body;
}

std::string EncodePage(std::uint32_t field, absl::string_view path, absl::string_view after, std::uint32_t limit, bool without_data,
                       bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  WritePage(&out, field, path, after, limit, without_data);
  return body;
}

std::string EncodeByCreation(std::uint32_t field, SessionId session, absl::string_view path, const AfterNode& after,
                             std::uint32_t limit, bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  const std::size_t mark = out.Open(field);
  out.Varint(1, session.value);
  out.Bytes(2, path);
  out.Varint(3, after.czxid.value);
  out.Bytes(4, after.path);
  out.Varint(5, limit);
  out.Close(mark);
  return body;
}

void AppendRequest(std::string* frame, std::uint32_t key_field, std::uint64_t key, absl::string_view body) {
  WireWriter out(frame);
  const std::size_t mark = out.Open(4);
  out.Varint(key_field, key);
  out.Raw(body);
  out.Close(mark);
}

// The longest there is for what is longer (the service takes 8,919 years, a Duration 292).
base::Duration DurationOf(std::uint64_t milliseconds) {
  constexpr auto kMost = static_cast<std::uint64_t>(base::ToMillis(base::Duration::max()));
  if (milliseconds > kMost) return base::Duration::max();
  return std::chrono::milliseconds(milliseconds);
}

bool ParsePosition(absl::string_view bytes, Position* out) {
  *out = Position{base::Zxid(), 0};
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->zxid = Zxid(in.number());
    if (in.Is(2, WireType::kVarint)) out->ordinal = static_cast<std::uint32_t>(in.number());
  }
  return in.ok();
}

bool ParseGrant(absl::string_view bytes, GrantView* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->session = SessionId(in.number());
    if (in.Is(2, WireType::kBytes)) out->secret = in.bytes();
    if (in.Is(3, WireType::kVarint)) out->timeout_ms = static_cast<std::uint32_t>(in.number());
    if (in.Is(4, WireType::kVarint)) out->last_write = in.number();
    if (in.Is(5, WireType::kVarint)) out->node = base::NodeId(in.number());
    if (in.Is(6, WireType::kVarint)) out->cluster = base::ClusterId(in.number());
  }
  return in.ok();
}

bool ParseContactAck(absl::string_view bytes, ContactAckView* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->nonce = in.number();
    if (in.Is(2, WireType::kVarint)) out->time_ms = static_cast<std::int64_t>(in.number());
  }
  return in.ok();
}

bool ParseOperationResult(absl::string_view bytes, OperationResult* out, Code* code) {
  WireReader in(bytes);
  bool ok = true;
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) *code = static_cast<Code>(std::min<std::uint64_t>(in.number(), 255));
    if (in.Is(2, WireType::kBytes)) out->path = std::string(in.bytes());
    if (in.Is(3, WireType::kBytes)) ok = ok && ParseStat(in.bytes(), &out->stat);
    if (in.Is(4, WireType::kVarint)) out->count = in.number();
    if (in.Is(5, WireType::kVarint)) out->existed = in.number() != 0;
  }
  return ok && in.ok();
}

}  // namespace

std::string EncodeCreate(absl::string_view path, absl::string_view data, const CreateOptions& how) {
  std::string body;
  WireWriter out(&body);
  WriteCreate(&out, kCreate, path, data, how);
  return body;
}

std::string EncodeSet(absl::string_view path, absl::string_view data, std::optional<std::uint32_t> version) {
  std::string body;
  WireWriter out(&body);
  WriteSet(&out, kSet, path, data, version);
  return body;
}

std::string EncodeDelete(absl::string_view path, std::optional<std::uint32_t> version) {
  std::string body;
  WireWriter out(&body);
  WriteDelete(&out, kDelete, path, version);
  return body;
}

std::string EncodeDeleteSubtree(absl::string_view path, std::optional<std::uint32_t> version) {
  std::string body;
  WireWriter out(&body);
  WriteDelete(&out, kDeleteSubtree, path, version);
  return body;
}

std::string EncodeSetAcl(absl::string_view path, const Acl& acl, std::optional<std::uint32_t> aversion) {
  std::string body;
  WireWriter out(&body);
  WriteSetAcl(&out, kSetAcl, path, acl, aversion);
  return body;
}

std::string EncodeSetQuota(absl::string_view path, const Quota& quota) {
  std::string body;
  WireWriter out(&body);
  const std::size_t mark = out.Open(kSetQuota);
  out.Bytes(1, path);
  out.Varint(2, quota.nodes_max);
  out.Varint(3, quota.bytes_max);
  out.Close(mark);
  return body;
}

std::string EncodeAuthenticate(const Credential& credential) {
  std::string body;
  WireWriter out(&body);
  WriteCredential(&out, kAuthenticate, credential);
  return body;
}

void AppendAuth(std::string* request, const Credential& credential) {
  WireWriter out(request);
  WriteCredential(&out, kAuth, credential);
}

base::FeatureLevel NeededLevel(const CreateOptions& how) {
  if (!how.acl.empty()) return base::kAccessControl;
  return how.container || how.ttl != base::Duration{0} || how.if_absent ? base::kMoreOperations : base::kFirstFeatureLevel;
}

base::FeatureLevel NeededLevel(const Transaction& transaction) {
  base::FeatureLevel level = base::kFirstFeatureLevel;
  for (const std::vector<Operation>* branch : {&transaction.then, &transaction.otherwise}) {
    for (const Operation& operation : *branch) {
      const bool more = operation.kind == Operation::Kind::kCheck || operation.kind == Operation::Kind::kDeleteSubtree;
      level = std::max(level, more ? base::kMoreOperations : NeededLevel(operation.create));
      if (operation.kind == Operation::Kind::kSetAcl) level = std::max(level, base::kAccessControl);
    }
  }
  return level;
}

std::string EncodeTransaction(const Transaction& transaction) {
  std::string body;
  WireWriter out(&body);
  const std::size_t mark = out.Open(kTransaction);
  for (const Compare& compare : transaction.compares) {
    const std::size_t one = out.Open(1);
    out.Bytes(1, compare.path);
    out.Varint(2, static_cast<std::uint64_t>(compare.field));
    out.Varint(3, static_cast<std::uint64_t>(compare.relation));
    out.Varint(4, compare.value);
    out.Close(one);
  }
  for (const Operation& operation : transaction.then) WriteOperation(&out, 2, operation);
  for (const Operation& operation : transaction.otherwise) WriteOperation(&out, 3, operation);
  out.Close(mark);
  return body;
}

std::string EncodeCloseSession() {
  std::string body;
  WireWriter out(&body);
  out.BytesAlways(kCloseSession, "");
  return body;
}

std::string EncodeGet(absl::string_view path, bool local) {
  return EncodePath(kGet, path, local);
}
std::string EncodeExists(absl::string_view path, bool local) {
  return EncodePath(kExists, path, local);
}

std::string EncodeChildren(absl::string_view path, absl::string_view after, std::uint32_t limit, bool local) {
  return EncodePage(kChildren, path, after, limit, false, local);
}

std::string EncodeList(absl::string_view path, absl::string_view after, std::uint32_t limit, bool with_data, bool local) {
  return EncodePage(kList, path, after, limit, !with_data, local);
}

std::string EncodeMultiRead(const std::vector<ReadOperation>& reads, bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  const std::size_t mark = out.Open(kMultiRead);
  for (const ReadOperation& read : reads) {
    const std::size_t one = out.Open(1);
    if (read.kind == ReadOperation::Kind::kGet) WritePath(&out, kReadGet, read.path);
    if (read.kind == ReadOperation::Kind::kExists) WritePath(&out, kReadExists, read.path);
    if (read.kind == ReadOperation::Kind::kChildren) WritePage(&out, kReadChildren, read.path, read.after, read.limit, false);
    out.Close(one);
  }
  out.Close(mark);
  return body;
}

std::string EncodeCountDescendants(absl::string_view path, bool local) {
  return EncodePath(kCountDescendants, path, local);
}

std::string EncodeEphemerals(SessionId session, absl::string_view path, const AfterNode& after, std::uint32_t limit, bool local) {
  return EncodeByCreation(kEphemerals, session, path, after, limit, local);
}

std::string EncodeGetAcl(absl::string_view path, bool local) {
  return EncodePath(kGetAcl, path, local);
}

std::string EncodeQuotas(absl::string_view path, const AfterNode& after, std::uint32_t limit, bool local) {
  return EncodeByCreation(kQuotas, SessionId(), path, after, limit, local);
}

std::string EncodeWhoAmI(bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  out.BytesAlways(kWhoAmI, "");
  return body;
}

std::string EncodeSessions(SessionId after, std::uint32_t limit, bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  const std::size_t mark = out.Open(kSessions);
  out.Varint(1, after.value);
  out.Varint(2, limit);
  out.Close(mark);
  return body;
}

std::string EncodeSync(bool local) {
  std::string body;
  WireWriter out(&body);
  out.Varint(kLocal, local ? 1 : 0);
  out.BytesAlways(kSync, "");
  return body;
}

std::string EncodeAddWatch(std::uint64_t watch_id, absl::string_view path, std::uint32_t kind, bool with_data,
                           const std::optional<Position>& after) {
  std::string body;
  WireWriter out(&body);
  const std::size_t mark = out.Open(kAddWatch);
  out.Varint(1, watch_id);
  out.Bytes(2, path);
  out.Varint(3, kind);
  out.Varint(4, with_data ? 1 : 0);
  if (after.has_value()) {
    const std::size_t position = out.Open(5);
    out.Varint(1, after->zxid.value);
    out.Varint(2, after->ordinal);
    out.Close(position);
  }
  out.Close(mark);
  return body;
}

std::string EncodeRemoveWatch(std::uint64_t watch_id) {
  std::string body;
  WireWriter out(&body);
  const std::size_t mark = out.Open(kRemoveWatch);
  out.Varint(1, watch_id);
  out.Close(mark);
  return body;
}

void AppendOpen(std::string* frame, std::uint32_t timeout_ms, std::uint32_t disconnect_grace_ms, absl::string_view name) {
  WireWriter out(frame);
  const std::size_t mark = out.Open(1);
  out.Varint(1, timeout_ms);
  out.Varint(2, disconnect_grace_ms);
  out.Bytes(3, name);
  out.Close(mark);
}

void AppendResume(std::string* frame, SessionId id, absl::string_view secret, Zxid seen_zxid, std::uint64_t attach) {
  WireWriter out(frame);
  const std::size_t mark = out.Open(2);
  out.Varint(1, id.value);
  out.Bytes(2, secret);
  out.Varint(3, seen_zxid.value);
  out.Varint(4, attach);
  out.Close(mark);
}

void AppendContact(std::string* frame, std::uint64_t nonce) {
  WireWriter out(frame);
  const std::size_t mark = out.Open(5);
  out.Varint(1, nonce);
  out.Close(mark);
}

void AppendSeen(std::string* frame, std::uint64_t seen) {
  WireWriter(frame).Varint(3, seen);
}

void AppendNumbered(std::string* frame, std::uint64_t number, absl::string_view body) {
  AppendRequest(frame, 1, number, body);
}
void AppendIdentified(std::string* frame, std::uint64_t id, absl::string_view body) {
  AppendRequest(frame, 2, id, body);
}

bool FrameView::Parse(absl::string_view bytes, FrameView* out) {
  out->bytes = bytes;
  bool ok = true;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes)) ok = ok && ParseGrant(in.bytes(), &out->grant.emplace());
    if (in.Is(2, WireType::kBytes)) ok = ok && ParseContactAck(in.bytes(), &out->contact.emplace());
    if (in.Is(3, WireType::kVarint)) out->credits = in.number();
    if (in.Is(5, WireType::kVarint)) out->bookmark = Zxid(in.number());
    if (in.Is(6, WireType::kVarint)) out->move = in.number() != 0;
    if (in.Is(7, WireType::kVarint)) out->feature_level = base::FeatureLevel(static_cast<std::uint32_t>(in.number()));
  }
  return ok && in.ok();
}

bool AnswerView::Parse(absl::string_view bytes, AnswerView* out) {
  out->bytes = bytes;
  bool ok = true;
  WireReader in(bytes);
  while (in.Next()) {
    switch (in.field()) {
      case 1:
        if (in.type() == WireType::kVarint) out->number = in.number();
        break;
      case 2:
        if (in.type() == WireType::kVarint) out->id = in.number();
        break;
      case 3:
        if (in.type() == WireType::kVarint) out->code = static_cast<Code>(std::min<std::uint64_t>(in.number(), 255));
        break;
      case 4:
        if (in.type() == WireType::kVarint) out->zxid = Zxid(in.number());
        break;
      case 5:
        out->message = in.bytes();
        break;
      case 10:
        out->path = in.bytes();
        break;
      case 11:
        ok = ok && ParseStat(in.bytes(), &out->stat);
        break;
      case 12:
        out->data = in.bytes();
        break;
      case 15:
        if (in.type() == WireType::kVarint) out->more = in.number() != 0;
        break;
      case 16:
        out->transaction = in.bytes();
        break;
      case 17:
        ok = ok && ParsePosition(in.bytes(), &out->oldest);
        break;
      case 18:
        if (in.type() == WireType::kVarint) out->count = in.number();
        break;
      case 19:
        if (in.type() == WireType::kVarint) out->existed = in.number() != 0;
        break;
      case 21:
        out->acl = in.bytes();
        break;
      default:
        break;
    }
  }
  return ok && in.ok();
}

bool EventView::Parse(absl::string_view bytes, EventView* out) {
  bool ok = true;
  WireReader in(bytes);
  while (in.Next()) {
    switch (in.field()) {
      case 1:
        out->event.zxid = Zxid(in.number());
        break;
      case 2:
        out->event.ordinal = static_cast<std::uint32_t>(in.number());
        break;
      case 3:
        out->event.type = static_cast<Event::Type>(std::min<std::uint64_t>(in.number(), 255));
        break;
      case 4:
        out->event.path = std::string(in.bytes());
        break;
      case 5:
        ok = ok && ParseStat(in.bytes(), &out->event.stat);
        break;
      case 6:
        out->event.data = std::string(in.bytes());
        break;
      case 7:
        if (in.type() == WireType::kVarint) {
          out->watches.push_back(in.number());
        } else if (in.type() == WireType::kBytes) {
          base::PackedVarints packed(in.bytes());
          std::uint64_t id = 0;
          while (packed.Next(&id)) out->watches.push_back(id);
          ok = ok && packed.ok();
        }
        break;
      default:
        break;
    }
  }
  const bool known = out->event.type == Event::Type::kCreated || out->event.type == Event::Type::kChanged ||
                     out->event.type == Event::Type::kDeleted;
  return ok && in.ok() && known;
}

bool ParseStat(absl::string_view bytes, Stat* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.type() != WireType::kVarint) continue;
    const std::uint64_t value = in.number();
    switch (in.field()) {
      case 1:
        out->czxid = Zxid(value);
        break;
      case 2:
        out->mzxid = Zxid(value);
        break;
      case 3:
        out->pzxid = Zxid(value);
        break;
      case 4:
        out->ctime = base::WallTime(static_cast<std::int64_t>(value));
        break;
      case 5:
        out->mtime = base::WallTime(static_cast<std::int64_t>(value));
        break;
      case 6:
        out->version = static_cast<std::uint32_t>(value);
        break;
      case 7:
        out->cversion = static_cast<std::uint32_t>(value);
        break;
      case 8:
        out->aversion = static_cast<std::uint32_t>(value);
        break;
      case 9:
        out->ephemeral_owner = SessionId(value);
        break;
      case 10:
        out->data_length = static_cast<std::uint32_t>(value);
        break;
      case 11:
        out->num_children = static_cast<std::uint32_t>(value);
        break;
      case 12:
        out->container = value != 0;
        break;
      case 13:
        out->ttl = DurationOf(value);
        break;
      default:
        break;
    }
  }
  return in.ok();
}

bool ParseNode(absl::string_view bytes, Node* out) {
  bool ok = true;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes)) out->path = std::string(in.bytes());
    if (in.Is(2, WireType::kBytes)) ok = ok && ParseStat(in.bytes(), &out->stat);
    if (in.Is(3, WireType::kBytes)) out->data = std::string(in.bytes());
    if (in.Is(4, WireType::kVarint)) out->hidden = in.number() != 0;
  }
  return ok && in.ok();
}

bool ParseAcl(absl::string_view bytes, Acl* out) {
  base::RepeatedBytes entries(bytes, 1);
  absl::string_view one;
  while (entries.Next(&one)) {
    AclEntry& entry = out->emplace_back(AclEntry{0, {}, {}});
    WireReader in(one);
    while (in.Next()) {
      if (in.Is(1, WireType::kVarint)) entry.permissions = static_cast<std::uint32_t>(in.number());
      if (in.Is(2, WireType::kBytes)) entry.scheme = std::string(in.bytes());
      if (in.Is(3, WireType::kBytes)) entry.id = std::string(in.bytes());
    }
    if (!in.ok()) return false;
  }
  return entries.ok();
}

bool ParseIdentity(absl::string_view bytes, Identity* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes)) out->scheme = std::string(in.bytes());
    if (in.Is(2, WireType::kBytes)) out->id = std::string(in.bytes());
  }
  return in.ok();
}

bool ParseQuotaUsage(absl::string_view bytes, QuotaUsage* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes)) out->path = std::string(in.bytes());
    if (in.Is(2, WireType::kVarint)) out->quota.nodes_max = in.number();
    if (in.Is(3, WireType::kVarint)) out->quota.bytes_max = in.number();
    if (in.Is(4, WireType::kVarint)) out->nodes = in.number();
    if (in.Is(5, WireType::kVarint)) out->bytes = in.number();
    if (in.Is(6, WireType::kVarint)) out->czxid = Zxid(in.number());
  }
  return in.ok();
}

bool ParseSessionInfo(absl::string_view bytes, SessionInfo* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->id = SessionId(in.number());
    if (in.Is(2, WireType::kBytes)) out->name = std::string(in.bytes());
    if (in.Is(3, WireType::kBytes)) out->address = std::string(in.bytes());
    if (in.Is(4, WireType::kVarint)) out->timeout = std::chrono::milliseconds(static_cast<std::uint32_t>(in.number()));
    if (in.Is(5, WireType::kVarint)) out->disconnect_grace = std::chrono::milliseconds(static_cast<std::uint32_t>(in.number()));
    if (in.Is(6, WireType::kVarint)) out->ephemerals = in.number();
  }
  return in.ok();
}

bool ParseTransactionResult(absl::string_view bytes, TransactionResult* out, std::vector<Code>* codes) {
  bool ok = true;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->succeeded = in.number() != 0;
    if (in.Is(2, WireType::kBytes)) {
      Code code = Code::kOk;
      ok = ok && ParseOperationResult(in.bytes(), &out->results.emplace_back(), &code);
      codes->push_back(code);
    }
  }
  return ok && in.ok();
}

}  // namespace drover::coord::client
