// A znode: its place, its data, its Stat. Only a Tree makes, changes and frees nodes; for everybody else they are const.
//
// Memory: there are a million of these, so a node holds what every node has, and its name lies in the same allocation behind it.
// What few have (children, an owner ...) is an allocation of its own, made when it is first needed. README.md counts the bytes.
// Threads: one.
#ifndef DROVER_COORD_TREE_NODE_H_
#define DROVER_COORD_TREE_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/tree/acl.h"
#include "coord/tree/blob.h"
#include "coord/tree/image.h"
#include "coord/tree/stat.h"

namespace drover::coord::tree {

class Node;

// Children by the bytes of their names; looked up without making a Node.
struct NameOrder {
  using is_transparent = void;
  bool operator()(const Node* a, const Node* b) const;
  bool operator()(const Node* a, absl::string_view b) const;
  bool operator()(absl::string_view a, const Node* b) const;
};
using Children = absl::btree_set<Node*, NameOrder>;

// What a node is besides its place and its data. Of the Stat, what cannot be counted.
struct NodeState {
  base::Zxid czxid, mzxid, pzxid;
  base::WallTime ctime, mtime;
  base::SessionId ephemeral_owner;
  std::uint64_t children_created = 0;
  std::uint32_t version = 0;
  std::uint32_t aversion = 0;
  bool container = false;
  std::uint64_t ttl_ms = 0;
  AclNumber acl = kOpenAcl;  // of the tree's table
};

// Bounds of a subtree. 0: none.
struct Quota {
  std::uint64_t nodes_max = 0;  // at or below the node
  std::uint64_t bytes_max = 0;  // of their data

  friend bool operator==(const Quota&, const Quota&) = default;
};

// What ends a node, besides a Delete.
struct Lifetime {
  base::SessionId owner;     // with its session
  bool container = false;    // when it has had children and has none
  std::uint64_t ttl_ms = 0;  // when it has no children and was not set for so long
};

class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] const Node* parent() const { return parent_; }  // of the root: null
  [[nodiscard]] absl::string_view name() const { return {reinterpret_cast<const char*>(this) + kNameAt, name_size_}; }
  [[nodiscard]] absl::string_view data() const { return data_.view(); }
  [[nodiscard]] const Children& children() const { return rare_ == nullptr ? NoChildren() : rare_->children; }
  [[nodiscard]] base::Zxid czxid() const { return czxid_; }
  [[nodiscard]] bool ephemeral() const { return ephemeral_owner() != base::SessionId(); }
  [[nodiscard]] base::SessionId ephemeral_owner() const { return rare_ == nullptr ? base::SessionId() : rare_->owner; }
  [[nodiscard]] bool container() const { return rare_ != nullptr && rare_->ttl_ms == kContainer; }
  [[nodiscard]] std::uint64_t ttl_ms() const { return rare_ == nullptr || container() ? 0 : rare_->ttl_ms; }
  // A container or a node with a time to live, whose end has come by `now`.
  [[nodiscard]] bool IsDue(base::WallTime now) const;
  [[nodiscard]] std::uint32_t version() const { return version_; }
  // Children ever created: the next sequence suffix. (Stat.cversion counts deletions too.)
  [[nodiscard]] std::uint64_t children_created() const { return rare_ == nullptr ? 0 : rare_->children_created; }
  // At all depths, and the bytes of their data.
  [[nodiscard]] std::uint64_t descendants() const { return rare_ == nullptr ? 0 : rare_->descendants; }
  [[nodiscard]] std::uint64_t descendant_bytes() const { return rare_ == nullptr ? 0 : rare_->descendant_bytes; }
  [[nodiscard]] AclNumber acl() const { return acl_; }
  [[nodiscard]] std::uint32_t aversion() const { return rare_ == nullptr ? 0 : rare_->aversion; }
  [[nodiscard]] bool has_quota() const { return rare_ != nullptr && rare_->has_quota; }
  [[nodiscard]] Stat stat() const;
  [[nodiscard]] NodeState state() const;
  // What the tree's size counts for it.
  [[nodiscard]] std::size_t bytes() const;
  // Replaces `out` by its path.
  void PathTo(std::string* out) const;
  [[nodiscard]] std::string Path() const;

 private:
  friend class Tree;

  // In the place of a time to live.
  static constexpr std::uint64_t kContainer = UINT64_MAX;

  // Of a node that has or had children, ends by itself, or of which a snapshot says more than of one that was only created and set.
  struct Rare {
    Children children;
    base::Zxid pzxid;
    std::uint64_t children_created = 0;
    std::uint64_t descendants = 0;
    std::uint64_t descendant_bytes = 0;
    base::SessionId owner;
    std::uint64_t ttl_ms = 0;  // or kContainer
    std::uint32_t aversion = 0;
    bool has_quota = false;  // which is in the tree's list
  };

  // The name begins in the node's last bytes, which it would have for nothing but to fill it up to eight.
  static constexpr std::size_t kNameAt = 68;

  explicit Node(absl::string_view name);
  ~Node() = default;
  static Node* New(Node* parent, absl::string_view name);
  static void Free(Node* node);
  static const Children& NoChildren();

  [[nodiscard]] base::Zxid pzxid() const { return rare_ == nullptr ? czxid_ : rare_->pzxid; }
  // Makes it if it is not there; the node says the same with it as without.
  Rare& rare();

  Node* parent_ = nullptr;
  std::unique_ptr<Rare> rare_;
  Blob data_;
  base::Zxid czxid_, mzxid_;
  base::WallTime ctime_, mtime_;
  std::uint32_t version_ = 0;
  ImageNumber image_ = 0;  // the newest that has it, or that it is too new for
  const std::uint16_t name_size_;
  AclNumber acl_ = kOpenAcl;
  char name_begin_[4];
};

// Order in which a session's ephemerals end: by creation, and within one transaction by path. Looked up by zxid, too.
struct CreationOrder {
  using is_transparent = void;
  bool operator()(const Node* a, const Node* b) const;
  bool operator()(const Node* a, base::Zxid b) const { return a->czxid() < b; }
  bool operator()(base::Zxid a, const Node* b) const { return a < b->czxid(); }
};
using NodesByCreation = absl::btree_set<Node*, CreationOrder>;
using Ephemerals = NodesByCreation;
using Quotas = absl::btree_map<Node*, Quota, CreationOrder>;

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_NODE_H_
