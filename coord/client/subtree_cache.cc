#include <utility>

#include "drover/coord/subtree.h"

namespace drover::coord {

SubtreeCache::SubtreeCache(Session* session, SubtreeOptions options, Listener* listener)
    : listener_(listener), follower_(SubtreeFollower::Start(session, std::move(options), this)) {}

SubtreeCache::~SubtreeCache() = default;

const Node* SubtreeCache::Find(absl::string_view path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

void SubtreeCache::OnReset(ResetCause cause) {
  nodes_.clear();
  if (listener_ != nullptr && cause == ResetCause::kCompacted) listener_->OnCacheChanged(nullptr);
}

void SubtreeCache::OnNode(const Node& node, Zxid /*zxid*/) {
  nodes_[node.path] = node;
}

void SubtreeCache::OnEvent(const Event& event) {
  if (event.type == Event::Type::kDeleted) {
    nodes_.erase(event.path);
  } else {
    nodes_[event.path] = Node{event.path, event.stat, event.data};
  }
  if (listener_ != nullptr && synced()) listener_->OnCacheChanged(&event);
}

void SubtreeCache::OnSynced(Zxid zxid) {
  if (listener_ == nullptr) return;
  const std::weak_ptr<int> gone = alive_;
  listener_->OnCacheChanged(nullptr);
  if (!gone.expired()) listener_->OnCacheProgress(zxid);
}

void SubtreeCache::OnProgress(Zxid zxid) {
  if (listener_ != nullptr) listener_->OnCacheProgress(zxid);
}

void SubtreeCache::OnEnded(const absl::Status& why) {
  if (listener_ != nullptr) listener_->OnCacheEnded(why);
}

}  // namespace drover::coord
