#include "drover/recipes/barrier.h"

#include <algorithm>
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

// Below its path: `in/<name>`, ephemeral, for each that is inside; `ready` from when they were enough. It is deleted only while
// nobody is inside: by the last ones, if they can, and else by the first one of the next round, in the transaction that lets it in.
// So each `ready` (by its czxid) is one round, and when it is gone, that round is over.
class DoubleBarrier::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, DoubleBarrierOptions options, DoubleBarrierObserver* observer)
      : session_(session),
        options_(std::move(options)),
        inside_(absl::StrCat(options_.path, "/in")),
        own_(absl::StrCat(inside_, "/", options_.name)),
        ready_(absl::StrCat(options_.path, "/ready")),
        observer_(observer),
        retry_(session->loop()) {
    DROVER_CHECK(options_.count > 0) << "a double barrier is for at least one";
  }
  ~Impl() { *alive_ = false; }

  void Enter() {
    if (state_ != State::kOutside) return;
    state_ = State::kEntering;
    coord::SubtreeCache::Listener* const listener = this;
    cache_ =
        std::make_unique<coord::SubtreeCache>(session_, coord::SubtreeOptions{.path = options_.path, .with_data = false}, listener);
    session_->Commit({.compares = {coord::Compare::NumChildren(inside_, 0), coord::Compare::Exists(ready_)},
                      .then = {coord::Operation::Delete(ready_), coord::Operation::Create(own_, "", {.ephemeral = true})},
                      .otherwise = {coord::Operation::Create(own_, "", {.ephemeral = true, .parents = true})}},
                     [this, alive = alive_](const absl::StatusOr<coord::TransactionResult>& made) {
                       if (*alive && state_ != State::kOver) OnMade(made);
                     });
  }

  void Leave() {
    if (state_ != State::kEntering && state_ != State::kEntered) return;
    state_ = State::kLeaving;
    if (czxid_ != base::Zxid()) DeleteOwn();  // else once it is made
  }

  [[nodiscard]] coord::Compare Guard() const {
    DROVER_CHECK(opened_ != base::Zxid());
    return coord::Compare::Czxid(own_, czxid_);
  }
  [[nodiscard]] base::Zxid since() const { return since_; }

 private:
  static constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);
  enum class State { kOutside, kEntering, kEntered, kLeaving, kOver };

  void OnCacheChanged(const coord::Event* event) override {
    if (event != nullptr) shown_ = std::max(shown_, event->zxid);
    Look();
  }
  void OnCacheProgress(base::Zxid zxid) override {
    shown_ = std::max(shown_, zxid);
    Look();
  }
  void OnCacheEnded(const absl::Status& why) override {
    if (state_ != State::kOver) Break(why);
  }

  void OnMade(const absl::StatusOr<coord::TransactionResult>& made) {
    if (coord::IsSessionExpired(made.status()) || coord::IsOutcomeUnknown(made.status())) return;  // OnCacheEnded tells
    if (!made.ok()) return state_ == State::kLeaving ? Left() : Break(made.status());
    czxid_ = made->results.back().stat.czxid;
    if (state_ == State::kLeaving) return DeleteOwn();
    Look();
  }

  void DeleteOwn() {
    session_->Commit({.compares = {coord::Compare::Czxid(own_, czxid_)}, .then = {coord::Operation::Delete(own_)}, .otherwise = {}},
                     [this, alive = alive_](const absl::StatusOr<coord::TransactionResult>& gone) {
                       if (!*alive || state_ == State::kOver) return;
                       if (coord::IsSessionExpired(gone.status()) || coord::IsOutcomeUnknown(gone.status())) return;
                       if (!gone.ok()) return retry_.Set(kRetryDelay, [this] { DeleteOwn(); });  // not taken now
                       gone_ = since_ = gone->zxid;
                       if (opened_ == base::Zxid()) return Left();
                       Look();
                     });
  }

  [[nodiscard]] std::size_t Inside() const {
    std::size_t count = 0;
    for (auto it = cache_->nodes().upper_bound(inside_); it != cache_->nodes().end() && coord::PathCovers(inside_, it->first);
         ++it) {
      ++count;
    }
    return count;
  }

  void Look() {
    if (!cache_->synced() || czxid_ == base::Zxid() || cache_->zxid() < czxid_) return;
    if (state_ == State::kEntering || state_ == State::kEntered) {
      const coord::Node* own = cache_->Find(own_);
      if (own == nullptr || own->stat.czxid != czxid_) {
        return Break(coord::RefusedError(coord::Code::kNoNode, "the node inside the barrier was deleted", cache_->zxid()));
      }
    }
    const coord::Node* const ready = cache_->Find(ready_);
    if (state_ == State::kEntering) {
      if (ready != nullptr) {
        state_ = State::kEntered;
        opened_ = ready->stat.czxid;
        since_ = std::max(czxid_, opened_);
        return observer_->OnEntered();
      }
      if (Inside() >= options_.count && !opening_) Open();
    } else if (state_ == State::kLeaving && gone_ != base::Zxid() && cache_->zxid() >= gone_) {
      // Another round may have begun by the time of this look.
      const bool over = ready == nullptr || ready->stat.czxid != opened_;
      if (!over && Inside() > 0) return;
      since_ = std::max(gone_, shown_);
      Close();
    }
  }

  // Whoever sees first that they are enough says so for all; for its own round, and no other.
  void Open() {
    opening_ = true;
    session_->Commit({.compares = {coord::Compare::Czxid(own_, czxid_), coord::Compare::Absent(ready_)},
                      .then = {coord::Operation::Create(ready_, "")},
                      .otherwise = {}},
                     [this, alive = alive_](const absl::StatusOr<coord::TransactionResult>& made) {
                       if (!*alive || made.ok() || state_ != State::kEntering) return;
                       opening_ = false;
                       retry_.Set(kRetryDelay, [this] { Look(); });
                     });
  }

  void Close() {
    session_->Commit({.compares = {coord::Compare::NumChildren(inside_, 0), coord::Compare::Exists(ready_)},
                      .then = {coord::Operation::Delete(ready_)},
                      .otherwise = {}},
                     [](const absl::StatusOr<coord::TransactionResult>&) {});
    Left();
  }

  void Left() {
    End();
    observer_->OnLeft();
  }
  void Break(const absl::Status& why) {
    End();
    observer_->OnBroken(why);
  }
  void End() {
    state_ = State::kOver;
    retry_.Cancel();
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
  base::Zxid czxid_;   // of the own node
  base::Zxid opened_;  // of `ready`: the round that this process was let into
  base::Zxid gone_;    // the own node is gone since
  base::Zxid shown_;   // the newest state that anything in the view is of
  base::Zxid since_;
  base::Timer retry_;
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
coord::Compare DoubleBarrier::Guard() const {
  return impl_->Guard();
}
base::Zxid DoubleBarrier::since() const {
  return impl_->since();
}

}  // namespace drover::recipes
