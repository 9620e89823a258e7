#include "coord/tree/tree.h"

#include <algorithm>
#include <utility>

#include "coord/base/check.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {

Tree::Tree() : root_(Node::New(nullptr, {})), bytes_(root_->bytes()) {}

Tree::~Tree() {
  if (open_) Rollback();
  // Without recursion: a tree may be thousands of nodes deep.
  std::vector<Node*> rest = {root_};
  while (!rest.empty()) {
    Node* node = rest.back();
    rest.pop_back();
    rest.insert(rest.end(), node->children().begin(), node->children().end());
    Node::Free(node);
  }
}

const Node* Tree::FindChild(const Node& parent, absl::string_view name) const {
  const auto it = parent.children().find(name);
  return it == parent.children().end() ? nullptr : *it;
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

void Tree::CountDescendants(Node* node, std::uint64_t difference) {
  for (Node* above = node->parent_; above != nullptr; above = above->parent_) above->rare().descendants += difference;
}

void Tree::Link(Node* node) {
  const bool inserted = node->parent_->rare().children.insert(node).second;
  DROVER_CHECK(inserted) << "a node of this name exists";
  if (node->ephemeral()) ephemerals_[node->ephemeral_owner()].insert(node);
  if (node->container() || node->ttl_ms() != 0) mortals_.insert(node);
  CountDescendants(node, 1);
  ++node_count_;
  bytes_ += node->bytes();
}

void Tree::Unlink(Node* node) {
  if (node->ephemeral()) {
    const auto it = ephemerals_.find(node->ephemeral_owner());
    it->second.erase(node);
    if (it->second.empty()) ephemerals_.erase(it);
  }
  if (node->container() || node->ttl_ms() != 0) mortals_.erase(node);
  node->parent_->rare().children.erase(node);
  CountDescendants(node, ~std::uint64_t{0});
  --node_count_;
  bytes_ -= node->bytes();
}

const Node* Tree::Create(const Node* parent, absl::string_view name, absl::string_view data, const Lifetime& lifetime) {
  DROVER_DCHECK(open_);
  BeforeChange(parent);
  Node* const above = Own(parent);
  Node* const node = Node::New(above, name);
  node->image_ = image_;
  node->data_ = Blob(data);
  node->czxid_ = node->mzxid_ = zxid_;
  node->ctime_ = node->mtime_ = time_;
  if (lifetime.owner != base::SessionId()) node->rare().owner = lifetime.owner;
  if (lifetime.ttl_ms != 0) node->rare().ttl_ms = lifetime.ttl_ms;
  if (lifetime.container) node->rare().ttl_ms = Node::kContainer;
  Link(node);
  Node::Rare& rare = above->rare();
  undo_.push_back(Undo{Change::kCreate, node, rare.pzxid, {}, {}});
  rare.pzxid = zxid_;
  ++rare.children_created;
  return node;
}

void Tree::SetData(const Node* node, absl::string_view data) {
  DROVER_DCHECK(open_);
  BeforeChange(node);
  Node* const own = Own(node);
  undo_.push_back(Undo{Change::kSetData, own, own->mzxid_, own->mtime_, std::move(own->data_)});
  bytes_ -= undo_.back().data.view().size();
  bytes_ += data.size();
  own->data_ = Blob(data);
  own->mzxid_ = zxid_;
  own->mtime_ = time_;
  ++own->version_;
}

void Tree::Delete(const Node* node) {
  DROVER_DCHECK(open_);
  Node* const own = Own(node);
  DROVER_CHECK(own->parent_ != nullptr && own->children().empty());
  BeforeChange(node);  // which is told after its parent
  Unlink(own);
  Node::Rare& above = own->parent_->rare();
  undo_.push_back(Undo{Change::kDelete, own, above.pzxid, {}, {}});
  above.pzxid = zxid_;
}

void Tree::Commit() {
  DROVER_CHECK(open_);
  for (const Undo& undo : undo_) {
    if (undo.change == Change::kDelete) Node::Free(undo.node);
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
        node->parent_->rare().pzxid = undo.zxid;
        --node->parent_->rare().children_created;
        Node::Free(node);
        break;
      case Change::kSetData:
        bytes_ -= node->data().size();
        bytes_ += undo.data.view().size();
        node->data_ = std::move(undo.data);
        node->mzxid_ = undo.zxid;
        node->mtime_ = undo.mtime;
        --node->version_;
        break;
      case Change::kDelete:
        Link(node);
        node->parent_->rare().pzxid = undo.zxid;
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
  Node* const node = Node::New(Own(parent), name);
  node->image_ = image_;
  Assign(node, data, state);
  Link(node);
  return node;
}

void Tree::Assign(Node* node, absl::string_view data, const NodeState& state) {
  node->data_ = Blob(data);
  node->czxid_ = state.czxid;
  node->mzxid_ = state.mzxid;
  node->ctime_ = state.ctime;
  node->mtime_ = state.mtime;
  node->version_ = state.version;
  if (state.pzxid == state.czxid && state.children_created == 0 && state.aversion == 0 &&
      state.ephemeral_owner == base::SessionId() && !state.container && state.ttl_ms == 0 && node->rare_ == nullptr) {
    return;
  }
  Node::Rare& rare = node->rare();
  rare.pzxid = state.pzxid;
  rare.children_created = state.children_created;
  rare.owner = state.ephemeral_owner;
  rare.ttl_ms = state.container ? Node::kContainer : state.ttl_ms;
  rare.aversion = state.aversion;
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
