#include "coord/tree/tree.h"

#include <algorithm>
#include <utility>

#include "coord/base/check.h"
#include "coord/tree/path.h"

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

Stat Node::stat() const {
  Stat stat;
  stat.czxid = czxid_;
  stat.mzxid = mzxid_;
  stat.pzxid = pzxid_;
  stat.ctime = ctime_;
  stat.mtime = mtime_;
  stat.version = version_;
  // As ZooKeeper computes it: creations, and as many deletions as there are fewer children.
  stat.cversion = static_cast<std::uint32_t>(children_created_ * 2 - children_.size());
  stat.aversion = aversion_;
  stat.ephemeral_owner = owner_;
  stat.data_length = static_cast<std::uint32_t>(data_.size());
  stat.num_children = static_cast<std::uint32_t>(children_.size());
  return stat;
}

NodeState Node::state() const {
  return {czxid_, mzxid_, pzxid_, ctime_, mtime_, owner_, children_created_, version_, aversion_};
}

std::size_t Node::bytes() const {
  return Tree::kNodeBytes + name_.size() + data_.size();
}

void Node::PathTo(std::string* out) const {
  if (parent_ == nullptr) {
    out->assign(1, '/');
    return;
  }
  std::size_t size = 0;
  for (const Node* node = this; node->parent_ != nullptr; node = node->parent_) size += 1 + node->name_.size();
  out->resize(size);
  for (const Node* node = this; node->parent_ != nullptr; node = node->parent_) {
    size -= node->name_.size();
    node->name_.copy(out->data() + size, node->name_.size());
    (*out)[--size] = '/';
  }
}

std::string Node::Path() const {
  std::string path;
  PathTo(&path);
  return path;
}

Tree::Tree() : root_(new Node), bytes_(root_->bytes()) {}

Tree::~Tree() {
  if (open_) Rollback();
  // Without recursion: a tree may be thousands of nodes deep.
  std::vector<Node*> rest = {root_};
  while (!rest.empty()) {
    Node* node = rest.back();
    rest.pop_back();
    rest.insert(rest.end(), node->children_.begin(), node->children_.end());
    delete node;
  }
}

const Node* Tree::FindChild(const Node& parent, absl::string_view name) const {
  const auto it = parent.children_.find(name);
  return it == parent.children_.end() ? nullptr : *it;
}

const Node* Tree::Find(absl::string_view path) const {
  const Node* node = root_;
  absl::string_view rest = path.substr(1);
  absl::string_view name;
  while (node != nullptr && NextComponent(&rest, &name)) node = FindChild(*node, name);
  return node;
}

const Ephemerals* Tree::EphemeralsOf(base::SessionId session) const {
  const auto it = ephemerals_.find(session);
  return it == ephemerals_.end() ? nullptr : &it->second;
}

void Tree::Begin(base::Zxid zxid, base::WallTime time) {
  DROVER_CHECK(!open_);
  open_ = true;
  zxid_ = zxid;
  time_ = time;
}

void Tree::Link(Node* node) {
  const bool inserted = node->parent_->children_.insert(node).second;
  DROVER_CHECK(inserted) << "a node of this name exists";
  if (node->ephemeral()) ephemerals_[node->owner_].insert(node);
  ++node_count_;
  bytes_ += node->bytes();
}

void Tree::Unlink(Node* node) {
  if (node->ephemeral()) {
    const auto it = ephemerals_.find(node->owner_);
    it->second.erase(node);
    if (it->second.empty()) ephemerals_.erase(it);
  }
  node->parent_->children_.erase(node);
  --node_count_;
  bytes_ -= node->bytes();
}

const Node* Tree::Create(const Node* parent, absl::string_view name, absl::string_view data, base::SessionId owner) {
  DROVER_DCHECK(open_);
  BeforeChange(parent);
  Node* const above = Own(parent);
  Node* const node = new Node;
  node->image_ = image_;
  node->parent_ = above;
  node->name_.assign(name.data(), name.size());
  node->data_.assign(data.data(), data.size());
  node->czxid_ = node->mzxid_ = node->pzxid_ = zxid_;
  node->ctime_ = node->mtime_ = time_;
  node->owner_ = owner;
  Link(node);
  undo_.push_back(Undo{Change::kCreate, node, above->pzxid_, {}, {}});
  above->pzxid_ = zxid_;
  ++above->children_created_;
  return node;
}

void Tree::SetData(const Node* node, absl::string_view data) {
  DROVER_DCHECK(open_);
  BeforeChange(node);
  Node* const own = Own(node);
  undo_.push_back(Undo{Change::kSetData, own, own->mzxid_, own->mtime_, std::move(own->data_)});
  bytes_ -= undo_.back().data.size();
  bytes_ += data.size();
  own->data_.assign(data.data(), data.size());
  own->mzxid_ = zxid_;
  own->mtime_ = time_;
  ++own->version_;
}

void Tree::Delete(const Node* node) {
  DROVER_DCHECK(open_);
  Node* const own = Own(node);
  DROVER_CHECK(own->parent_ != nullptr && own->children_.empty());
  BeforeChange(node);  // which is told after its parent
  Unlink(own);
  undo_.push_back(Undo{Change::kDelete, own, own->parent_->pzxid_, {}, {}});
  own->parent_->pzxid_ = zxid_;
}

void Tree::Commit() {
  DROVER_CHECK(open_);
  for (const Undo& undo : undo_) {
    if (undo.change == Change::kDelete) delete undo.node;
  }
  undo_.clear();
  open_ = false;
}

void Tree::Rollback() {
  DROVER_CHECK(open_);
  for (; !undo_.empty(); undo_.pop_back()) {
    Undo& undo = undo_.back();
    Node* const node = undo.node;
    switch (undo.change) {
      case Change::kCreate:
        Unlink(node);
        node->parent_->pzxid_ = undo.zxid;
        --node->parent_->children_created_;
        delete node;
        break;
      case Change::kSetData:
        bytes_ -= node->data_.size();
        bytes_ += undo.data.size();
        node->data_ = std::move(undo.data);
        node->mzxid_ = undo.zxid;
        node->mtime_ = undo.mtime;
        --node->version_;
        break;
      case Change::kDelete:
        Link(node);
        node->parent_->pzxid_ = undo.zxid;
        break;
    }
  }
  open_ = false;
}

void Tree::RestoreRoot(absl::string_view data, const NodeState& state) {
  DROVER_CHECK(!open_);
  bytes_ -= root_->bytes();
  Assign(root_, data, state);
  bytes_ += root_->bytes();
}

const Node* Tree::Restore(const Node* parent, absl::string_view name, absl::string_view data, const NodeState& state) {
  DROVER_CHECK(!open_);
  Node* const node = new Node;
  node->image_ = image_;
  node->parent_ = Own(parent);
  node->name_.assign(name.data(), name.size());
  Assign(node, data, state);
  Link(node);
  return node;
}

void Tree::Assign(Node* node, absl::string_view data, const NodeState& state) {
  node->data_.assign(data.data(), data.size());
  node->czxid_ = state.czxid;
  node->mzxid_ = state.mzxid;
  node->pzxid_ = state.pzxid;
  node->ctime_ = state.ctime;
  node->mtime_ = state.mtime;
  node->owner_ = state.ephemeral_owner;
  node->children_created_ = state.children_created;
  node->version_ = state.version;
  node->aversion_ = state.aversion;
}

void Tree::BeginImage(ImageSink* sink) {
  DROVER_CHECK(!open_ && image_sink_ == nullptr);
  ++image_;
  image_sink_ = sink;
}

void Tree::EndImage() {
  image_sink_ = nullptr;
}

void Tree::Save(const Node* node) {
  unsaved_.clear();
  for (Node* at = Own(node); at != nullptr && at->image_ != image_; at = at->parent_) unsaved_.push_back(at);
  for (; !unsaved_.empty(); unsaved_.pop_back()) {
    unsaved_.back()->image_ = image_;
    image_sink_->OnNode(*unsaved_.back());
  }
}

SubtreeCursor::SubtreeCursor(const Node& root, absl::string_view path) : root_(&root), node_(&root), path_(path) {}

SubtreeCursor::SubtreeCursor(const Node& root, absl::string_view path, absl::string_view after) : SubtreeCursor(root, path) {
  absl::string_view rest = after.substr(path.size());
  if (!rest.empty() && rest[0] == '/') rest.remove_prefix(1);
  absl::string_view name;
  while (NextComponent(&rest, &name)) {
    const auto child = node_->children().lower_bound(name);
    if (child == node_->children().end()) {
      Climb();
      return;
    }
    const bool found = (*child)->name() == name;
    Descend(*child);
    if (!found) return;
  }
  Next();
}

void SubtreeCursor::Descend(const Node* child) {
  if (path_.size() > 1) path_.push_back('/');
  path_.append(child->name().data(), child->name().size());
  node_ = child;
}

void SubtreeCursor::Climb() {
  while (node_ != root_) {
    const Node* const parent = node_->parent();
    const auto sibling = parent->children().upper_bound(node_->name());
    path_.resize(std::max<std::size_t>(path_.size() - node_->name().size() - 1, 1));
    node_ = parent;
    if (sibling != parent->children().end()) return Descend(*sibling);
  }
  node_ = nullptr;
}

void SubtreeCursor::Next() {
  if (node_->children().empty()) return Climb();
  Descend(*node_->children().begin());
}

}  // namespace drover::coord::tree
