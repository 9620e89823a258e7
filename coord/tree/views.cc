#include "coord/tree/views.h"

#include <algorithm>

namespace drover::coord::tree {
namespace {

using base::WireReader;
using base::WireType;
using base::WireWriter;

// The field that the reader is at, if it is `field` of the type that the variable's type has on the wire.
bool Take(const WireReader& in, std::uint32_t field, absl::string_view* value) {
  if (!in.Is(field, WireType::kBytes)) return false;
  *value = in.bytes();
  return true;
}

template <typename Number>
bool Take(const WireReader& in, std::uint32_t field, Number* value) {
  if (!in.Is(field, WireType::kVarint)) return false;
  *value = static_cast<Number>(in.number());
  return true;
}

template <>
bool Take<bool>(const WireReader& in, std::uint32_t field, bool* value) {
  if (!in.Is(field, WireType::kVarint)) return false;
  *value = in.number() != 0;
  return true;
}

// proto3 enums are 32 bits wide on the wire's receiving side.
template <typename Enum>
bool TakeEnum(const WireReader& in, std::uint32_t field, Enum* value) {
  std::uint32_t number = 0;
  if (!Take(in, field, &number)) return false;
  *value = static_cast<Enum>(number);
  return true;
}

}  // namespace

bool RequestView::Parse(absl::string_view bytes, RequestView* out) {
  *out = RequestView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->number) || Take(in, 2, &out->id) || Take(in, 3, &out->local)) continue;
    if (in.type() != WireType::kBytes) continue;
    if (in.field() == 4) out->has_auth = true;
    switch (const auto kind = static_cast<RequestKind>(in.field())) {
      case RequestKind::kCreate:
      case RequestKind::kDelete:
      case RequestKind::kSet:
      case RequestKind::kTransaction:
      case RequestKind::kCloseSession:
      case RequestKind::kDeleteSubtree:
      case RequestKind::kSetAcl:
      case RequestKind::kSetQuota:
      case RequestKind::kAuthenticate:
      case RequestKind::kGet:
      case RequestKind::kExists:
      case RequestKind::kChildren:
      case RequestKind::kList:
      case RequestKind::kSync:
      case RequestKind::kMultiRead:
      case RequestKind::kCountDescendants:
      case RequestKind::kEphemerals:
      case RequestKind::kGetAcl:
      case RequestKind::kQuotas:
      case RequestKind::kAddWatch:
      case RequestKind::kRemoveWatch:
      case RequestKind::kWhoAmI:
      case RequestKind::kSessions:
        out->kind = kind;
        out->body = in.bytes();
        break;
      case RequestKind::kNone:
      case RequestKind::kCheck:
        break;
    }
  }
  return in.ok();
}

bool CreateView::Parse(absl::string_view bytes, CreateView* out) {
  *out = CreateView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->data) || Take(in, 3, &out->ephemeral)) continue;
    if (Take(in, 4, &out->sequential) || Take(in, 5, &out->parents)) continue;
    if (Take(in, 6, &out->container) || Take(in, 7, &out->ttl_ms) || Take(in, 8, &out->if_absent)) continue;
    if (Take(in, 9, &out->acl)) out->has_acl = true;
  }
  return in.ok();
}

bool DeleteView::Parse(absl::string_view bytes, DeleteView* out) {
  *out = DeleteView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->version_plus_one)) continue;
  }
  return in.ok();
}

bool SetView::Parse(absl::string_view bytes, SetView* out) {
  *out = SetView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->data) || Take(in, 3, &out->version_plus_one)) continue;
  }
  return in.ok();
}

bool SetAclView::Parse(absl::string_view bytes, SetAclView* out) {
  *out = SetAclView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->acl) || Take(in, 3, &out->aversion_plus_one)) continue;
  }
  return in.ok();
}

bool SetQuotaView::Parse(absl::string_view bytes, SetQuotaView* out) {
  *out = SetQuotaView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->nodes_max) || Take(in, 3, &out->bytes_max)) continue;
  }
  return in.ok();
}

bool AuthenticateView::Parse(absl::string_view bytes, AuthenticateView* out) {
  *out = AuthenticateView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->scheme) || Take(in, 2, &out->credential)) continue;
  }
  return in.ok();
}

bool ParseIdentity(absl::string_view bytes, Identity* out) {
  absl::string_view scheme, id;
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &scheme) || Take(in, 2, &id)) continue;
  }
  *out = {std::string(scheme), std::string(id)};
  return in.ok();
}

bool CompareView::Parse(absl::string_view bytes, CompareView* out) {
  *out = CompareView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || TakeEnum(in, 2, &out->field)) continue;
    if (TakeEnum(in, 3, &out->relation) || Take(in, 4, &out->value)) continue;
  }
  return in.ok();
}

bool OperationView::Parse(absl::string_view bytes, OperationView* out) {
  *out = OperationView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->body)) out->kind = RequestKind::kCreate;
    if (Take(in, 2, &out->body)) out->kind = RequestKind::kDelete;
    if (Take(in, 3, &out->body)) out->kind = RequestKind::kSet;
    if (Take(in, 4, &out->body)) out->kind = RequestKind::kCheck;
    if (Take(in, 5, &out->body)) out->kind = RequestKind::kDeleteSubtree;
    if (Take(in, 6, &out->body)) out->kind = RequestKind::kSetAcl;
  }
  return in.ok();
}

bool TransactionView::Parse(absl::string_view bytes, TransactionView* out) {
  *out = TransactionView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes)) ++out->compare_count;
    if (in.Is(2, WireType::kBytes)) ++out->then_count;
    if (in.Is(3, WireType::kBytes)) ++out->otherwise_count;
  }
  return in.ok();
}

bool PathView::Parse(absl::string_view bytes, PathView* out) {
  *out = PathView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path)) continue;
  }
  return in.ok();
}

bool PageView::Parse(absl::string_view bytes, PageView* out) {
  *out = PageView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->after)) continue;
    if (Take(in, 3, &out->limit) || Take(in, 4, &out->without_data)) continue;
  }
  return in.ok();
}

bool MultiReadView::Parse(absl::string_view bytes, MultiReadView* out) {
  *out = MultiReadView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes)) ++out->count;
  }
  return in.ok();
}

bool ReadOperationView::Parse(absl::string_view bytes, ReadOperationView* out) {
  *out = ReadOperationView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->body)) out->kind = RequestKind::kGet;
    if (Take(in, 2, &out->body)) out->kind = RequestKind::kExists;
    if (Take(in, 3, &out->body)) out->kind = RequestKind::kChildren;
  }
  return in.ok();
}

bool EphemeralsView::Parse(absl::string_view bytes, EphemeralsView* out) {
  *out = EphemeralsView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->session.value) || Take(in, 2, &out->path) || Take(in, 3, &out->after_czxid.value)) continue;
    if (Take(in, 4, &out->after) || Take(in, 5, &out->limit)) continue;
  }
  return in.ok();
}

bool SessionsView::Parse(absl::string_view bytes, SessionsView* out) {
  *out = SessionsView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->after.value) || Take(in, 2, &out->limit)) continue;
  }
  return in.ok();
}

bool Position::Parse(absl::string_view bytes, Position* out) {
  *out = Position{base::Zxid(), 0};
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->zxid.value) || Take(in, 2, &out->ordinal)) continue;
  }
  return in.ok();
}

bool AddWatchView::Parse(absl::string_view bytes, AddWatchView* out) {
  *out = AddWatchView();
  absl::string_view after;
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->watch_id) || Take(in, 2, &out->path) || Take(in, 3, &out->kind)) continue;
    if (Take(in, 4, &out->with_data)) continue;
    if (Take(in, 5, &after)) out->has_after = true;
  }
  return in.ok() && (!out->has_after || Position::Parse(after, &out->after));
}

bool RemoveWatchView::Parse(absl::string_view bytes, RemoveWatchView* out) {
  *out = RemoveWatchView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->watch_id)) continue;
  }
  return in.ok();
}

bool CommandView::Parse(absl::string_view bytes, CommandView* out) {
  *out = CommandView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->origin.node.value) || Take(in, 2, &out->origin.boot.value) || Take(in, 3, &out->origin.tag)) continue;
    if (Take(in, 4, &out->session.value) || Take(in, 5, &out->seen) || Take(in, 7, &out->address)) continue;
    for (const CommandKind kind : {CommandKind::kRequest, CommandKind::kOpen, CommandKind::kExpire, CommandKind::kReap}) {
      if (Take(in, static_cast<std::uint32_t>(kind), &out->body)) out->kind = kind;
    }
  }
  return in.ok();
}

bool BatchView::Parse(absl::string_view bytes, BatchView* out) {
  *out = BatchView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->time.value)) continue;
    if (in.Is(2, WireType::kBytes)) ++out->command_count;
  }
  return in.ok();
}

bool BatchView::OnlyKnownCommands() const {
  absl::string_view command;
  for (base::RepeatedBytes all = commands(); all.Next(&command);) {
    CommandView view;
    if (!CommandView::Parse(command, &view) || view.kind == CommandKind::kNone) return false;
  }
  return true;
}

bool OpenSessionView::Parse(absl::string_view bytes, OpenSessionView* out) {
  *out = OpenSessionView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->secret) || Take(in, 2, &out->timeout_ms)) continue;
    if (Take(in, 3, &out->disconnect_grace_ms) || Take(in, 4, &out->name) || Take(in, 5, &out->address)) continue;
  }
  return in.ok();
}

bool ExpireSessionsView::Parse(absl::string_view bytes, ExpireSessionsView* out) {
  *out = ExpireSessionsView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->term.value)) continue;
    if (!in.Is(2, WireType::kBytes)) continue;
    base::PackedVarints packed(in.bytes());
    for (std::uint64_t id = 0; packed.Next(&id);) {
    }
    if (!packed.ok()) return false;
  }
  return in.ok();
}

void ExpireSessionsView::AppendIds(std::vector<base::SessionId>* ids) const {
  WireReader in(bytes);
  while (in.Next()) {
    std::uint64_t id = 0;
    if (Take(in, 2, &id)) ids->push_back(base::SessionId(id));
    if (!in.Is(2, WireType::kBytes)) continue;
    base::PackedVarints packed(in.bytes());
    while (packed.Next(&id)) ids->push_back(base::SessionId(id));
  }
}

bool ReapNodesView::Parse(absl::string_view bytes, ReapNodesView* out) {
  *out = ReapNodesView();
  out->bytes = bytes;
  absl::string_view node;
  WireReader in(bytes);
  while (in.Next()) {
    ReapedNodeView view;
    if (Take(in, 1, &node) && !ReapedNodeView::Parse(node, &view)) return false;
  }
  return in.ok();
}

bool ReapedNodeView::Parse(absl::string_view bytes, ReapedNodeView* out) {
  *out = ReapedNodeView();
  WireReader in(bytes);
  while (in.Next()) {
    if (Take(in, 1, &out->path) || Take(in, 2, &out->czxid.value)) continue;
  }
  return in.ok();
}

namespace {

// That knows one operation and all its fields.
base::FeatureLevel LevelOf(RequestKind kind, absl::string_view body) {
  switch (kind) {
    case RequestKind::kSetAcl:
    case RequestKind::kSetQuota:
    case RequestKind::kAuthenticate:
      return base::kAccessControl;
    case RequestKind::kDeleteSubtree:
    case RequestKind::kCheck:
      return base::kMoreOperations;
    case RequestKind::kCreate: {
      CreateView create;
      if (!CreateView::Parse(body, &create)) return base::kFirstFeatureLevel;
      if (create.has_acl) return base::kAccessControl;
      return create.container || create.ttl_ms != 0 || create.if_absent ? base::kMoreOperations : base::kFirstFeatureLevel;
    }
    default:
      return base::kFirstFeatureLevel;
  }
}

}  // namespace

base::FeatureLevel NeededLevel(const RequestView& request) {
  base::FeatureLevel needed = LevelOf(request.kind, request.body);
  TransactionView transaction;
  if (request.kind != RequestKind::kTransaction || !TransactionView::Parse(request.body, &transaction)) return needed;
  for (base::RepeatedBytes branch : {transaction.then(), transaction.otherwise()}) {
    OperationView op;
    for (absl::string_view bytes; branch.Next(&bytes);) {
      if (OperationView::Parse(bytes, &op)) needed = std::max(needed, LevelOf(op.kind, op.body));
    }
  }
  return needed;
}

}  // namespace drover::coord::tree
