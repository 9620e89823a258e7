#include "drover/recipes/lock.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/recipes/contender.h"

namespace drover::recipes {

class Lock::Impl final : private ContenderEvents {
 public:
  Impl(coord::Session* session, LockOptions options, LockObserver* observer)
      : data_(std::move(options.data)), observer_(observer), contender_(session, std::move(options.path), this) {}

  void Acquire(Contender::Rules rules, base::Duration patience) { contender_.Enter(std::move(rules), data_, patience); }
  [[nodiscard]] Contender& contender() { return contender_; }

 private:
  void OnHeld(const LockGrant& grant) override { observer_->OnAcquired(grant); }
  void OnGone(const absl::Status& why) override { observer_->OnLost(why); }

  const std::string data_;
  LockObserver* const observer_;
  Contender contender_;
};

Lock::Lock(coord::Session* session, LockOptions options, LockObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(options), observer)) {}
Lock::~Lock() = default;

void Lock::Release(coord::DoneCallback done) {
  impl_->contender().Leave(std::move(done));
}
bool Lock::idle() const {
  return impl_->contender().idle();
}
bool Lock::held() const {
  return impl_->contender().held();
}
const LockGrant& Lock::grant() const {
  DROVER_CHECK(held());
  return impl_->contender().grant();
}
coord::Compare Lock::Guard() const {
  return coord::Compare::Czxid(grant().path, grant().token);
}

Mutex::Mutex(coord::Session* session, LockOptions options, LockObserver* observer) : Lock(session, std::move(options), observer) {}
void Mutex::Acquire(base::Duration patience) {
  impl_->Acquire({.prefix = "m-", .blocked_by = "", .room = 1, .agreed = ""}, patience);
}

ReadWriteLock::ReadWriteLock(coord::Session* session, LockOptions options, LockObserver* observer)
    : Lock(session, std::move(options), observer) {}
void ReadWriteLock::AcquireRead(base::Duration patience) {
  impl_->Acquire({.prefix = "r-", .blocked_by = "w-", .room = 1, .agreed = ""}, patience);
}
void ReadWriteLock::AcquireWrite(base::Duration patience) {
  impl_->Acquire({.prefix = "w-", .blocked_by = "", .room = 1, .agreed = ""}, patience);
}

Semaphore::Semaphore(coord::Session* session, LockOptions options, std::uint32_t permits, LockObserver* observer)
    : Lock(session, std::move(options), observer), permits_(permits) {
  DROVER_CHECK(permits > 0) << "a semaphore has at least one permit";
}
void Semaphore::Acquire(base::Duration patience) {
  impl_->Acquire({.prefix = "s-", .blocked_by = "", .room = permits_, .agreed = absl::StrCat("permits=", permits_)}, patience);
}

class MultiLock::Impl final {
 public:
  Impl(coord::Session* session, std::vector<std::string> paths, const std::string& data, MultiLockObserver* observer)
      : loop_(session->loop()), observer_(observer) {
    for (std::string& path : paths) {
      std::unique_ptr<One>& one = locks_[path];
      if (one == nullptr) one = std::make_unique<One>(this, session, std::move(path), data);
    }
    DROVER_CHECK(!locks_.empty()) << "a multi-lock needs at least one path";
  }
  ~Impl() { *alive_ = false; }

  void Acquire(base::Duration patience) {
    if (state_ != State::kIdle) return;
    state_ = State::kTaking;
    deadline_ = patience > base::Duration{0} ? loop_->Now() + patience : base::Instant::max();
    grants_.clear();
    TakeNext();
  }

  void Release(coord::DoneCallback done) {
    if (done) released_.push_back(std::move(done));
    if (state_ == State::kReleasing) return;
    state_ = State::kReleasing;
    left_ = locks_.size();
    for (auto& [path, one] : locks_) {
      one->mutex.Release([this, alive = std::shared_ptr<const bool>(alive_)](const absl::Status&) {
        if (!*alive || --left_ > 0) return;
        state_ = State::kIdle;
        for (coord::DoneCallback& told : std::exchange(released_, {})) {
          told(absl::OkStatus());
          if (!*alive) return;
        }
      });
    }
  }

  [[nodiscard]] bool held() const { return state_ == State::kHeld; }
  [[nodiscard]] std::vector<coord::Compare> Guards() const {
    DROVER_CHECK(held());
    std::vector<coord::Compare> guards;
    for (const auto& [path, one] : locks_) guards.push_back(one->mutex.Guard());
    return guards;
  }

 private:
  enum class State { kIdle, kTaking, kHeld, kReleasing };
  struct One final : LockObserver {
    One(Impl* o, coord::Session* session, std::string p, const std::string& data)
        : owner(o), path(p), mutex(session, {.path = std::move(p), .data = data}, this) {}
    void OnAcquired(const LockGrant& grant) override { owner->OnOne(path, grant); }
    void OnLost(const absl::Status& why) override { owner->OnOneLost(why); }

    Impl* const owner;
    const std::string path;
    Mutex mutex;
  };

  void TakeNext() {
    for (auto& [path, one] : locks_) {
      if (grants_.count(path) > 0) continue;
      base::Duration patience{0};
      if (deadline_ != base::Instant::max()) patience = std::max(deadline_ - loop_->Now(), base::Duration(1));
      return one->mutex.Acquire(patience);
    }
    state_ = State::kHeld;
    const std::map<std::string, LockGrant> grants = grants_;
    observer_->OnAcquired(grants);
  }
  void OnOne(const std::string& path, const LockGrant& grant) {
    if (state_ != State::kTaking) return;
    grants_[path] = grant;
    TakeNext();
  }
  void OnOneLost(const absl::Status& why) {
    if (state_ != State::kTaking && state_ != State::kHeld) return;
    Release(nullptr);
    observer_->OnLost(why);
  }

  base::Loop* const loop_;
  MultiLockObserver* const observer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  State state_ = State::kIdle;
  std::map<std::string, std::unique_ptr<One>> locks_;
  std::map<std::string, LockGrant> grants_;
  base::Instant deadline_{};
  std::size_t left_ = 0;
  std::vector<coord::DoneCallback> released_;
};

MultiLock::MultiLock(coord::Session* session, std::vector<std::string> paths, std::string data, MultiLockObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(paths), data, observer)) {}
MultiLock::~MultiLock() = default;

void MultiLock::Acquire(base::Duration patience) {
  impl_->Acquire(patience);
}
void MultiLock::Release(coord::DoneCallback done) {
  impl_->Release(std::move(done));
}
bool MultiLock::held() const {
  return impl_->held();
}
std::vector<coord::Compare> MultiLock::Guards() const {
  return impl_->Guards();
}

}  // namespace drover::recipes
