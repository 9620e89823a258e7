#include "drover/recipes/barrier.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/loop.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"

namespace drover::recipes {

class Barrier::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, std::string path) : session_(session), path_(std::move(path)) {}
  ~Impl() { *alive_ = false; }

  void Raise(coord::DoneCallback done) {
    session_->Create(path_, "", {.parents = true},
                     [alive = alive_, done = std::move(done)](const absl::StatusOr<coord::CreateResult>& made) mutable {
                       if (*alive) done(coord::IsNodeExists(made.status()) ? absl::OkStatus() : made.status());
                     });
  }

  void Lower(coord::DoneCallback done) {
    session_->Delete(path_, std::nullopt,
                     [alive = alive_, done = std::move(done)](const absl::StatusOr<coord::DeleteResult>& gone) mutable {
                       if (*alive) done(coord::IsNoNode(gone.status()) ? absl::OkStatus() : gone.status());
                     });
  }

  void Await(coord::DoneCallback done) {
    waiting_.push_back(std::move(done));
    if (!ended_.ok()) return Later(ended_);
    // A look that is as new as this call, whatever the view shows yet.
    session_->Sync([this, alive = alive_](absl::StatusOr<base::Zxid> now) {
      if (!*alive) return;
      if (now.ok()) newest_asked_ = std::max(newest_asked_, *now);
      asked_ = asked_ || now.ok();
      Look();
    });
    if (cache_ == nullptr) {
      coord::SubtreeCache::Listener* const listener = this;
      cache_ = std::make_unique<coord::SubtreeCache>(session_, coord::SubtreeOptions{.path = path_, .with_data = false}, listener);
    }
  }

 private:
  void OnCacheChanged(const coord::Event* /*event*/) override { Look(); }
  void OnCacheProgress(base::Zxid /*zxid*/) override { Look(); }
  void OnCacheEnded(const absl::Status& why) override {
    ended_ = why;
    Tell(why);
  }

  void Look() {
    if (!asked_ || cache_ == nullptr || !cache_->synced() || cache_->zxid() < newest_asked_) return;
    if (cache_->Find(path_) == nullptr) Tell(absl::OkStatus());
  }

  void Tell(const absl::Status& status) {
    const std::shared_ptr<bool> alive = alive_;
    for (coord::DoneCallback& done : std::exchange(waiting_, {})) {
      done(status);
      if (!*alive) return;
    }
  }
  void Later(const absl::Status& status) {
    session_->loop()->Post([this, alive = alive_, status] {
      if (*alive) Tell(status);
    });
  }

  coord::Session* const session_;
  const std::string path_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<coord::DoneCallback> waiting_;
  absl::Status ended_;
  bool asked_ = false;
  base::Zxid newest_asked_;
  std::unique_ptr<coord::SubtreeCache> cache_;  // from the first wait on
};

Barrier::Barrier(coord::Session* session, std::string path) : impl_(std::make_unique<Impl>(session, std::move(path))) {}
Barrier::~Barrier() = default;

void Barrier::Raise(coord::DoneCallback done) {
  impl_->Raise(std::move(done));
}
void Barrier::Lower(coord::DoneCallback done) {
  impl_->Lower(std::move(done));
}
void Barrier::Await(coord::DoneCallback done) {
  impl_->Await(std::move(done));
}

// Below its path: `in/<name>`, ephemeral, for each that is inside; `ready` from when they were enough until the last has left.
class DoubleBarrier::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, DoubleBarrierOptions options, DoubleBarrierObserver* observer)
      : session_(session),
        options_(std::move(options)),
        inside_(absl::StrCat(options_.path, "/in")),
        own_(absl::StrCat(inside_, "/", options_.name)),
        ready_(absl::StrCat(options_.path, "/ready")),
        observer_(observer) {
    DROVER_CHECK(options_.count > 0) << "a double barrier is for at least one";
  }
  ~Impl() { *alive_ = false; }

  void Enter() {
    if (state_ != State::kOutside) return;
    state_ = State::kEntering;
    coord::SubtreeCache::Listener* const listener = this;
    cache_ =
        std::make_unique<coord::SubtreeCache>(session_, coord::SubtreeOptions{.path = options_.path, .with_data = false}, listener);
    session_->Create(own_, "", {.ephemeral = true, .parents = true},
                     [this, alive = alive_](const absl::StatusOr<coord::CreateResult>& made) {
                       if (!*alive || state_ == State::kOver) return;
                       if (coord::IsSessionExpired(made.status()) || coord::IsOutcomeUnknown(made.status())) return;
                       if (!made.ok()) return Break(made.status());
                       czxid_ = made->stat.czxid;
                       Look();
                     });
  }

  void Leave() {
    if (state_ != State::kEntering && state_ != State::kEntered) return;
    state_ = State::kLeaving;
    session_->Delete(own_, std::nullopt, [this, alive = alive_](const absl::StatusOr<coord::DeleteResult>& gone) {
      if (!*alive || state_ == State::kOver) return;
      if (coord::IsSessionExpired(gone.status()) || coord::IsOutcomeUnknown(gone.status())) return;
      if (!gone.ok() && !coord::IsNoNode(gone.status())) return Break(gone.status());
      left_ = gone.ok() ? gone->zxid : coord::RefusalZxid(gone.status());
      Look();
    });
  }

 private:
  enum class State { kOutside, kEntering, kEntered, kLeaving, kOver };

  void OnCacheChanged(const coord::Event* /*event*/) override { Look(); }
  void OnCacheProgress(base::Zxid /*zxid*/) override { Look(); }
  void OnCacheEnded(const absl::Status& why) override {
    if (state_ != State::kOver) Break(why);
  }

  [[nodiscard]] std::size_t Inside() const {
    const coord::Node* const parent = cache_->Find(inside_);
    if (parent == nullptr) return 0;
    std::size_t count = 0;
    for (auto it = cache_->nodes().upper_bound(inside_); it != cache_->nodes().end() && coord::PathCovers(inside_, it->first);
         ++it) {
      ++count;
    }
    return count;
  }

  void Look() {
    if (cache_ == nullptr || !cache_->synced()) return;
    if (state_ == State::kEntering || state_ == State::kEntered) {
      if (czxid_ == base::Zxid() || cache_->zxid() < czxid_) return;
      const coord::Node* own = cache_->Find(own_);
      if (own == nullptr || own->stat.czxid != czxid_) {
        return Break(coord::RefusedError(coord::Code::kNoNode, "the node inside the barrier was deleted", cache_->zxid()));
      }
    }
    if (state_ == State::kEntering) {
      if (cache_->Find(ready_) != nullptr) {
        state_ = State::kEntered;
        return observer_->OnEntered();
      }
      if (Inside() >= options_.count && !opening_) Open();
    } else if (state_ == State::kLeaving && left_ != base::Zxid() && cache_->zxid() >= left_ && Inside() == 0) {
      Close();
    }
  }

  // Whoever sees first that they are enough says so for all.
  void Open() {
    opening_ = true;
    session_->Create(ready_, "", {}, [this, alive = alive_](const absl::StatusOr<coord::CreateResult>& made) {
      if (!*alive || state_ == State::kOver) return;
      opening_ = made.ok() || coord::IsNodeExists(made.status());
      Look();
    });
  }

  // The last ones tidy up: for the next round nobody has been there.
  void Close() {
    state_ = State::kOver;
    session_->Commit({.compares = {coord::Compare::NumChildren(inside_, 0), coord::Compare::Exists(ready_)},
                      .then = {coord::Operation::Delete(ready_)},
                      .otherwise = {}},
                     [](const absl::StatusOr<coord::TransactionResult>&) {});
    observer_->OnLeft();
  }

  void Break(const absl::Status& why) {
    state_ = State::kOver;
    observer_->OnBroken(why);
  }

  coord::Session* const session_;
  const DoubleBarrierOptions options_;
  const std::string inside_;
  const std::string own_;
  const std::string ready_;
  DoubleBarrierObserver* const observer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  State state_ = State::kOutside;
  bool opening_ = false;
  base::Zxid czxid_;  // of the own node
  base::Zxid left_;   // the own node is gone since
  std::unique_ptr<coord::SubtreeCache> cache_;
};

DoubleBarrier::DoubleBarrier(coord::Session* session, DoubleBarrierOptions options, DoubleBarrierObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(options), observer)) {}
DoubleBarrier::~DoubleBarrier() = default;

void DoubleBarrier::Enter() {
  impl_->Enter();
}
void DoubleBarrier::Leave() {
  impl_->Leave();
}

}  // namespace drover::recipes
