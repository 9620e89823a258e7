#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "drover/recipes/membership.h"

namespace drover::recipes {

class MemberList::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, std::string path, MemberListObserver* observer)
      : prefix_(absl::StrCat(path, absl::EndsWith(path, "/") ? "" : "/")),
        observer_(observer),
        cache_(session, {.path = std::move(path)}, this) {}

  [[nodiscard]] const std::map<std::string, MemberInfo>& members() const { return members_; }
  [[nodiscard]] bool synced() const { return cache_.synced(); }
  [[nodiscard]] base::Zxid zxid() const { return cache_.zxid(); }

 private:
  // Of a child of the list's path; empty for any other node.
  [[nodiscard]] absl::string_view NameOf(absl::string_view path) const {
    if (!absl::StartsWith(path, prefix_)) return {};
    const absl::string_view name = path.substr(prefix_.size());
    if (absl::StrContains(name, '/')) return {};
    return name;
  }

  void OnCacheChanged(const coord::Event* event) override {
    if (event != nullptr) return Take(*event);
    if (!cache_.synced()) return;  // the list stays as it was until the new one is complete
    members_.clear();
    for (const auto& [path, node] : cache_.nodes()) {
      const std::string name(NameOf(path));
      if (!name.empty()) members_[name] = {name, node.data, node.stat.czxid, node.stat.mzxid};
    }
    observer_->OnListed();
  }

  void Take(const coord::Event& event) {
    const std::string name(NameOf(event.path));
    if (name.empty()) return;
    if (event.type == coord::Event::Type::kDeleted) {
      const auto found = members_.find(name);
      if (found == members_.end()) return;
      const MemberInfo gone = std::move(found->second);
      members_.erase(found);
      return observer_->OnGone(gone);
    }
    const MemberInfo member{name, event.data, event.stat.czxid, event.stat.mzxid};
    members_[name] = member;
    event.type == coord::Event::Type::kCreated ? observer_->OnJoined(member) : observer_->OnUpdated(member);
  }

  void OnCacheEnded(const absl::Status& why) override { observer_->OnListEnded(why); }

  const std::string prefix_;
  MemberListObserver* const observer_;
  std::map<std::string, MemberInfo> members_;
  coord::SubtreeCache cache_;
};

MemberList::MemberList(coord::Session* session, std::string path, MemberListObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(path), observer)) {}
MemberList::~MemberList() = default;

const std::map<std::string, MemberInfo>& MemberList::members() const {
  return impl_->members();
}
bool MemberList::synced() const {
  return impl_->synced();
}
base::Zxid MemberList::zxid() const {
  return impl_->zxid();
}

}  // namespace drover::recipes
