#include "coord/tree/writes.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "coord/tree/answer.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

constexpr std::size_t kSequenceDigits = 10;

// Fields of TransactionResult and OperationResult.
constexpr std::uint32_t kSucceeded = 1;
constexpr std::uint32_t kResults = 2;
constexpr std::uint32_t kResultCode = 1;

void AppendStat(std::uint32_t field, const Stat& stat, base::WireWriter* out) {
  const std::size_t mark = out->Open(field);
  stat.AppendFields(out);
  out->Close(mark);
}

bool VersionIs(std::uint32_t version, std::uint32_t version_plus_one) {
  return version_plus_one == 0 || version == version_plus_one - 1;
}

// False for a field that we do not know. `node` may be null.
bool ValueOf(CompareField field, const Node* node, std::uint64_t* value) {
  const Stat stat = node == nullptr ? Stat() : node->stat();
  switch (field) {
    case CompareField::kUnspecified:
      return false;
    case CompareField::kExists:
      *value = node != nullptr ? 1 : 0;
      return true;
    case CompareField::kCzxid:
      *value = stat.czxid.value;
      return true;
    case CompareField::kMzxid:
      *value = stat.mzxid.value;
      return true;
    case CompareField::kPzxid:
      *value = stat.pzxid.value;
      return true;
    case CompareField::kVersion:
      *value = stat.version;
      return true;
    case CompareField::kCversion:
      *value = stat.cversion;
      return true;
    case CompareField::kEphemeralOwner:
      *value = stat.ephemeral_owner.value;
      return true;
    case CompareField::kDataLength:
      *value = stat.data_length;
      return true;
    case CompareField::kNumChildren:
      *value = stat.num_children;
      return true;
    case CompareField::kCtime:
      *value = static_cast<std::uint64_t>(stat.ctime.value);
      return true;
    case CompareField::kMtime:
      *value = static_cast<std::uint64_t>(stat.mtime.value);
      return true;
    case CompareField::kAversion:
      *value = stat.aversion;
      return true;
  }
  return false;
}

// False for a relation that we do not know.
bool Holds(CompareRelation relation, std::uint64_t a, std::uint64_t b, bool* holds) {
  switch (relation) {
    case CompareRelation::kEqual:
      *holds = a == b;
      return true;
    case CompareRelation::kNotEqual:
      *holds = a != b;
      return true;
    case CompareRelation::kLess:
      *holds = a < b;
      return true;
    case CompareRelation::kGreater:
      *holds = a > b;
      return true;
  }
  return false;
}

}  // namespace

Code Writer::RefuseVersion(absl::string_view what, std::uint32_t version, std::uint32_t version_plus_one) {
  text_.assign(what.data(), what.size());
  text_ += " has version " + std::to_string(version) + ", not " + std::to_string(version_plus_one - 1);
  message_ = text_;
  return Code::kBadVersion;
}

void Writer::Tell(EventType type, absl::string_view path, const Node& node, const Stat& stat) {
  const AclTable& acls = tree_->acls();
  const bool of_parent = type != EventType::kChanged && node.parent() != nullptr;
  recorder_->Add(type, path, stat, node.data(), {acls.Share(node.acl()), of_parent ? acls.Share(node.parent()->acl()) : nullptr});
}

Code Writer::Apply(const WriteContext& context, RequestKind kind, absl::string_view body, std::string* fields) {
  message_ = {};
  subtree_nodes_ = 0;
  base::WireWriter out(fields);
  tree_->Begin(context.zxid, context.time);
  const Code code = kind == RequestKind::kTransaction
                        ? Transact(context, body, &out)
                        : Operate(context, kind, body,
                                  {AnswerField::kPath, AnswerField::kStat, AnswerField::kCount, AnswerField::kExisted}, &out);
  if (code == Code::kOk) {
    tree_->Commit();
  } else {
    tree_->Rollback();
    recorder_->Rollback();
  }
  return code;
}

void Writer::DeleteEphemerals(const WriteContext& context, base::SessionId session) {
  tree_->Begin(context.zxid, context.time);
  for (const Ephemerals* nodes; (nodes = tree_->EphemeralsOf(session)) != nullptr;) {
    const Node* const node = *nodes->begin();
    node->PathTo(&path_);
    Tell(EventType::kDeleted, path_, *node);
    tree_->Delete(node);
  }
  tree_->Commit();
}

Code Writer::Operate(const WriteContext& context, RequestKind kind, absl::string_view body, ResultFields fields,
                     base::WireWriter* out) {
  constexpr const char* kMalformed = "the operation is malformed";
  switch (kind) {
    case RequestKind::kCreate: {
      CreateView op;
      if (!CreateView::Parse(body, &op)) return Refuse(Code::kInvalidArgument, kMalformed);
      if (context.level < base::kMoreOperations) {
        op.container = op.if_absent = false;
        op.ttl_ms = 0;
      }
      if (context.level < base::kAccessControl) op.has_acl = false;
      return Create(context, op, fields, out);
    }
    case RequestKind::kDelete: {
      DeleteView op;
      return DeleteView::Parse(body, &op) ? Delete(context, op) : Refuse(Code::kInvalidArgument, kMalformed);
    }
    case RequestKind::kSet: {
      SetView op;
      return SetView::Parse(body, &op) ? Set(context, op, fields, out) : Refuse(Code::kInvalidArgument, kMalformed);
    }
    case RequestKind::kCheck:
    case RequestKind::kDeleteSubtree: {
      if (context.level < base::kMoreOperations) break;
      DeleteView op;
      if (!DeleteView::Parse(body, &op)) return Refuse(Code::kInvalidArgument, kMalformed);
      return kind == RequestKind::kCheck ? Check(context, op) : DeleteSubtree(context, op, fields, out);
    }
    case RequestKind::kSetAcl: {
      if (context.level < base::kAccessControl) break;
      SetAclView op;
      return SetAclView::Parse(body, &op) ? SetAcl(context, op, fields, out) : Refuse(Code::kInvalidArgument, kMalformed);
    }
    case RequestKind::kSetQuota: {
      if (context.level < base::kAccessControl) break;
      SetQuotaView op;
      return SetQuotaView::Parse(body, &op) ? SetQuota(context, op) : Refuse(Code::kInvalidArgument, kMalformed);
    }
    default:
      break;
  }
  return Refuse(Code::kInvalidArgument, "this is not a write");
}

Code Writer::ReadAcl(const Asker& asker, absl::string_view bytes, std::optional<Acl>* out) {
  if (!ParseAclEntries(bytes, &entries_)) return Refuse(Code::kInvalidAcl, "the ACL is malformed");
  if (entries_.size() > options_->acl_entries_max) return Refuse(Code::kTooLarge, "the ACL has too many entries");
  std::vector<AclEntry> entries;
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const AclEntry& entry = *at;
    if (std::find(entries_.begin(), at, entry) != at) continue;  // said before
    if (entry.id.size() > options_->acl_id_bytes_max) return Refuse(Code::kTooLarge, "an id of the ACL is too long");
    const std::size_t before = entries.size();
    if (entry.scheme != Scheme::kAuth) {
      entries.push_back(entry);
    } else {
      for (const Identity& identity : asker.identities) {
        if (identity.scheme != Scheme::kSuper) entries.push_back({entry.permissions, identity.scheme, identity.id});
      }
    }
    if (entries.size() == before) return Refuse(Code::kInvalidAcl, "scheme auth is for who has authenticated before");
    for (std::size_t i = before; i < entries.size(); ++i) {
      if (const char* const fault = AclEntryFault(entries[i])) return Refuse(Code::kInvalidAcl, fault);
    }
  }
  if (entries.empty()) return Refuse(Code::kInvalidAcl, "the ACL has no entry: nobody could do anything with the node");
  *out = Acl(std::move(entries));
  return tree_->acls().Admits(**out) ? Code::kOk : Refuse(Code::kResourceExhausted, "the tree has too many different ACLs");
}

Code Writer::WithinQuotas(const Node* node, std::uint64_t nodes, std::uint64_t bytes) {
  if (tree_->quotas().empty()) return Code::kOk;
  for (; node != nullptr; node = node->parent()) {
    if (!node->has_quota()) continue;
    const Quota quota = tree_->QuotaOf(*node);
    const bool nodes_over = nodes > 0 && quota.nodes_max != 0 && node->descendants() + 1 + nodes > quota.nodes_max;
    const bool bytes_over =
        bytes > 0 && quota.bytes_max != 0 && node->descendant_bytes() + node->data().size() + bytes > quota.bytes_max;
    if (!nodes_over && !bytes_over) continue;
    text_ = "the quota of " + node->Path() + " is reached: at most " +
            std::to_string(nodes_over ? quota.nodes_max : quota.bytes_max) + (nodes_over ? " nodes" : " bytes of data");
    message_ = text_;
    return Code::kQuotaExceeded;
  }
  return Code::kOk;
}

Code Writer::Create(const WriteContext& context, const CreateView& op, ResultFields fields, base::WireWriter* out) {
  if (op.path.size() + (op.sequential ? kSequenceDigits : 0) > options_->path_bytes_max) {
    return Refuse(Code::kTooLarge, "the path is too long");
  }
  if (const char* const fault = op.sequential ? SequentialPathFault(op.path) : PathFault(op.path)) {
    return Refuse(Code::kInvalidArgument, fault);
  }
  if (op.data.size() > options_->data_bytes_max) return Refuse(Code::kTooLarge, "the data is over the limit of a node");
  if (op.ephemeral && context.session == base::SessionId()) {
    return Refuse(Code::kInvalidArgument, "an ephemeral node needs a session");
  }
  if (op.container + op.ephemeral + (op.ttl_ms != 0) > 1) {
    return Refuse(Code::kInvalidArgument, "a node is ephemeral, or a container, or has a time to live: one of these");
  }
  if (op.ttl_ms > options_->ttl_ms_max)
    return Refuse(Code::kInvalidArgument, "the time to live is negative, or longer than 2^48 - 1 ms");
  if (op.if_absent && op.sequential) {
    return Refuse(Code::kInvalidArgument, "a sequential node is never there already: `if_absent` makes no sense");
  }
  std::optional<Acl> acl;
  if (op.has_acl) {
    if (const Code code = ReadAcl(context.asker, op.acl, &acl); code != Code::kOk) return code;
  }
  if (op.path.size() == 1 && !op.sequential && !op.if_absent) return Refuse(Code::kNodeExists, "the root always exists");

  // The deepest ancestor that exists, and what is missing between it and the new node.
  const Node* parent = &tree_->root();
  const absl::string_view parent_path = ParentOf(op.path);
  absl::string_view missing = parent_path.substr(1);
  std::size_t growth = 0;
  for (absl::string_view rest = missing, name; NextComponent(&rest, &name); missing = rest) {
    const Node* const child = tree_->FindChild(*parent, name);
    if (child == nullptr) break;
    parent = child;
  }
  if (!missing.empty() && !op.parents) return Refuse(Code::kNoNode, "the parent does not exist");
  const bool may_create = tree_->Grants(*parent, Permission::kCreate, context.asker);
  if (!may_create && !op.if_absent) return Code::kNoAuth;

  path_.assign(op.path.data(), op.path.size());
  if (op.sequential) {
    char digits[24];
    const std::uint64_t count = missing.empty() ? parent->children_created() : 0;
    std::snprintf(digits, sizeof digits, "%010llu", static_cast<unsigned long long>(count));
    path_ += digits;
    if (path_.size() > options_->path_bytes_max) return Refuse(Code::kTooLarge, "the path is too long");
  }
  const absl::string_view name = NameOf(path_);
  if (const Node* const there = op.path.size() == 1 && !op.sequential ? &tree_->root()
                                : missing.empty()                     ? tree_->FindChild(*parent, name)
                                                                      : nullptr) {
    if (!op.if_absent) return Code::kNodeExists;
    out->Bytes(fields.path, path_);
    AppendStat(fields.stat, there->stat(), out);
    out->Varint(fields.existed, 1);
    return Code::kOk;
  }
  if (!may_create) return Code::kNoAuth;
  if (parent->ephemeral()) return Code::kNoChildrenForEphemerals;

  std::uint64_t nodes = 1;
  growth += Tree::kNodeBytes + name.size() + op.data.size() + (acl ? tree_->acls().Growth(*acl) : 0);
  for (absl::string_view rest = missing, above; NextComponent(&rest, &above); ++nodes) growth += Tree::kNodeBytes + above.size();
  if (const Code code = WithinQuotas(parent, nodes, op.data.size()); code != Code::kOk) return code;
  if (!Fits(growth)) return Refuse(Code::kResourceExhausted, "the tree is at its size limit");

  const Acl& list = acl ? *acl : Acl::Open();
  for (absl::string_view above; NextComponent(&missing, &above);) {
    parent = tree_->Create(parent, above, {}, Lifetime(), list);
    const auto path_end = static_cast<std::size_t>(above.data() + above.size() - op.path.data());
    Tell(EventType::kCreated, op.path.substr(0, path_end), *parent);
  }
  const Lifetime lifetime{op.ephemeral ? context.session : base::SessionId(), op.container, op.ttl_ms};
  const Node* const node = tree_->Create(parent, name, op.data, lifetime, list);
  const Stat stat = node->stat();
  Tell(EventType::kCreated, path_, *node, stat);
  out->Bytes(fields.path, path_);
  AppendStat(fields.stat, stat, out);
  return Code::kOk;
}

const Node* Writer::Find(absl::string_view path, Code* code) {
  *code = Code::kOk;
  if (path.size() > options_->path_bytes_max) {
    *code = Refuse(Code::kTooLarge, "the path is too long");
  } else if (const char* const fault = PathFault(path)) {
    *code = Refuse(Code::kInvalidArgument, fault);
  }
  if (*code != Code::kOk) return nullptr;
  const Node* const node = tree_->Find(path);
  if (node == nullptr) *code = Code::kNoNode;
  return node;
}

const Node* Writer::FindToDelete(const WriteContext& context, const DeleteView& op, Code* code) {
  if (op.path == "/") {
    *code = Refuse(Code::kInvalidArgument, "the root cannot be deleted");
    return nullptr;
  }
  const Node* const node = Find(op.path, code);
  if (node == nullptr && *code != Code::kNoNode) return nullptr;
  // Before whether the node is there: that is for who may read the parent to know.
  const Node* const parent = node != nullptr ? node->parent() : tree_->Find(ParentOf(op.path));
  if (parent == nullptr) return nullptr;
  if (!tree_->Grants(*parent, Permission::kDelete, context.asker)) {
    *code = Refuse(Code::kNoAuth, "the parent's access control list does not allow it: drover tree acl get shows it");
  } else if (node != nullptr && !VersionIs(node->version(), op.version_plus_one)) {
    *code = RefuseVersion("the node", node->version(), op.version_plus_one);
  }
  return *code == Code::kOk ? node : nullptr;
}

Code Writer::Check(const WriteContext& context, const DeleteView& op) {
  Code code;
  const Node* const node = Find(op.path, &code);
  if (node == nullptr) return code;
  if (!tree_->Grants(*node, Permission::kRead, context.asker)) return Code::kNoAuth;
  return VersionIs(node->version(), op.version_plus_one) ? Code::kOk
                                                         : RefuseVersion("the node", node->version(), op.version_plus_one);
}

Code Writer::DeleteSubtree(const WriteContext& context, const DeleteView& op, ResultFields fields, base::WireWriter* out) {
  Code code;
  const Node* const root = FindToDelete(context, op, &code);
  if (root == nullptr) return code;
  const std::uint64_t count = root->descendants() + 1;
  if (count > options_->subtree_nodes_max - subtree_nodes_) {
    return Refuse(Code::kTooLarge, "the subtree has more nodes than one write may delete: delete parts of it first");
  }
  subtree_.clear();
  for (SubtreeCursor cursor(*root, op.path); cursor.node() != nullptr; cursor.Next()) {
    if (!cursor.node()->children().empty() && !tree_->Grants(*cursor.node(), Permission::kDelete, context.asker)) {
      text_ = std::string(cursor.path()) + ": its access control list does not allow the deletion of its children";
      message_ = text_;
      return Code::kNoAuth;
    }
    subtree_.push_back(cursor.node());
  }
  subtree_nodes_ += count;
  for (; !subtree_.empty(); subtree_.pop_back()) {
    const Node* const node = subtree_.back();
    node->PathTo(&path_);
    Tell(EventType::kDeleted, path_, *node);
    tree_->Delete(node);
  }
  out->Varint(fields.count, count);
  return Code::kOk;
}

bool Writer::Reap(const WriteContext& context, absl::string_view path, base::Zxid czxid) {
  const Node* const node = IsPath(path) ? tree_->Find(path) : nullptr;
  if (node == nullptr || node->czxid() != czxid || !node->IsDue(context.time)) return false;
  tree_->Begin(context.zxid, context.time);
  Tell(EventType::kDeleted, path, *node);
  tree_->Delete(node);
  tree_->Commit();
  return true;
}

Code Writer::Delete(const WriteContext& context, const DeleteView& op) {
  Code code;
  const Node* const node = FindToDelete(context, op, &code);
  if (node == nullptr) return code;
  if (!node->children().empty()) return Code::kNotEmpty;
  Tell(EventType::kDeleted, op.path, *node);
  tree_->Delete(node);
  return Code::kOk;
}

Code Writer::Set(const WriteContext& context, const SetView& op, ResultFields fields, base::WireWriter* out) {
  if (op.data.size() > options_->data_bytes_max) return Refuse(Code::kTooLarge, "the data is over the limit of a node");
  Code code;
  const Node* const node = Find(op.path, &code);
  if (node == nullptr) return code;
  if (!tree_->Grants(*node, Permission::kWrite, context.asker)) return Code::kNoAuth;
  if (!VersionIs(node->version(), op.version_plus_one)) return RefuseVersion("the node", node->version(), op.version_plus_one);
  if (op.data.size() > node->data().size()) {
    const std::size_t growth = op.data.size() - node->data().size();
    if (const Code over = WithinQuotas(node, 0, growth); over != Code::kOk) return over;
    if (!Fits(growth)) return Refuse(Code::kResourceExhausted, "the tree is at its size limit");
  }
  tree_->SetData(node, op.data);
  const Stat stat = node->stat();
  Tell(EventType::kChanged, op.path, *node, stat);
  AppendStat(fields.stat, stat, out);
  return Code::kOk;
}

Code Writer::SetAcl(const WriteContext& context, const SetAclView& op, ResultFields fields, base::WireWriter* out) {
  Code code;
  const Node* const node = Find(op.path, &code);
  if (node == nullptr && code != Code::kNoNode) return code;
  std::optional<Acl> acl;
  if (const Code fault = ReadAcl(context.asker, op.acl, &acl); fault != Code::kOk) return fault;
  if (node == nullptr) return Code::kNoNode;
  if (!tree_->Grants(*node, Permission::kAdmin, context.asker)) return Code::kNoAuth;
  if (!VersionIs(node->aversion(), op.aversion_plus_one)) {
    return RefuseVersion("the node's access control list", node->aversion(), op.aversion_plus_one);
  }
  if (!Fits(tree_->acls().Growth(*acl))) return Refuse(Code::kResourceExhausted, "the tree is at its size limit");
  tree_->SetAcl(node, *acl);
  AppendStat(fields.stat, node->stat(), out);
  return Code::kOk;
}

Code Writer::SetQuota(const WriteContext& context, const SetQuotaView& op) {
  Code code;
  const Node* const node = Find(op.path, &code);
  if (node == nullptr) return code;
  if (!tree_->Grants(*node, Permission::kAdmin, context.asker)) return Code::kNoAuth;
  const Quota quota{op.nodes_max, op.bytes_max};
  if (quota != Quota() && !node->has_quota() && tree_->quotas().size() >= options_->quotas_max) {
    return Refuse(Code::kResourceExhausted, "the tree has too many quotas");
  }
  tree_->SetQuota(node, quota);
  return Code::kOk;
}

Code Writer::Compares(const TransactionView& transaction, bool* hold) {
  *hold = true;
  absl::string_view bytes;
  for (base::RepeatedBytes compares = transaction.compares(); compares.Next(&bytes);) {
    CompareView compare;
    if (!CompareView::Parse(bytes, &compare)) return Refuse(Code::kInvalidArgument, "a compare is malformed");
    if (compare.path.size() > options_->path_bytes_max) return Refuse(Code::kTooLarge, "a compare's path is too long");
    if (const char* const fault = PathFault(compare.path)) return Refuse(Code::kInvalidArgument, fault);
    const Node* const node = tree_->Find(compare.path);
    std::uint64_t value = 0;
    bool holds = false;
    if (!ValueOf(compare.field, node, &value) || !Holds(compare.relation, value, compare.value, &holds)) {
      return Refuse(Code::kInvalidArgument, "a compare has an unknown field or relation");
    }
    // A missing node has no other field than that it does not exist.
    if (!holds || (node == nullptr && compare.field != CompareField::kExists)) *hold = false;
  }
  return Code::kOk;
}

Code Writer::Transact(const WriteContext& context, absl::string_view body, base::WireWriter* out) {
  if (body.size() > options_->transaction_bytes_max) return Refuse(Code::kTooLarge, "the transaction is too large");
  TransactionView transaction;
  if (!TransactionView::Parse(body, &transaction)) return Refuse(Code::kInvalidArgument, "the transaction is malformed");
  const std::size_t max = options_->operations_max;
  if (transaction.compare_count > max || transaction.then_count > max || transaction.otherwise_count > max) {
    return Refuse(Code::kTooLarge, "the transaction has too many operations");
  }
  bool hold = false;
  if (const Code code = Compares(transaction, &hold); code != Code::kOk) return code;

  const std::size_t begin = out->size();
  const std::size_t mark = out->Open(AnswerField::kTransaction);
  out->Varint(kSucceeded, hold ? 1 : 0);
  const std::size_t count = hold ? transaction.then_count : transaction.otherwise_count;
  base::RepeatedBytes branch = hold ? transaction.then() : transaction.otherwise();
  absl::string_view bytes;
  Code code = Code::kOk;
  std::size_t done = 0;
  for (; branch.Next(&bytes); ++done) {
    const std::size_t result = out->Open(kResults);
    OperationView op;
    code = OperationView::Parse(bytes, &op) ? Operate(context, op.kind, op.body, {2, 3, 4, 5}, out)
                                            : Refuse(Code::kInvalidArgument, "an operation is malformed");
    if (code != Code::kOk) break;
    out->Close(result);
  }
  if (code == Code::kOk) {
    out->Close(mark);
    return code;
  }
  // Said anew: those before the refused one are undone, those behind it were not tried.
  out->out()->resize(begin);
  const std::size_t refused = out->Open(AnswerField::kTransaction);
  out->Varint(kSucceeded, hold ? 1 : 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Code result = i < done ? Code::kRolledBack : i == done ? code : Code::kNotTried;
    const std::size_t at = out->Open(kResults);
    out->Varint(kResultCode, static_cast<std::uint32_t>(result));
    out->Close(at);
  }
  out->Close(refused);
  return code;
}

}  // namespace drover::coord::tree
