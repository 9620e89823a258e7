#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/loop.h"
#include "drover/coord/status.h"
#include "drover/recipes/membership.h"

namespace drover::recipes {

// It watches its own name from the start: that shows when a holder goes, and when its own node is deleted.
class Member::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(base::Loop* loop, coord::Session* session, MemberOptions options, MemberObserver* observer)
      : options_(std::move(options)),
        path_(absl::StrCat(options_.path, "/", options_.name)),
        observer_(observer),
        alive_(std::make_shared<bool>(true)),
        taken_timer_(loop),
        loop_(loop),
        data_(options_.data) {
    Rejoin(session);
  }
  ~Impl() { *alive_ = false; }

  void Rejoin(coord::Session* session) {
    DROVER_CHECK(state_ == State::kLost) << "a member rejoins after it was lost";
    session_ = session;
    coord::SubtreeCache::Listener* const listener = this;
    cache_ = std::make_unique<coord::SubtreeCache>(session, coord::SubtreeOptions{.path = path_}, listener);
    waits_ = false;
    waits_for_ = base::Zxid();
    Register();
  }

  void Update(std::string data, coord::DoneCallback done) {
    data_ = std::move(data);
    if (state_ == State::kLeft) return Later(std::move(done), NotThere());
    updates_.push_back(std::move(done));
    if (state_ == State::kRegistered) WriteData();
  }

  void Leave(coord::DoneCallback done) {
    const State was = std::exchange(state_, State::kLeft);
    taken_timer_.Cancel();
    FailUpdates(NotThere());
    if (was == State::kLeft) return Later(std::move(done), absl::OkStatus());
    left_.push_back(std::move(done));
    if (was == State::kRegistered) return Delete();
    if (was == State::kRegistering) return;  // once the create is answered
    Later([this, alive = Alive(alive_)](const absl::Status& status) { TellLeft(status); }, absl::OkStatus());
  }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] base::Zxid incarnation() const { return incarnation_; }

 private:
  using Alive = std::shared_ptr<const bool>;

  static absl::Status NotThere() { return coord::RefusedError(coord::Code::kNoNode, "not registered"); }

  void Later(coord::DoneCallback done, absl::Status status) {
    loop_->Post([alive = Alive(alive_), done = std::move(done), status = std::move(status)]() mutable {
      if (*alive) done(status);
    });
  }

  void Register() {
    state_ = State::kRegistering;
    written_ = data_;
    session_->Create(path_, data_, {.ephemeral = true, .parents = true},
                     [this, alive = Alive(alive_), session = session_](absl::StatusOr<coord::CreateResult> made) {
                       if (*alive && session == session_) OnCreated(std::move(made));
                     });
  }

  void OnCreated(absl::StatusOr<coord::CreateResult> made) {
    // An ended session is reported by the cache, once.
    const bool session_ended = coord::IsSessionExpired(made.status()) || coord::IsOutcomeUnknown(made.status());
    if (state_ == State::kLeft) {
      if (session_ended || !made.ok()) return TellLeft(absl::OkStatus());
      incarnation_ = made->stat.czxid;
      return Delete();
    }
    if (state_ != State::kRegistering || session_ended) return;
    if (coord::IsNodeExists(made.status())) {
      state_ = State::kWaiting;
      if (!std::exchange(waits_, true)) {
        const base::Duration patience =
            options_.taken_report_after > base::Duration{0} ? options_.taken_report_after : 3 * session_->timeout();
        taken_timer_.Set(patience, [this] { ReportTaken(); });
      }
      return Evaluate();
    }
    if (!made.ok()) return Lose(made.status());
    taken_timer_.Cancel();
    state_ = State::kRegistered;
    incarnation_ = made->stat.czxid;
    const Alive alive = alive_;
    observer_->OnRegistered(incarnation_);
    if (!*alive || state_ != State::kRegistered) return;
    WriteData();
    if (*alive) Evaluate();
  }

  // Brings the node's data to the newest, for all who asked.
  void WriteData() {
    if (updates_.empty() && written_ == data_) return;
    std::vector<coord::DoneCallback> asked = std::exchange(updates_, {});
    written_ = data_;
    session_->Commit(
        {.compares = {coord::Compare::Czxid(path_, incarnation_)}, .then = {coord::Operation::Set(path_, data_)}, .otherwise = {}},
        [alive = Alive(alive_), asked = std::move(asked)](absl::StatusOr<coord::TransactionResult> written) mutable {
          const absl::Status status = written.ok() && !written->succeeded ? NotThere() : written.status();
          for (coord::DoneCallback& done : asked) {
            if (!*alive) return;
            if (done) done(status);
          }
        });
  }

  void Delete() {
    session_->Commit(
        {.compares = {coord::Compare::Czxid(path_, incarnation_)}, .then = {coord::Operation::Delete(path_)}, .otherwise = {}},
        [this, alive = Alive(alive_)](absl::StatusOr<coord::TransactionResult> deleted) {
          if (!*alive) return;
          const bool session_ended = coord::IsSessionExpired(deleted.status()) || coord::IsOutcomeUnknown(deleted.status());
          TellLeft(session_ended ? absl::OkStatus() : deleted.status());
        });
    incarnation_ = base::Zxid();
  }

  void TellLeft(const absl::Status& status) {
    const Alive alive = alive_;
    for (coord::DoneCallback& done : std::exchange(left_, {})) {
      done(status);
      if (!*alive) return;
    }
  }

  void FailUpdates(const absl::Status& why) {
    for (coord::DoneCallback& done : std::exchange(updates_, {})) Later(std::move(done), why);
  }

  void Lose(const absl::Status& why) {
    state_ = State::kLost;
    incarnation_ = base::Zxid();
    taken_timer_.Cancel();
    observer_->OnLost(why);
  }

  void ReportTaken() {
    const coord::Node* holder = cache_->synced() ? cache_->Find(path_) : nullptr;
    if (state_ != State::kWaiting || holder == nullptr) {
      // It has just gone, or is not seen yet: the name may be ours in a moment.
      return taken_timer_.Set(kLookAgain, [this] { ReportTaken(); });
    }
    const coord::Node told = *holder;
    observer_->OnNameTaken(told);
  }

  void Evaluate() {
    if (!cache_->synced()) return;
    const coord::Node* node = cache_->Find(path_);
    if (state_ == State::kWaiting && node == nullptr) {
      Register();
    } else if (state_ == State::kWaiting && node->stat.czxid != waits_for_) {
      waits_for_ = node->stat.czxid;
      const coord::Node told = *node;
      observer_->OnWaiting(told);
    } else if (state_ == State::kRegistered && cache_->zxid() >= incarnation_ &&
               (node == nullptr || node->stat.czxid != incarnation_)) {
      Lose(coord::RefusedError(coord::Code::kNoNode, "the member's node was deleted", cache_->zxid()));
    }
  }

  void OnCacheChanged(const coord::Event* /*event*/) override { Evaluate(); }
  void OnCacheProgress(base::Zxid /*zxid*/) override { Evaluate(); }
  void OnCacheEnded(const absl::Status& why) override {
    if (state_ != State::kLost && state_ != State::kLeft) return Lose(why);
    if (state_ == State::kLeft) TellLeft(absl::OkStatus());
  }

  static constexpr base::Duration kLookAgain = std::chrono::milliseconds(100);

  const MemberOptions options_;
  const std::string path_;
  MemberObserver* const observer_;
  const std::shared_ptr<bool> alive_;
  base::Timer taken_timer_;
  base::Loop* const loop_;
  coord::Session* session_ = nullptr;

  State state_ = State::kLost;
  base::Zxid incarnation_;
  std::string data_;      // the newest
  std::string written_;   // what the node was last given
  bool waits_ = false;    // the time for OnNameTaken runs, or has come
  base::Zxid waits_for_;  // the holder that OnWaiting was told of
  std::vector<coord::DoneCallback> updates_;
  std::vector<coord::DoneCallback> left_;
  std::unique_ptr<coord::SubtreeCache> cache_;
};

Member::Member(base::Loop* loop, coord::Session* session, MemberOptions options, MemberObserver* observer)
    : impl_(std::make_unique<Impl>(loop, session, std::move(options), observer)) {}
Member::~Member() = default;

void Member::Rejoin(coord::Session* session) {
  impl_->Rejoin(session);
}
void Member::Update(std::string data, coord::DoneCallback done) {
  impl_->Update(std::move(data), std::move(done));
}
void Member::Leave(coord::DoneCallback done) {
  impl_->Leave(std::move(done));
}
Member::State Member::state() const {
  return impl_->state();
}
const std::string& Member::path() const {
  return impl_->path();
}
base::Zxid Member::incarnation() const {
  return impl_->incarnation();
}
coord::Compare Member::Guard() const {
  DROVER_CHECK(state() == State::kRegistered);
  return coord::Compare::Czxid(path(), incarnation());
}

}  // namespace drover::recipes
