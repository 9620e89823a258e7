// The znodes: structure, Stats and the undo of an unfinished transaction. Rules and refusals are writes.h, encodings reads.h.
//
// Mutations happen between Begin and Commit or Rollback; each sees the ones before it, and Rollback takes all of them back. Their
// arguments must be right already (the parent exists, the name is free ...): a wrong one is a bug, not an input.
// Memory: nodes (node.h) are owned by the tree and stay where they are; a pointer is good until the Commit of the transaction that
// deletes it.
// Threads: one.
#ifndef DROVER_COORD_TREE_TREE_H_
#define DROVER_COORD_TREE_TREE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/tree/acl.h"
#include "coord/tree/blob.h"
#include "coord/tree/image.h"
#include "coord/tree/node.h"

namespace drover::coord::tree {

class Tree {
 public:
  // What a node counts for besides its name and data. A leaf takes less in memory (README.md), one with children may take more.
  static constexpr std::size_t kNodeBytes = 256;

  Tree();
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  [[nodiscard]] const Node& root() const { return *root_; }
  // Null where there is none. `path` must be valid (path.h).
  [[nodiscard]] const Node* Find(absl::string_view path) const;
  [[nodiscard]] const Node* FindChild(const Node& parent, absl::string_view name) const;
  // Null where it has none.
  [[nodiscard]] const Ephemerals* EphemeralsOf(base::SessionId session) const;
  [[nodiscard]] const absl::btree_map<base::SessionId, Ephemerals>& ephemerals() const { return ephemerals_; }
  // Containers and nodes with a time to live.
  [[nodiscard]] const NodesByCreation& mortals() const { return mortals_; }
  [[nodiscard]] std::size_t node_count() const { return node_count_; }  // the root is one
  // Of nodes, names, data and access control lists.
  [[nodiscard]] std::size_t bytes() const { return bytes_ + acls_.bytes(); }
  [[nodiscard]] const AclTable& acls() const { return acls_; }
  [[nodiscard]] const Acl& AclOf(const Node& node) const { return acls_.Get(node.acl()); }
  [[nodiscard]] bool Grants(const Node& node, std::uint32_t any_of, const Asker& asker) const {
    return node.acl() == kOpenAcl || AclOf(node).Grants(any_of, asker);
  }
  [[nodiscard]] const Quotas& quotas() const { return quotas_; }
  // None: no bounds.
  [[nodiscard]] Quota QuotaOf(const Node& node) const;

  void Begin(base::Zxid zxid, base::WallTime time);
  // `acl` must be admitted by acls().
  const Node* Create(const Node* parent, absl::string_view name, absl::string_view data, const Lifetime& lifetime,
                     const Acl& acl = Acl::Open());
  void SetData(const Node* node, absl::string_view data);
  void SetAcl(const Node* node, const Acl& acl);
  // Without bounds: it has none any more.
  void SetQuota(const Node* node, const Quota& quota);
  void Delete(const Node* node);
  void Commit();
  void Rollback();

  // Of a snapshot, between transactions. The new node is returned; the root is there already, and only gets its state and data.
  // Their ACLs are made known before, and given up when all nodes are there.
  const Node* Restore(const Node* parent, absl::string_view name, absl::string_view data, const NodeState& state);
  void RestoreRoot(absl::string_view data, const NodeState& state);
  void RestoreQuota(const Node* node, const Quota& quota);
  AclTable* acls_to_restore() { return &acls_; }

  // Between transactions: from here until EndImage `sink` is told of each node that is there now, as it is now: when it is first
  // changed, or when Save is called for it. One image at a time.
  void BeginImage(ImageSink* sink);
  void EndImage();
  // Tells the sink of `node`, of those above it first; not of one that it was told of already, or that is newer than the image.
  void Save(const Node* node);

 private:
  enum class Change : std::uint8_t { kCreate, kSetData, kDelete, kSetAcl, kSetQuota };
  // What undoes one change: fields of the node (kSet...) or of its parent (else) as they were.
  struct Undo {
    Change change;
    Node* node;
    base::Zxid zxid = {};       // mzxid, or the parent's pzxid
    base::WallTime mtime = {};  // kSetData
    Blob data = {};             // kSetData
    AclNumber acl = kOpenAcl;   // kSetAcl
    Quota quota = {};           // kSetQuota, kDelete
  };

  Node* Own(const Node* node) { return const_cast<Node*>(node); }
  void BeforeChange(const Node* node) {
    if (image_sink_ != nullptr && node->image_ != image_) Save(node);
  }
  void Assign(Node* node, absl::string_view data, const NodeState& state);
  void Link(Node* node);
  void Unlink(Node* node);
  // Of the nodes above `node`: so many descendants more, with so many bytes more. (Fewer: modulo 2^64.)
  static void CountAbove(Node* node, std::uint64_t nodes, std::uint64_t bytes);
  // `data`, which is returned as it was, becomes the node's.
  Blob Exchange(Node* node, Blob data);
  void PutQuota(Node* node, const Quota& quota);

  Node* root_;
  std::size_t node_count_ = 1;
  std::size_t bytes_;
  absl::btree_map<base::SessionId, Ephemerals> ephemerals_;
  NodesByCreation mortals_;
  AclTable acls_;
  Quotas quotas_;

  bool open_ = false;
  base::Zxid zxid_;
  base::WallTime time_;
  std::vector<Undo> undo_;

  ImageNumber image_ = 0;
  ImageSink* image_sink_ = nullptr;
  std::vector<Node*> unsaved_;  // reused
};

// Walks a subtree in list order (a node, then its children by name, each with all below it), giving paths. Any change of the tree
// ends its use.
class SubtreeCursor {
 public:
  // What is below a node of which this is false is passed over. It must outlive the cursor.
  using Shows = absl::FunctionRef<bool(const Node&)>;

  // At `root`, whose path is `path`.
  SubtreeCursor(const Node& root, absl::string_view path, Shows shows = ShowsAll);
  // At the first node of the subtree behind `after` in list order. `after` is a valid path at or below `path`; it need not exist.
  SubtreeCursor(const Node& root, absl::string_view path, absl::string_view after, Shows shows = ShowsAll);

  [[nodiscard]] const Node* node() const { return node_; }  // null at the end
  [[nodiscard]] absl::string_view path() const { return path_; }
  void Next();

 private:
  static bool ShowsAll(const Node& /*node*/) { return true; }
  void Descend(const Node* child);
  // To the next sibling, or the next one of an ancestor within the subtree.
  void Climb();

  const Node* root_;
  const Node* node_;
  std::string path_;
  Shows shows_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_TREE_H_
