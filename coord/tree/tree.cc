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

void Tree::CountAbove(Node* node, std::uint64_t nodes, std::uint64_t bytes) {
  for (Node* above = node->parent_; above != nullptr; above = above->parent_) {
    Node::Rare& rare = above->rare();
    rare.descendants += nodes;
    rare.descendant_bytes += bytes;
  }
}

void Tree::Link(Node* node) {
  const bool inserted = node->parent_->rare().children.insert(node).second;
  DROVER_CHECK(inserted) << "a node of this name exists";
  if (node->ephemeral()) ephemerals_[node->ephemeral_owner()].insert(node);
  if (node->container() || node->ttl_ms() != 0) mortals_.insert(node);
  CountAbove(node, 1, node->data().size());
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
  if (node->has_quota()) quotas_.erase(node);
  CountAbove(node, std::uint64_t{0} - 1, std::uint64_t{0} - node->data().size());
  --node_count_;
  bytes_ -= node->bytes();
}

const Node* Tree::Create(const Node* parent, absl::string_view name, absl::string_view data, const Lifetime& lifetime,
                         const Acl& acl) {
  DROVER_DCHECK(open_);
  BeforeChange(parent);
  Node* const above = Own(parent);
  Node* const node = Node::New(above, name);
  node->image_ = image_;
  node->acl_ = acls_.Use(acl);
  node->data_ = Blob(data);
  node->czxid_ = node->mzxid_ = zxid_;
  node->ctime_ = node->mtime_ = time_;
  if (lifetime.owner != base::SessionId()) node->rare().owner = lifetime.owner;
  if (lifetime.ttl_ms != 0) node->rare().ttl_ms = lifetime.ttl_ms;
  if (lifetime.container) node->rare().ttl_ms = Node::kContainer;
  Link(node);
  Node::Rare& rare = above->rare();
  undo_.push_back(Undo{.change = Change::kCreate, .node = node, .zxid = rare.pzxid});
  rare.pzxid = zxid_;
  ++rare.children_created;
  return node;
}

Blob Tree::Exchange(Node* node, Blob data) {
  const std::size_t before = node->data().size();
  Blob old = std::exchange(node->data_, std::move(data));
  const std::size_t growth = node->data().size() - before;  // modulo 2^64
  bytes_ += growth;
  if (growth != 0) CountAbove(node, 0, growth);
  return old;
}

void Tree::SetData(const Node* node, absl::string_view data) {
  DROVER_DCHECK(open_);
  BeforeChange(node);
  Node* const own = Own(node);
  undo_.push_back(
      Undo{.change = Change::kSetData, .node = own, .zxid = own->mzxid_, .mtime = own->mtime_, .data = Exchange(own, Blob(data))});
  own->mzxid_ = zxid_;
  own->mtime_ = time_;
  ++own->version_;
}

void Tree::SetAcl(const Node* node, const Acl& acl) {
  DROVER_DCHECK(open_);
  BeforeChange(node);
  Node* const own = Own(node);
  undo_.push_back(Undo{.change = Change::kSetAcl, .node = own, .acl = own->acl_});
  own->acl_ = acls_.Use(acl);
  ++own->rare().aversion;
}

void Tree::SetQuota(const Node* node, const Quota& quota) {
  DROVER_DCHECK(open_);
  BeforeChange(node);
  undo_.push_back(Undo{.change = Change::kSetQuota, .node = Own(node), .quota = QuotaOf(*node)});
  PutQuota(Own(node), quota);
}

Quota Tree::QuotaOf(const Node& node) const {
  return node.has_quota() ? quotas_.find(const_cast<Node*>(&node))->second : Quota();
}

void Tree::PutQuota(Node* node, const Quota& quota) {
  const bool any = quota != Quota();
  if (any) quotas_[node] = quota;
  if (!any && node->has_quota()) quotas_.erase(node);
  if (any || node->has_quota()) node->rare().has_quota = any;
}

void Tree::Delete(const Node* node) {
  DROVER_DCHECK(open_);
  Node* const own = Own(node);
  DROVER_CHECK(own->parent_ != nullptr && own->children().empty());
  BeforeChange(node);  // which is told after its parent
  Node::Rare& above = own->parent_->rare();
  undo_.push_back(Undo{.change = Change::kDelete, .node = own, .zxid = above.pzxid, .quota = QuotaOf(*own)});
  Unlink(own);
  above.pzxid = zxid_;
}

void Tree::Commit() {
  DROVER_CHECK(open_);
  for (const Undo& undo : undo_) {
    if (undo.change == Change::kSetAcl) acls_.Drop(undo.acl);
    if (undo.change != Change::kDelete) continue;
    acls_.Drop(undo.node->acl_);
    Node::Free(undo.node);
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
        acls_.Drop(node->acl_);
        Node::Free(node);
        break;
      case Change::kSetData:
        Exchange(node, std::move(undo.data));
        node->mzxid_ = undo.zxid;
        node->mtime_ = undo.mtime;
        --node->version_;
        break;
      case Change::kDelete:
        Link(node);
        PutQuota(node, undo.quota);
        node->parent_->rare().pzxid = undo.zxid;
        break;
      case Change::kSetAcl:
        acls_.Drop(node->acl_);
        node->acl_ = undo.acl;
        --node->rare().aversion;
        break;
      case Change::kSetQuota:
        PutQuota(node, undo.quota);
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

void Tree::RestoreQuota(const Node* node, const Quota& quota) {
  PutQuota(Own(node), quota);
}

void Tree::Assign(Node* node, absl::string_view data, const NodeState& state) {
  node->data_ = Blob(data);
  node->czxid_ = state.czxid;
  node->mzxid_ = state.mzxid;
  node->ctime_ = state.ctime;
  node->mtime_ = state.mtime;
  node->version_ = state.version;
  acls_.UseAgain(state.acl);
  node->acl_ = state.acl;
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

SubtreeCursor::SubtreeCursor(const Node& root, absl::string_view path, Shows shows)
    : root_(&root), node_(&root), path_(path), shows_(shows) {}

SubtreeCursor::SubtreeCursor(const Node& root, absl::string_view path, absl::string_view after, Shows shows)
    : SubtreeCursor(root, path, shows) {
  absl::string_view rest = after.substr(path.size());
  if (!rest.empty() && rest[0] == '/') rest.remove_prefix(1);
  absl::string_view name;
  while (NextComponent(&rest, &name) && shows_(*node_)) {
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
  if (node_->children().empty() || !shows_(*node_)) return Climb();
  Descend(*node_->children().begin());
}

}  // namespace drover::coord::tree
