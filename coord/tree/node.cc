#include "coord/tree/node.h"

#include <algorithm>
#include <limits>
#include <new>

#include "coord/base/check.h"
#include "coord/tree/tree.h"

namespace drover::coord::tree {
namespace {

std::size_t DepthOf(const Node* node) {
  std::size_t depth = 0;
  for (; node->parent() != nullptr; node = node->parent()) ++depth;
  return depth;
}

// List order, found by climbing to the first common ancestor.
bool ComesBefore(const Node* a, const Node* b) {
  if (a == b) return false;
  const std::size_t depth_a = DepthOf(a);
  const std::size_t depth_b = DepthOf(b);
  for (std::size_t d = depth_a; d > depth_b; --d) a = a->parent();
  for (std::size_t d = depth_b; d > depth_a; --d) b = b->parent();
  if (a == b) return depth_a < depth_b;
  while (a->parent() != b->parent()) {
    a = a->parent();
    b = b->parent();
  }
  return a->name() < b->name();
}

}  // namespace

bool NameOrder::operator()(const Node* a, const Node* b) const {
  return a->name() < b->name();
}
bool NameOrder::operator()(const Node* a, absl::string_view b) const {
  return a->name() < b;
}
bool NameOrder::operator()(absl::string_view a, const Node* b) const {
  return a < b->name();
}

bool CreationOrder::operator()(const Node* a, const Node* b) const {
  if (a->czxid() != b->czxid()) return a->czxid() < b->czxid();
  return ComesBefore(a, b);
}

Node::Node(absl::string_view name) : name_size_(static_cast<std::uint16_t>(name.size())) {
  static_assert(offsetof(Node, name_begin_) == kNameAt && kNameAt + sizeof name_begin_ == sizeof(Node));
  name.copy(reinterpret_cast<char*>(this) + kNameAt, name.size());
}

Node* Node::New(Node* parent, absl::string_view name) {
  DROVER_CHECK(name.size() <= std::numeric_limits<std::uint16_t>::max());
  Node* const node = new (::operator new(std::max(sizeof(Node), kNameAt + name.size()))) Node(name);
  node->parent_ = parent;
  return node;
}

void Node::Free(Node* node) {
  node->~Node();
  ::operator delete(node);
}

const Children& Node::NoChildren() {
  static const Children none;
  return none;
}

Node::Rare& Node::rare() {
  if (rare_ == nullptr) {
    rare_ = std::make_unique<Rare>();
    rare_->pzxid = czxid_;
  }
  return *rare_;
}

Stat Node::stat() const {
  Stat stat;
  stat.czxid = czxid_;
  stat.mzxid = mzxid_;
  stat.pzxid = pzxid();
  stat.ctime = ctime_;
  stat.mtime = mtime_;
  stat.version = version_;
  stat.data_length = static_cast<std::uint32_t>(data().size());
  if (rare_ == nullptr) return stat;
  // As ZooKeeper computes it: creations, and as many deletions as there are fewer children.
  stat.cversion = static_cast<std::uint32_t>(rare_->children_created * 2 - rare_->children.size());
  stat.aversion = rare_->aversion;
  stat.ephemeral_owner = rare_->owner;
  stat.num_children = static_cast<std::uint32_t>(rare_->children.size());
  stat.container = container();
  stat.ttl_ms = ttl_ms();
  return stat;
}

NodeState Node::state() const {
  const std::uint32_t aversion = rare_ == nullptr ? 0 : rare_->aversion;
  return {czxid_,   mzxid_,   pzxid(),     ctime_,   mtime_, ephemeral_owner(), children_created(),
          version_, aversion, container(), ttl_ms(), acl_};
}

bool Node::IsDue(base::WallTime now) const {
  if (!children().empty()) return false;
  if (container()) return children_created() > 0;
  return ttl_ms() != 0 && now.value > mtime_.value && static_cast<std::uint64_t>(now.value - mtime_.value) > ttl_ms();
}

std::size_t Node::bytes() const {
  return Tree::kNodeBytes + name_size_ + data().size();
}

void Node::PathTo(std::string* out) const {
  if (parent_ == nullptr) {
    out->assign(1, '/');
    return;
  }
  std::size_t size = 0;
  for (const Node* node = this; node->parent_ != nullptr; node = node->parent_) size += 1 + node->name_size_;
  out->resize(size);
  for (const Node* node = this; node->parent_ != nullptr; node = node->parent_) {
    size -= node->name_size_;
    node->name().copy(out->data() + size, node->name_size_);
    (*out)[--size] = '/';
  }
}

std::string Node::Path() const {
  std::string path;
  PathTo(&path);
  return path;
}

}  // namespace drover::coord::tree
