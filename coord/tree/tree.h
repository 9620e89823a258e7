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
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
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
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  void Begin(base::Zxid zxid, base::WallTime time);
  const Node* Create(const Node* parent, absl::string_view name, absl::string_view data, const Lifetime& lifetime);
  void SetData(const Node* node, absl::string_view data);
  void Delete(const Node* node);
  void Commit();
  void Rollback();

  // Of a snapshot, between transactions. The new node is returned; the root is there already, and only gets its state and data.
  const Node* Restore(const Node* parent, absl::string_view name, absl::string_view data, const NodeState& state);
  void RestoreRoot(absl::string_view data, const NodeState& state);

  // Between transactions: from here until EndImage `sink` is told of each node that is there now, as it is now: when it is first
  // changed, or when Save is called for it. One image at a time.
  void BeginImage(ImageSink* sink);
  void EndImage();
  // Tells the sink of `node`, of those above it first; not of one that it was told of already, or that is newer than the image.
  void Save(const Node* node);

 private:
  enum class Change : std::uint8_t { kCreate, kSetData, kDelete };
  // What undoes one change: fields of the node (kSetData) or of its parent (else) as they were.
  struct Undo {
    Change change;
    Node* node;
    base::Zxid zxid;       // mzxid, or the parent's pzxid
    base::WallTime mtime;  // kSetData
    Blob data;             // kSetData
  };

  Node* Own(const Node* node) { return const_cast<Node*>(node); }
  void BeforeChange(const Node* node) {
    if (image_sink_ != nullptr && node->image_ != image_) Save(node);
  }
  static void Assign(Node* node, absl::string_view data, const NodeState& state);
  void Link(Node* node);
  void Unlink(Node* node);
  // Of the nodes above `node`.
  static void CountDescendants(Node* node, std::uint64_t difference);

  Node* root_;
  std::size_t node_count_ = 1;
  std::size_t bytes_;
  absl::btree_map<base::SessionId, Ephemerals> ephemerals_;
  NodesByCreation mortals_;

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
  // At `root`, whose path is `path`.
  SubtreeCursor(const Node& root, absl::string_view path);
  // At the first node of the subtree behind `after` in list order. `after` is a valid path at or below `path`; it need not exist.
  SubtreeCursor(const Node& root, absl::string_view path, absl::string_view after);

  [[nodiscard]] const Node* node() const { return node_; }  // null at the end
  [[nodiscard]] absl::string_view path() const { return path_; }
  void Next();

 private:
  void Descend(const Node* child);
  // To the next sibling, or the next one of an ancestor within the subtree.
  void Climb();

  const Node* root_;
  const Node* node_;
  std::string path_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_TREE_H_
