#include "coord/tree/reads.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "coord/base/ip_address.h"
#include "coord/tree/answer.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

// Room for head and Stat, so that most answers take one allocation.
constexpr std::size_t kAnswerBytes = 160;

// Operations append the fields of their answer and return kOk, or a refusal that `message()` may say more of.
class Reader {
 public:
  Reader(const Options& options, const Tree& tree, const SessionTable& sessions, const Asker& asker)
      : options_(options), tree_(tree), sessions_(sessions), asker_(asker) {}

  // The encoded Answer to the whole request.
  base::Bytes Answer(const RequestView& request, base::Zxid zxid) {
    AnswerHead head{.id = request.id, .code = Operate(request.kind, request.body), .zxid = zxid, .message = message_};
    if (head.code != Code::kOk) return EncodeAnswer(head);
    head.AppendFields(&out_);
    return base::Bytes::Adopt(std::move(bytes_));
  }

 private:
  Code Operate(RequestKind kind, absl::string_view body) {
    message_ = {};
    switch (kind) {
      case RequestKind::kGet:
        return Get(body, true);
      case RequestKind::kExists:
        return Get(body, false);
      case RequestKind::kChildren:
        return Children(body);
      case RequestKind::kList:
        return List(body);
      case RequestKind::kSync:
        return Code::kOk;
      case RequestKind::kMultiRead:
        return MultiRead(body);
      case RequestKind::kCountDescendants:
        return CountDescendants(body);
      case RequestKind::kEphemerals:
        return Ephemerals(body);
      case RequestKind::kGetAcl:
        return GetAcl(body);
      case RequestKind::kQuotas:
        return Quotas(body);
      case RequestKind::kWhoAmI:
        return WhoAmI();
      case RequestKind::kSessions:
        return Sessions(body);
      default:
        return Refuse(Code::kInvalidArgument, "this is not a read");
    }
  }

  Code Get(absl::string_view body, bool with_data) {
    PathView op;
    if (!PathView::Parse(body, &op)) return Malformed();
    Code code;
    const Node* const node = with_data ? FindReadable(op.path, &code) : Find(op.path, &code);
    if (node == nullptr) return code;
    const absl::string_view data = with_data ? node->data() : absl::string_view();
    Reserve(data.size());
    AppendStat(AnswerField::kStat, *node);
    out_.Bytes(AnswerField::kData, data);
    return Code::kOk;
  }

  Code Children(absl::string_view body) {
    PageView op;
    if (!PageView::Parse(body, &op)) return Malformed();
    Code code;
    const Node* const node = FindReadable(op.path, &code);
    if (node == nullptr) return code;
    const tree::Children& children = node->children();
    Page page(options_, op.limit, &bytes_);
    for (auto it = op.after.empty() ? children.begin() : children.upper_bound(op.after); it != children.end(); ++it) {
      const absl::string_view name = (*it)->name();
      if (!page.Takes(name.size())) break;
      out_.BytesAlways(AnswerField::kNames, name);
    }
    out_.Varint(AnswerField::kMore, page.more() ? 1 : 0);
    return Code::kOk;
  }

  Code List(absl::string_view body) {
    PageView op;
    if (!PageView::Parse(body, &op)) return Malformed();
    Code code;
    const Node* const node = FindReadable(op.path, &code);
    if (node == nullptr) return code;
    if (!op.after.empty() && (!IsPath(op.after) || !IsAtOrBelow(op.after, op.path))) {
      return Refuse(Code::kInvalidArgument, "`after` is not a path of this subtree");
    }
    Page page(options_, op.limit, &bytes_);
    const auto shows = [this](const Node& n) { return MayRead(n); };
    SubtreeCursor cursor = op.after.empty() ? SubtreeCursor(*node, op.path, shows) : SubtreeCursor(*node, op.path, op.after, shows);
    for (; cursor.node() != nullptr; cursor.Next()) {
      const bool hidden = !MayRead(*cursor.node());
      const absl::string_view data = op.without_data || hidden ? absl::string_view() : cursor.node()->data();
      if (!page.Takes(kAnswerBytes + cursor.path().size() + data.size())) break;
      AppendNode(cursor.path(), *cursor.node(), data, hidden);
    }
    out_.Varint(AnswerField::kMore, page.more() ? 1 : 0);
    return Code::kOk;
  }

  Code CountDescendants(absl::string_view body) {
    PathView op;
    if (!PathView::Parse(body, &op)) return Malformed();
    Code code;
    const Node* const node = FindReadable(op.path, &code);
    if (node == nullptr) return code;
    out_.Varint(AnswerField::kCount, node->descendants());
    return Code::kOk;
  }

  Code Ephemerals(absl::string_view body) {
    EphemeralsView op;
    if (!EphemeralsView::Parse(body, &op)) return Malformed();
    if (!op.path.empty()) {
      if (const Code code = CheckPath(op.path); code != Code::kOk) return code;
    }
    if (!op.after.empty() && !IsPath(op.after)) return Refuse(Code::kInvalidArgument, "`after` is not a path");
    const base::SessionId session = op.session == base::SessionId() ? asker_.session : op.session;
    if (session == base::SessionId())
      return Refuse(Code::kInvalidArgument, "outside of a session it must be said whose ephemerals");
    const tree::Ephemerals* const nodes = tree_.EphemeralsOf(session);
    if (nodes == nullptr) return Code::kOk;
    const bool own = session == asker_.session;
    PageOfNodes(
        op, nodes->lower_bound(op.after_czxid), nodes->end(), [&](const Node& node) { return own || MayRead(*node.parent()); },
        [&](absl::string_view path, const Node& node) { AppendNode(path, node, {}); });
    return Code::kOk;
  }

  Code Quotas(absl::string_view body) {
    EphemeralsView op;
    if (!EphemeralsView::Parse(body, &op)) return Malformed();
    Code code;
    const Node* const node = FindReadable(op.path, &code);
    if (node == nullptr) return code;
    if (!op.after.empty() && !IsPath(op.after)) return Refuse(Code::kInvalidArgument, "`after` is not a path");
    // Of the node itself there is always something to say.
    if (op.after.empty() && !node->has_quota()) AppendQuota(op.path, *node, Quota());
    const tree::Quotas& all = tree_.quotas();
    PageOfNodes(
        op, all.lower_bound(op.after_czxid), all.end(), [&](const Node& at) { return MayRead(at); },
        [&](absl::string_view path, const Node& at) { AppendQuota(path, at, tree_.QuotaOf(at)); });
    return Code::kOk;
  }

  Code GetAcl(absl::string_view body) {
    PathView op;
    if (!PathView::Parse(body, &op)) return Malformed();
    Code code;
    const Node* const node = Find(op.path, &code);
    if (node == nullptr) return code;
    if (!tree_.Grants(*node, Permission::kRead | Permission::kAdmin, asker_)) return Code::kNoAuth;
    AppendStat(AnswerField::kStat, *node);
    const Acl& acl = tree_.AclOf(*node);
    if (tree_.Grants(*node, Permission::kAdmin, asker_)) {
      out_.Bytes(AnswerField::kAcl, acl.encoded());
      return Code::kOk;
    }
    std::vector<AclEntry> entries = acl.entries();
    for (AclEntry& entry : entries) {
      if (entry.scheme == Scheme::kDigest) entry.id = absl::StrCat(entry.id.substr(0, entry.id.find(':')), ":x");
    }
    out_.Bytes(AnswerField::kAcl, Acl(std::move(entries)).encoded());
    return Code::kOk;
  }

  Code WhoAmI() {
    if (const std::string address = base::FormatIpAddress(asker_.address); !address.empty()) {
      AppendIdentity(AnswerField::kIdentities, {std::string(Scheme::kIp), address}, &out_);
    }
    for (Identity identity : asker_.identities) {
      if (identity.scheme == Scheme::kDigest) identity.id.resize(std::min(identity.id.find(':'), identity.id.size()));
      AppendIdentity(AnswerField::kIdentities, identity, &out_);
    }
    return Code::kOk;
  }

  Code Sessions(absl::string_view body) {
    SessionsView op;
    if (!SessionsView::Parse(body, &op)) return Malformed();
    Page page(options_, op.limit, &bytes_);
    const SessionTable::Map& all = sessions_.all();
    for (auto it = all.upper_bound(op.after); it != all.end(); ++it) {
      const Session& session = *it->second;
      if (!page.Takes(kAnswerBytes + session.name().size())) break;
      AppendSession(session);
    }
    out_.Varint(AnswerField::kMore, page.more() ? 1 : 0);
    return Code::kOk;
  }

  Code MultiRead(absl::string_view body) {
    MultiReadView op;
    if (!MultiReadView::Parse(body, &op)) return Malformed();
    if (op.count > options_.multi_read_max) return Refuse(Code::kTooLarge, "these are too many reads at once");
    absl::string_view bytes;
    for (base::RepeatedBytes reads = op.reads(); reads.Next(&bytes);) {
      const std::size_t mark = out_.Open(AnswerField::kReads);
      const std::size_t begin = out_.size();
      AnswerHead head{.code = ReadOne(bytes), .message = {}};
      if (head.code != Code::kOk) {
        bytes_.resize(begin);
        head.message = message_;
        head.AppendFields(&out_);
      }
      out_.Close(mark);
    }
    message_ = {};
    return Code::kOk;
  }

  Code ReadOne(absl::string_view bytes) {
    if (bytes_.size() >= options_.multi_read_bytes_max) {
      return Refuse(Code::kTooLarge, "the reads before it have answers enough for one frame: read this again by itself");
    }
    ReadOperationView op;
    if (!ReadOperationView::Parse(bytes, &op)) return Malformed();
    return Operate(op.kind, op.body);
  }

  static const Node& NodeAt(tree::Ephemerals::const_iterator it) { return **it; }
  static const Node& NodeAt(tree::Quotas::const_iterator it) { return *it->first; }

  // Nodes in the order of their creation, those at or below the path that is asked for and behind the place that is: as many as
  // belong to one answer.
  template <typename Iterator>
  void PageOfNodes(const EphemeralsView& op, Iterator it, Iterator end, absl::FunctionRef<bool(const Node&)> shown,
                   absl::FunctionRef<void(absl::string_view path, const Node&)> append) {
    Page page(options_, op.limit, &bytes_);
    std::string path;
    for (; it != end; ++it) {
      const Node& node = NodeAt(it);
      if (!shown(node)) continue;
      node.PathTo(&path);
      if (node.czxid() == op.after_czxid && ComparePaths(path, op.after) <= 0) continue;
      if (!op.path.empty() && !IsAtOrBelow(path, op.path)) continue;
      if (!page.Takes(kAnswerBytes + path.size())) break;
      append(path, node);
    }
    out_.Varint(AnswerField::kMore, page.more() ? 1 : 0);
  }

  // How many of the things that a list shows belong to one answer.
  class Page {
   public:
    Page(const Options& options, std::uint32_t limit, const std::string* answer)
        : limit_(limit == 0 ? options.page_nodes_max : std::min<std::size_t>(limit, options.page_nodes_max)),
          bytes_max_(options.page_bytes_max),
          begin_(answer->size()),
          answer_(answer) {}
    // Another one that takes so much; at least one is taken.
    bool Takes(std::size_t size) {
      more_ = count_ == limit_ || (count_ > 0 && answer_->size() - begin_ + size > bytes_max_);
      if (!more_) ++count_;
      return !more_;
    }
    [[nodiscard]] bool more() const { return more_; }

   private:
    const std::size_t limit_;
    const std::size_t bytes_max_;
    const std::size_t begin_;
    const std::string* const answer_;
    std::size_t count_ = 0;
    bool more_ = false;
  };

  Code Refuse(Code code, absl::string_view message) {
    message_ = message;
    return code;
  }
  Code Malformed() { return Refuse(Code::kInvalidArgument, "the operation is malformed"); }

  Code CheckPath(absl::string_view path) {
    if (path.size() > options_.path_bytes_max) return Refuse(Code::kTooLarge, "the path is too long");
    const char* const fault = PathFault(path);
    return fault == nullptr ? Code::kOk : Refuse(Code::kInvalidArgument, fault);
  }
  // Null: `code` says why.
  const Node* Find(absl::string_view path, Code* code) {
    *code = CheckPath(path);
    if (*code != Code::kOk) return nullptr;
    const Node* const node = tree_.Find(path);
    if (node == nullptr) *code = Code::kNoNode;
    return node;
  }
  [[nodiscard]] bool MayRead(const Node& node) const { return tree_.Grants(node, Permission::kRead, asker_); }
  const Node* FindReadable(absl::string_view path, Code* code) {
    const Node* const node = Find(path, code);
    if (node == nullptr || MayRead(*node)) return node;
    *code = Code::kNoAuth;
    return nullptr;
  }

  // So that most answers take one allocation.
  void Reserve(std::size_t data_size) {
    if (bytes_.capacity() < bytes_.size() + kAnswerBytes + data_size) bytes_.reserve(bytes_.size() + kAnswerBytes + data_size);
  }
  void AppendStat(std::uint32_t field, const Node& node) {
    const std::size_t mark = out_.Open(field);
    node.stat().AppendFields(&out_);
    out_.Close(mark);
  }
  void AppendNode(absl::string_view path, const Node& node, absl::string_view data, bool hidden = false) {
    const std::size_t mark = out_.Open(AnswerField::kNodes);
    out_.Bytes(1, path);
    AppendStat(2, node);
    out_.Bytes(3, data);
    out_.Varint(4, hidden ? 1 : 0);
    out_.Close(mark);
  }
  void AppendQuota(absl::string_view path, const Node& node, const Quota& quota) {
    const std::size_t mark = out_.Open(AnswerField::kQuotas);
    out_.Bytes(1, path);
    out_.Varint(2, quota.nodes_max);
    out_.Varint(3, quota.bytes_max);
    out_.Varint(4, node.descendants() + 1);
    out_.Varint(5, node.descendant_bytes() + node.data().size());
    out_.Varint(6, node.czxid().value);
    out_.Close(mark);
  }

  void AppendSession(const Session& session) {
    const tree::Ephemerals* const own = tree_.EphemeralsOf(session.id());
    const std::size_t mark = out_.Open(AnswerField::kSessions);
    out_.Varint(1, session.id().value);
    out_.Bytes(2, session.name());
    out_.Bytes(3, base::FormatIpAddress(session.address()));
    out_.Varint(4, session.timeout_ms());
    out_.Varint(5, session.disconnect_grace_ms());
    out_.Varint(6, own == nullptr ? 0 : own->size());
    out_.Close(mark);
  }

  const Options& options_;
  const Tree& tree_;
  const SessionTable& sessions_;
  const Asker& asker_;
  absl::string_view message_;  // a constant
  std::string bytes_;
  base::WireWriter out_{&bytes_};
};

}  // namespace

base::Bytes AnswerRead(const Options& options, const Tree& tree, const SessionTable& sessions, base::Zxid zxid,
                       const RequestView& request, const Asker& asker) {
  return Reader(options, tree, sessions, asker).Answer(request, zxid);
}

}  // namespace drover::coord::tree
