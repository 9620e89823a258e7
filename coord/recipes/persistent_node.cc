#include "drover/recipes/persistent_node.h"

#include <utility>

#include "coord/base/loop.h"
#include "drover/coord/status.h"
#include "drover/recipes/membership.h"

namespace drover::recipes {

// A member that rejoins.
class PersistentNode::Impl final : private MemberObserver {
 public:
  Impl(base::Loop* loop, coord::Session* session, PersistentNodeOptions options, PersistentNodeObserver* observer)
      : observer_(observer),
        retry_every_(options.retry),
        session_(session),
        retry_(loop),
        member_(loop, session, {.path = std::move(options.path), .name = std::move(options.name), .data = std::move(options.data)},
                this) {}

  void UseSession(coord::Session* session) {
    session_ = session;
    retry_.Cancel();
    if (member_.state() == Member::State::kLost) member_.Rejoin(session);
  }
  void Update(std::string data, coord::DoneCallback done) { member_.Update(std::move(data), std::move(done)); }
  void Remove(coord::DoneCallback done) {
    retry_.Cancel();
    member_.Leave(std::move(done));
  }
  [[nodiscard]] bool present() const { return member_.state() == Member::State::kRegistered; }

 private:
  void OnRegistered(base::Zxid incarnation) override { observer_->OnPresent(incarnation); }
  void OnNameTaken(const coord::Node& /*holder*/) override {}
  void OnLost(const absl::Status& why) override {
    // At once if it was deleted; what was refused may be taken later.
    const base::Duration wait = coord::IsNoNode(why) ? base::Duration{0} : retry_every_;
    if (!coord::IsSessionExpired(why)) retry_.Set(wait, [this] { Again(); });
    observer_->OnAbsent(why);
  }
  void Again() {
    const bool over = session_->state() == coord::SessionState::kExpired || session_->state() == coord::SessionState::kClosed;
    if (!over && member_.state() == Member::State::kLost) member_.Rejoin(session_);
  }

  PersistentNodeObserver* const observer_;
  const base::Duration retry_every_;
  coord::Session* session_;
  base::Timer retry_;
  Member member_;
};

PersistentNode::PersistentNode(base::Loop* loop, coord::Session* session, PersistentNodeOptions options,
                               PersistentNodeObserver* observer)
    : impl_(std::make_unique<Impl>(loop, session, std::move(options), observer)) {}
PersistentNode::~PersistentNode() = default;

void PersistentNode::UseSession(coord::Session* session) {
  impl_->UseSession(session);
}
void PersistentNode::Update(std::string data, coord::DoneCallback done) {
  impl_->Update(std::move(data), std::move(done));
}
void PersistentNode::Remove(coord::DoneCallback done) {
  impl_->Remove(std::move(done));
}
bool PersistentNode::present() const {
  return impl_->present();
}

}  // namespace drover::recipes
