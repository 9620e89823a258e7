#include "coord/tree/reads.h"

#include <algorithm>
#include <string>

#include "coord/tree/answer.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

// Room for head and Stat, so that most answers take one allocation.
constexpr std::size_t kAnswerBytes = 160;

class Reader {
 public:
  Reader(const Options& options, const Tree& tree, base::Zxid zxid, const RequestView& request)
      : options_(options), tree_(tree), request_(request), head_{.id = request.id, .zxid = zxid} {}

  base::Bytes Get(bool with_data) {
    PathView op;
    if (!PathView::Parse(request_.body, &op)) return Malformed();
    const Node* const node = Find(op.path);
    if (node == nullptr) return refusal_;
    const absl::string_view data = with_data ? node->data() : absl::string_view();
    Begin(data.size());
    AppendStat(AnswerField::kStat, *node);
    out_.Bytes(AnswerField::kData, data);
    return Finish();
  }

  base::Bytes Children() {
    PageView op;
    if (!PageView::Parse(request_.body, &op)) return Malformed();
    const Node* const node = Find(op.path);
    if (node == nullptr) return refusal_;
    Begin(0);
    const std::size_t limit = LimitOf(op);
    std::size_t count = 0;
    bool more = false;
    const auto& children = node->children();
    for (auto it = op.after.empty() ? children.begin() : children.upper_bound(op.after); it != children.end(); ++it) {
      const absl::string_view name = (*it)->name();
      if (count == limit || (count > 0 && out_.size() + name.size() > options_.page_bytes_max)) {
        more = true;
        break;
      }
      out_.BytesAlways(AnswerField::kNames, name);
      ++count;
    }
    out_.Varint(AnswerField::kMore, more ? 1 : 0);
    return Finish();
  }

  base::Bytes List() {
    PageView op;
    if (!PageView::Parse(request_.body, &op)) return Malformed();
    const Node* const node = Find(op.path);
    if (node == nullptr) return refusal_;
    if (!op.after.empty() && (!IsPath(op.after) || !IsAtOrBelow(op.after, op.path))) {
      return Refuse(Code::kInvalidArgument, "`after` is not a path of this subtree");
    }
    Begin(0);
    const std::size_t limit = LimitOf(op);
    std::size_t count = 0;
    bool more = false;
    SubtreeCursor cursor = op.after.empty() ? SubtreeCursor(*node, op.path) : SubtreeCursor(*node, op.path, op.after);
    for (; cursor.node() != nullptr; cursor.Next()) {
      const absl::string_view data = op.without_data ? absl::string_view() : cursor.node()->data();
      const std::size_t size = kAnswerBytes + cursor.path().size() + data.size();
      if (count == limit || (count > 0 && out_.size() + size > options_.page_bytes_max)) {
        more = true;
        break;
      }
      const std::size_t mark = out_.Open(AnswerField::kNodes);
      out_.Bytes(1, cursor.path());
      AppendStat(2, *cursor.node());
      out_.Bytes(3, data);
      out_.Close(mark);
      ++count;
    }
    out_.Varint(AnswerField::kMore, more ? 1 : 0);
    return Finish();
  }

  base::Bytes Sync() { return EncodeAnswer(head_); }

  base::Bytes Refuse(Code code, absl::string_view message) {
    head_.code = code;
    head_.message = message;
    return EncodeAnswer(head_);
  }

 private:
  base::Bytes Malformed() { return Refuse(Code::kInvalidArgument, "the operation is malformed"); }

  // Null: `refusal_` says why.
  const Node* Find(absl::string_view path) {
    if (path.size() > options_.path_bytes_max) {
      refusal_ = Refuse(Code::kTooLarge, "the path is too long");
      return nullptr;
    }
    if (const char* const fault = PathFault(path)) {
      refusal_ = Refuse(Code::kInvalidArgument, fault);
      return nullptr;
    }
    const Node* const node = tree_.Find(path);
    if (node == nullptr) refusal_ = Refuse(Code::kNoNode, {});
    return node;
  }

  std::size_t LimitOf(const PageView& op) const {
    return op.limit == 0 ? options_.page_nodes_max : std::min<std::size_t>(op.limit, options_.page_nodes_max);
  }

  void Begin(std::size_t data_size) {
    bytes_.reserve(kAnswerBytes + data_size);
    head_.AppendFields(&out_);
  }

  void AppendStat(std::uint32_t field, const Node& node) {
    const std::size_t mark = out_.Open(field);
    node.stat().AppendFields(&out_);
    out_.Close(mark);
  }

  base::Bytes Finish() { return base::Bytes::Adopt(std::move(bytes_)); }

  const Options& options_;
  const Tree& tree_;
  const RequestView& request_;
  AnswerHead head_;
  base::Bytes refusal_;
  std::string bytes_;
  base::WireWriter out_{&bytes_};
};

}  // namespace

base::Bytes AnswerRead(const Options& options, const Tree& tree, base::Zxid zxid, const RequestView& request) {
  Reader reader(options, tree, zxid, request);
  switch (request.kind) {
    case RequestKind::kGet:
      return reader.Get(true);
    case RequestKind::kExists:
      return reader.Get(false);
    case RequestKind::kChildren:
      return reader.Children();
    case RequestKind::kList:
      return reader.List();
    case RequestKind::kSync:
      return reader.Sync();
    default:
      return reader.Refuse(Code::kInvalidArgument, "this is not a read");
  }
}

}  // namespace drover::coord::tree
