// The rules of writes: what ZooKeeper would refuse is refused, with its code and in its order of precedence; the rest is done.
//
// Order in which refusals are looked for. Create: INVALID_ARGUMENT or TOO_LARGE, INVALID_ACL, NO_NODE (the parent), NO_AUTH,
// NODE_EXISTS, NO_CHILDREN_FOR_EPHEMERALS, QUOTA_EXCEEDED, RESOURCE_EXHAUSTED. Delete: INVALID_ARGUMENT, NO_NODE (the
// parent), NO_AUTH (of the parent), NO_NODE, BAD_VERSION, NOT_EMPTY. DeleteSubtree and Check: the same, with TOO_LARGE in the place
// of NOT_EMPTY, and without. Set: INVALID_ARGUMENT or TOO_LARGE, NO_NODE, NO_AUTH, BAD_VERSION, QUOTA_EXCEEDED, RESOURCE_EXHAUSTED.
// SetAcl: INVALID_ARGUMENT, INVALID_ACL, NO_NODE, NO_AUTH, BAD_VERSION, RESOURCE_EXHAUSTED. SetQuota: INVALID_ARGUMENT, NO_NODE,
// NO_AUTH, RESOURCE_EXHAUSTED. A compare needs no permission: it tells what Exists tells everybody. Threads: one.
#ifndef DROVER_COORD_TREE_WRITES_H_
#define DROVER_COORD_TREE_WRITES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/base/wire.h"
#include "coord/tree/code.h"
#include "coord/tree/event.h"
#include "coord/tree/options.h"
#include "coord/tree/tree.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

// In whose name and when.
struct WriteContext {
  base::Zxid zxid;  // of the transaction, if it takes effect
  base::WallTime time;
  base::SessionId session;                               // 0: none, so it cannot own ephemerals
  base::FeatureLevel level = base::kNewestFeatureLevel;  // the cluster's: what came later is done as if nobody knew of it
  Asker asker = {};
};

class Writer {
 public:
  Writer(const Options* options, Tree* tree, EventRecorder* recorder) : options_(options), tree_(tree), recorder_(recorder) {}

  // Applies one Create, Delete, Set, DeleteSubtree, SetAcl, SetQuota or Transaction as one transaction: all of it with kOk, or
  // nothing with the code of the refusal. Events go to the recorder (its Begin was called). The answer's fields behind the head are
  // appended to `fields`.
  [[nodiscard]] Code Apply(const WriteContext& context, RequestKind kind, absl::string_view body, std::string* fields);

  // Deletes the ephemerals of a session, in creation order.
  void DeleteEphemerals(const WriteContext& context, base::SessionId session);

  // Deletes the container or node with a time to live at `path`, if it is the one created by `czxid` and its end has come.
  bool Reap(const WriteContext& context, absl::string_view path, base::Zxid czxid);

  // Says more than MessageOf about the last refusal; empty if there is nothing more to say. Until the next Apply.
  [[nodiscard]] absl::string_view message() const { return message_; }

 private:
  // One operation within a transaction that has begun. On kOk its fields, numbered as given, go to `out`.
  struct ResultFields {
    std::uint32_t path, stat, count, existed;
  };
  [[nodiscard]] Code Operate(const WriteContext& context, RequestKind kind, absl::string_view body, ResultFields fields,
                             base::WireWriter* out);
  [[nodiscard]] Code Create(const WriteContext& context, const CreateView& op, ResultFields fields, base::WireWriter* out);
  [[nodiscard]] Code Delete(const WriteContext& context, const DeleteView& op);
  [[nodiscard]] Code DeleteSubtree(const WriteContext& context, const DeleteView& op, ResultFields fields, base::WireWriter* out);
  [[nodiscard]] Code Check(const WriteContext& context, const DeleteView& op);
  // The node at `path`; null: `*code` says why not.
  [[nodiscard]] const Node* Find(absl::string_view path, Code* code);
  // The node that a deletion names, if who asks may delete it and it has the version; null: `*code` says why not.
  [[nodiscard]] const Node* FindToDelete(const WriteContext& context, const DeleteView& op, Code* code);
  [[nodiscard]] Code Set(const WriteContext& context, const SetView& op, ResultFields fields, base::WireWriter* out);
  [[nodiscard]] Code SetAcl(const WriteContext& context, const SetAclView& op, ResultFields fields, base::WireWriter* out);
  [[nodiscard]] Code SetQuota(const WriteContext& context, const SetQuotaView& op);
  // The list that a request asks for, each entry once, then "auth" replaced by what who asks has proved to be.
  [[nodiscard]] Code ReadAcl(const Asker& asker, absl::string_view bytes, std::optional<Acl>* out);
  // Whether the quotas above and at `node` leave room for so much more.
  [[nodiscard]] Code WithinQuotas(const Node* node, std::uint64_t nodes, std::uint64_t bytes);
  void Tell(EventType type, absl::string_view path, const Node& node) { Tell(type, path, node, node.stat()); }
  void Tell(EventType type, absl::string_view path, const Node& node, const Stat& stat);
  [[nodiscard]] Code Transact(const WriteContext& context, absl::string_view body, base::WireWriter* out);
  [[nodiscard]] Code Compares(const TransactionView& transaction, bool* hold);

  [[nodiscard]] Code Refuse(Code code, const char* message) {
    message_ = message;
    return code;
  }
  [[nodiscard]] Code RefuseVersion(absl::string_view what, std::uint32_t version, std::uint32_t version_plus_one);
  [[nodiscard]] bool Fits(std::size_t growth) const { return tree_->bytes() + growth <= options_->tree_bytes_max; }

  const Options* const options_;
  Tree* const tree_;
  EventRecorder* const recorder_;
  absl::string_view message_;  // a constant, or text_
  std::string text_;
  std::string path_;                  // scratch
  std::vector<const Node*> subtree_;  // scratch
  std::size_t subtree_nodes_ = 0;     // deleted by DeleteSubtree in this transaction
  std::vector<AclEntry> entries_;     // scratch
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_WRITES_H_
