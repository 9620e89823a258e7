// The writers of views.h: requests, transactions, batches.
#include "coord/tree/views.h"

namespace drover::coord::tree {
namespace {

using base::WireWriter;

void AppendFields(const CreateView& op, WireWriter* out) {
  out->Bytes(1, op.path);
  out->Bytes(2, op.data);
  out->Varint(3, op.ephemeral ? 1 : 0);
  out->Varint(4, op.sequential ? 1 : 0);
  out->Varint(5, op.parents ? 1 : 0);
  out->Varint(6, op.container ? 1 : 0);
  out->Varint(7, op.ttl_ms);
  out->Varint(8, op.if_absent ? 1 : 0);
  if (op.has_acl) out->BytesAlways(9, op.acl);
}

void AppendFields(const SetAclView& op, WireWriter* out) {
  out->Bytes(1, op.path);
  out->Bytes(2, op.acl);
  out->Varint(3, op.aversion_plus_one);
}

void AppendFields(const SetQuotaView& op, WireWriter* out) {
  out->Bytes(1, op.path);
  out->Varint(2, op.nodes_max);
  out->Varint(3, op.bytes_max);
}

void AppendFields(const AuthenticateView& op, WireWriter* out) {
  out->Bytes(1, op.scheme);
  out->Bytes(2, op.credential);
}

void AppendFields(const DeleteView& op, WireWriter* out) {
  out->Bytes(1, op.path);
  out->Varint(2, op.version_plus_one);
}

void AppendFields(const SetView& op, WireWriter* out) {
  out->Bytes(1, op.path);
  out->Bytes(2, op.data);
  out->Varint(3, op.version_plus_one);
}

void AppendFields(const PathView& op, WireWriter* out) {
  out->Bytes(1, op.path);
}

void AppendFields(const PageView& op, WireWriter* out) {
  out->Bytes(1, op.path);
  out->Bytes(2, op.after);
  out->Varint(3, op.limit);
  out->Varint(4, op.without_data ? 1 : 0);
}

void AppendFields(const AddWatchView& op, WireWriter* out) {
  out->Varint(1, op.watch_id);
  out->Bytes(2, op.path);
  out->Varint(3, op.kind);
  out->Varint(4, op.with_data ? 1 : 0);
  if (!op.has_after) return;
  const std::size_t mark = out->Open(5);
  out->Varint(1, op.after.zxid.value);
  out->Varint(2, op.after.ordinal);
  out->Close(mark);
}

void AppendFields(const EphemeralsView& op, WireWriter* out) {
  out->Varint(1, op.session.value);
  out->Bytes(2, op.path);
  out->Varint(3, op.after_czxid.value);
  out->Bytes(4, op.after);
  out->Varint(5, op.limit);
}

void AppendFields(const SessionsView& op, WireWriter* out) {
  out->Varint(1, op.after.value);
  out->Varint(2, op.limit);
}

void AppendFields(const RemoveWatchView& op, WireWriter* out) {
  out->Varint(1, op.watch_id);
}

void AppendFields(const OpenSessionView& op, WireWriter* out) {
  out->Bytes(1, op.secret);
  out->Varint(2, op.timeout_ms);
  out->Varint(3, op.disconnect_grace_ms);
  out->Bytes(4, op.name);
  out->Bytes(5, op.address);
}

void AppendFields(const RequestHead& head, WireWriter* out) {
  out->Varint(1, head.number);
  out->Varint(2, head.id);
  out->Varint(3, head.local ? 1 : 0);
}

void AppendFields(const Origin& origin, WireWriter* out) {
  out->Varint(1, origin.node.value);
  out->Varint(2, origin.boot.value);
  out->Varint(3, origin.tag);
}

template <typename Op>
std::string EncodeRequest(const RequestHead& head, RequestKind kind, const Op& op) {
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(head, &out);
  const std::size_t mark = out.Open(static_cast<std::uint32_t>(kind));
  AppendFields(op, &out);
  out.Close(mark);
  return bytes;
}

std::string EncodeEmpty(const RequestHead& head, RequestKind kind) {
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(head, &out);
  out.BytesAlways(static_cast<std::uint32_t>(kind), {});
  return bytes;
}

// Its field in Operation.
constexpr std::uint32_t MemberOf(RequestKind kind) {
  switch (kind) {
    case RequestKind::kCreate:
      return 1;
    case RequestKind::kDelete:
      return 2;
    case RequestKind::kSet:
      return 3;
    case RequestKind::kCheck:
      return 4;
    case RequestKind::kSetAcl:
      return 6;
    default:
      return 5;  // kDeleteSubtree
  }
}

}  // namespace

std::string EncodeCreate(const RequestHead& head, const CreateView& op) {
  return EncodeRequest(head, RequestKind::kCreate, op);
}
std::string EncodeDelete(const RequestHead& head, const DeleteView& op) {
  return EncodeRequest(head, RequestKind::kDelete, op);
}
std::string EncodeSet(const RequestHead& head, const SetView& op) {
  return EncodeRequest(head, RequestKind::kSet, op);
}
std::string EncodeCloseSession(const RequestHead& head) {
  return EncodeEmpty(head, RequestKind::kCloseSession);
}
std::string EncodeDeleteSubtree(const RequestHead& head, const DeleteView& op) {
  return EncodeRequest(head, RequestKind::kDeleteSubtree, op);
}
std::string EncodeSetAcl(const RequestHead& head, const SetAclView& op) {
  return EncodeRequest(head, RequestKind::kSetAcl, op);
}
std::string EncodeSetQuota(const RequestHead& head, const SetQuotaView& op) {
  return EncodeRequest(head, RequestKind::kSetQuota, op);
}
std::string EncodeAuthenticate(const RequestHead& head, const AuthenticateView& op) {
  return EncodeRequest(head, RequestKind::kAuthenticate, op);
}

std::string EncodeWithoutCredentials(const RequestView& request) {
  const RequestHead head{request.number, request.id, request.local};
  if (request.kind == RequestKind::kAuthenticate) {
    AuthenticateView op;
    if (!AuthenticateView::Parse(request.body, &op)) op.scheme = {};
    return EncodeAuthenticate(head, {op.scheme, {}});
  }
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(head, &out);
  if (request.kind != RequestKind::kNone) out.BytesAlways(static_cast<std::uint32_t>(request.kind), request.body);
  return bytes;
}

std::string EncodeNothing(std::uint64_t number) {
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(RequestHead{.number = number}, &out);
  return bytes;
}

std::string EncodeGet(const RequestHead& head, absl::string_view path) {
  return EncodeRequest(head, RequestKind::kGet, PathView{path});
}
std::string EncodeExists(const RequestHead& head, absl::string_view path) {
  return EncodeRequest(head, RequestKind::kExists, PathView{path});
}
std::string EncodeChildren(const RequestHead& head, const PageView& op) {
  return EncodeRequest(head, RequestKind::kChildren, op);
}
std::string EncodeList(const RequestHead& head, const PageView& op) {
  return EncodeRequest(head, RequestKind::kList, op);
}
std::string EncodeSync(const RequestHead& head) {
  return EncodeEmpty(head, RequestKind::kSync);
}
std::string EncodeCountDescendants(const RequestHead& head, absl::string_view path) {
  return EncodeRequest(head, RequestKind::kCountDescendants, PathView{path});
}
std::string EncodeEphemerals(const RequestHead& head, const EphemeralsView& op) {
  return EncodeRequest(head, RequestKind::kEphemerals, op);
}
std::string EncodeGetAcl(const RequestHead& head, absl::string_view path) {
  return EncodeRequest(head, RequestKind::kGetAcl, PathView{path});
}
std::string EncodeQuotas(const RequestHead& head, const EphemeralsView& op) {
  return EncodeRequest(head, RequestKind::kQuotas, op);
}
std::string EncodeWhoAmI(const RequestHead& head) {
  return EncodeEmpty(head, RequestKind::kWhoAmI);
}
std::string EncodeSessions(const RequestHead& head, const SessionsView& op) {
  return EncodeRequest(head, RequestKind::kSessions, op);
}
std::string EncodeAddWatch(const RequestHead& head, const AddWatchView& op) {
  return EncodeRequest(head, RequestKind::kAddWatch, op);
}
std::string EncodeRemoveWatch(const RequestHead& head, const RemoveWatchView& op) {
  return EncodeRequest(head, RequestKind::kRemoveWatch, op);
}

MultiReadBuilder& MultiReadBuilder::Get(absl::string_view path) {
  return Add(1, PathView{path});
}
MultiReadBuilder& MultiReadBuilder::Exists(absl::string_view path) {
  return Add(2, PathView{path});
}
MultiReadBuilder& MultiReadBuilder::Children(const PageView& op) {
  return Add(3, op);
}

template <typename Op>
MultiReadBuilder& MultiReadBuilder::Add(std::uint32_t member, const Op& op) {
  WireWriter out(&body_);
  const std::size_t mark = out.Open(1);
  const std::size_t inner = out.Open(member);
  AppendFields(op, &out);
  out.Close(inner);
  out.Close(mark);
  return *this;
}

std::string MultiReadBuilder::Encode(const RequestHead& head) const {
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(head, &out);
  out.BytesAlways(static_cast<std::uint32_t>(RequestKind::kMultiRead), body_);
  return bytes;
}

TransactionBuilder& TransactionBuilder::Compare(const CompareView& compare) {
  WireWriter out(&body_);
  const std::size_t mark = out.Open(1);
  out.Bytes(1, compare.path);
  out.Varint(2, static_cast<std::uint32_t>(compare.field));
  out.Varint(3, static_cast<std::uint32_t>(compare.relation));
  out.Varint(4, compare.value);
  out.Close(mark);
  return *this;
}

template <typename Op>
TransactionBuilder& TransactionBuilder::Add(std::uint32_t branch, RequestKind kind, const Op& op) {
  WireWriter out(&body_);
  const std::size_t mark = out.Open(branch);
  const std::size_t inner = out.Open(MemberOf(kind));
  AppendFields(op, &out);
  out.Close(inner);
  out.Close(mark);
  return *this;
}
template TransactionBuilder& TransactionBuilder::Add(std::uint32_t, RequestKind, const CreateView&);
template TransactionBuilder& TransactionBuilder::Add(std::uint32_t, RequestKind, const DeleteView&);
template TransactionBuilder& TransactionBuilder::Add(std::uint32_t, RequestKind, const SetView&);
template TransactionBuilder& TransactionBuilder::Add(std::uint32_t, RequestKind, const SetAclView&);

std::string TransactionBuilder::Encode(const RequestHead& head) const {
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(head, &out);
  out.BytesAlways(static_cast<std::uint32_t>(RequestKind::kTransaction), body_);
  return bytes;
}

void AppendIdentity(std::uint32_t field, const Identity& identity, WireWriter* out) {
  const std::size_t mark = out->Open(field);
  out->Bytes(1, identity.scheme);
  out->Bytes(2, identity.id);
  out->Close(mark);
}

std::string EncodeRequestCommand(const Origin& origin, base::SessionId session, std::uint64_t seen, absl::string_view request) {
  std::string bytes;
  bytes.reserve(request.size() + 48);
  WireWriter out(&bytes);
  AppendFields(origin, &out);
  out.Varint(4, session.value);
  out.Varint(5, seen);
  out.BytesAlways(static_cast<std::uint32_t>(CommandKind::kRequest), request);
  return bytes;
}

std::string EncodeOpenCommand(const Origin& origin, const OpenSessionView& open) {
  std::string bytes;
  WireWriter out(&bytes);
  AppendFields(origin, &out);
  const std::size_t mark = out.Open(static_cast<std::uint32_t>(CommandKind::kOpen));
  AppendFields(open, &out);
  out.Close(mark);
  return bytes;
}

std::string EncodeExpireCommand(raft::Term term, absl::Span<const base::SessionId> sessions) {
  std::string bytes;
  WireWriter out(&bytes);
  const std::size_t mark = out.Open(static_cast<std::uint32_t>(CommandKind::kExpire));
  out.Varint(1, term.value);
  if (!sessions.empty()) {
    const std::size_t ids = out.Open(2);
    for (const base::SessionId session : sessions) out.PackedVarint(session.value);
    out.Close(ids);
  }
  out.Close(mark);
  return bytes;
}

std::string EncodeReapCommand(absl::Span<const ReapedNodeView> nodes) {
  std::string bytes;
  WireWriter out(&bytes);
  const std::size_t mark = out.Open(static_cast<std::uint32_t>(CommandKind::kReap));
  for (const ReapedNodeView& node : nodes) {
    const std::size_t at = out.Open(1);
    out.Bytes(1, node.path);
    out.Varint(2, node.czxid.value);
    out.Close(at);
  }
  out.Close(mark);
  return bytes;
}

void AppendBatchTime(base::WallTime time, std::string* batch) {
  WireWriter(batch).Signed(1, time.value);
}

void AppendCommand(absl::string_view command, std::string* batch) {
  WireWriter(batch).BytesAlways(2, command);
}

BatchBuilder::BatchBuilder(base::WallTime time) {
  AppendBatchTime(time, &out_);
}

void BatchBuilder::AddRequest(const Origin& origin, base::SessionId session, std::uint64_t seen, absl::string_view request,
                              absl::string_view address, absl::Span<const Identity> identities) {
  WireWriter out(&out_);
  const std::size_t mark = out.Open(2);
  AppendFields(origin, &out);
  out.Varint(4, session.value);
  out.Varint(5, seen);
  for (const Identity& identity : identities) AppendIdentity(6, identity, &out);
  out.Bytes(7, address);
  out.BytesAlways(static_cast<std::uint32_t>(CommandKind::kRequest), request);
  out.Close(mark);
  ++count_;
}

void BatchBuilder::AddOpen(const Origin& origin, const OpenSessionView& open) {
  AppendCommand(EncodeOpenCommand(origin, open), &out_);
  ++count_;
}

void BatchBuilder::AddExpire(raft::Term term, absl::Span<const base::SessionId> sessions) {
  AppendCommand(EncodeExpireCommand(term, sessions), &out_);
  ++count_;
}

void BatchBuilder::AddReap(absl::Span<const ReapedNodeView> nodes) {
  AppendCommand(EncodeReapCommand(nodes), &out_);
  ++count_;
}

}  // namespace drover::coord::tree
