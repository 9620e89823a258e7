#include "coord/tree/writes.h"

#include <cstdio>

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

bool VersionIs(const Node& node, std::uint32_t version_plus_one) {
  return version_plus_one == 0 || node.version() == version_plus_one - 1;
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

Code Writer::RefuseVersion(const Node& node, std::uint32_t version_plus_one) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "the node has version %lu, not %lu", static_cast<unsigned long>(node.version()),
                                 static_cast<unsigned long>(version_plus_one - 1));
  text_.assign(text, static_cast<std::size_t>(size));
  message_ = text_;
  return Code::kBadVersion;
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
    recorder_->Add(EventType::kDeleted, path_, node->stat(), {});
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
      return Create(context, op, fields, out);
    }
    case RequestKind::kDelete: {
      DeleteView op;
      return DeleteView::Parse(body, &op) ? Delete(op) : Refuse(Code::kInvalidArgument, kMalformed);
    }
    case RequestKind::kSet: {
      SetView op;
      return SetView::Parse(body, &op) ? Set(op, fields, out) : Refuse(Code::kInvalidArgument, kMalformed);
    }
    case RequestKind::kCheck:
    case RequestKind::kDeleteSubtree: {
      if (context.level < base::kMoreOperations) break;
      DeleteView op;
      if (!DeleteView::Parse(body, &op)) return Refuse(Code::kInvalidArgument, kMalformed);
      return kind == RequestKind::kCheck ? Check(op) : DeleteSubtree(op, fields, out);
    }
    default:
      break;
  }
  return Refuse(Code::kInvalidArgument, "this is not a write");
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
  if (op.ttl_ms > options_->ttl_ms_max) return Refuse(Code::kInvalidArgument, "the time to live is longer than 2^48 - 1 ms");
  if (op.if_absent && op.sequential) {
    return Refuse(Code::kInvalidArgument, "a sequential node is never there already: `if_absent` makes no sense");
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
  if (parent->ephemeral()) return Code::kNoChildrenForEphemerals;

  growth += Tree::kNodeBytes + name.size() + op.data.size();
  for (absl::string_view rest = missing, above; NextComponent(&rest, &above);) growth += Tree::kNodeBytes + above.size();
  if (!Fits(growth)) return Refuse(Code::kResourceExhausted, "the tree is at its size limit");

  for (absl::string_view above; NextComponent(&missing, &above);) {
    parent = tree_->Create(parent, above, {}, Lifetime());
    const auto path_end = static_cast<std::size_t>(above.data() + above.size() - op.path.data());
    recorder_->Add(EventType::kCreated, op.path.substr(0, path_end), parent->stat(), {});
  }
  const Lifetime lifetime{op.ephemeral ? context.session : base::SessionId(), op.container, op.ttl_ms};
  const Node* const node = tree_->Create(parent, name, op.data, lifetime);
  const Stat stat = node->stat();
  recorder_->Add(EventType::kCreated, path_, stat, op.data);
  out->Bytes(fields.path, path_);
  AppendStat(fields.stat, stat, out);
  return Code::kOk;
}

const Node* Writer::FindForChange(const DeleteView& op, Code* code) {
  *code = Code::kOk;
  if (op.path.size() > options_->path_bytes_max) {
    *code = Refuse(Code::kTooLarge, "the path is too long");
  } else if (const char* const fault = PathFault(op.path)) {
    *code = Refuse(Code::kInvalidArgument, fault);
  }
  if (*code != Code::kOk) return nullptr;
  const Node* const node = tree_->Find(op.path);
  if (node == nullptr) {
    *code = Code::kNoNode;
  } else if (!VersionIs(*node, op.version_plus_one)) {
    *code = RefuseVersion(*node, op.version_plus_one);
  }
  return *code == Code::kOk ? node : nullptr;
}

Code Writer::Check(const DeleteView& op) {
  Code code;
  (void)FindForChange(op, &code);
  return code;
}

Code Writer::DeleteSubtree(const DeleteView& op, ResultFields fields, base::WireWriter* out) {
  if (op.path == "/") return Refuse(Code::kInvalidArgument, "the root cannot be deleted");
  Code code;
  const Node* const root = FindForChange(op, &code);
  if (root == nullptr) return code;
  const std::uint64_t count = root->descendants() + 1;
  if (count > options_->subtree_nodes_max - subtree_nodes_) {
    return Refuse(Code::kTooLarge, "the subtree has more nodes than one write may delete: delete parts of it first");
  }
  subtree_nodes_ += count;
  subtree_.clear();
  for (SubtreeCursor cursor(*root, op.path); cursor.node() != nullptr; cursor.Next()) subtree_.push_back(cursor.node());
  for (; !subtree_.empty(); subtree_.pop_back()) {
    const Node* const node = subtree_.back();
    node->PathTo(&path_);
    recorder_->Add(EventType::kDeleted, path_, node->stat(), {});
    tree_->Delete(node);
  }
  out->Varint(fields.count, count);
  return Code::kOk;
}

bool Writer::Reap(const WriteContext& context, absl::string_view path, base::Zxid czxid) {
  const Node* const node = IsPath(path) ? tree_->Find(path) : nullptr;
  if (node == nullptr || node->czxid() != czxid || !node->IsDue(context.time)) return false;
  tree_->Begin(context.zxid, context.time);
  recorder_->Add(EventType::kDeleted, path, node->stat(), {});
  tree_->Delete(node);
  tree_->Commit();
  return true;
}

Code Writer::Delete(const DeleteView& op) {
  if (op.path == "/") return Refuse(Code::kInvalidArgument, "the root cannot be deleted");
  Code code;
  const Node* const node = FindForChange(op, &code);
  if (node == nullptr) return code;
  if (!node->children().empty()) return Code::kNotEmpty;
  recorder_->Add(EventType::kDeleted, op.path, node->stat(), {});
  tree_->Delete(node);
  return Code::kOk;
}

Code Writer::Set(const SetView& op, ResultFields fields, base::WireWriter* out) {
  if (op.path.size() > options_->path_bytes_max) return Refuse(Code::kTooLarge, "the path is too long");
  if (const char* const fault = PathFault(op.path)) return Refuse(Code::kInvalidArgument, fault);
  if (op.data.size() > options_->data_bytes_max) return Refuse(Code::kTooLarge, "the data is over the limit of a node");
  const Node* const node = tree_->Find(op.path);
  if (node == nullptr) return Code::kNoNode;
  if (!VersionIs(*node, op.version_plus_one)) return RefuseVersion(*node, op.version_plus_one);
  if (op.data.size() > node->data().size() && !Fits(op.data.size() - node->data().size())) {
    return Refuse(Code::kResourceExhausted, "the tree is at its size limit");
  }
  tree_->SetData(node, op.data);
  const Stat stat = node->stat();
  recorder_->Add(EventType::kChanged, op.path, stat, op.data);
  AppendStat(fields.stat, stat, out);
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
