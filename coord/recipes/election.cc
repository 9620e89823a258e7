#include "drover/recipes/election.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/loop.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"

namespace drover::recipes {

// What it knows comes from two sources: the answer to its own create, and the cache of the candidates. Neither is waited for by
// name: Evaluate looks at both whenever one has changed.
class Election::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, ElectionOptions options, ElectionObserver* observer)
      : session_(session),
        options_(std::move(options)),
        observer_(observer),
        alive_(std::make_shared<bool>(true)),
        retry_(session->loop()),
        cache_(session, {.path = options_.path}, this) {}
  ~Impl() { *alive_ = false; }

  void Stand() {
    if (state_ != State::kIdle) return;
    state_ = State::kStanding;
    mine_.reset();
    newest_departure_ = base::Zxid();
    session_->Create(absl::StrCat(options_.path, "/c-"), options_.data, {.ephemeral = true, .sequential = true, .parents = true},
                     [this, alive = Alive(alive_)](absl::StatusOr<coord::CreateResult> made) {
                       if (*alive) OnCreated(std::move(made));
                     });
  }

  void Resign(coord::DoneCallback done) {
    resigned_.push_back(std::move(done));
    switch (state_) {
      case State::kIdle:
      case State::kEnded:
        session_->loop()->Post([this, alive = Alive(alive_)] {
          if (*alive) TellResigned(absl::OkStatus());
        });
        return;
      case State::kStanding:
      case State::kLeading:
        state_ = State::kResigning;
        if (mine_.has_value()) DeleteMine();
        return;
      case State::kResigning:
        return;
    }
  }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  [[nodiscard]] const Leadership& leadership() const {
    DROVER_CHECK(state_ == State::kLeading);
    return *mine_;
  }

 private:
  using Alive = std::shared_ptr<const bool>;

  void OnCreated(absl::StatusOr<coord::CreateResult> made) {
    if (state_ == State::kEnded) return;
    if (!made.ok()) {
      // An ended session is reported by the cache, once.
      if (coord::IsSessionExpired(made.status()) || coord::IsOutcomeUnknown(made.status())) return;
      if (std::exchange(state_, State::kIdle) == State::kResigning) return TellResigned(absl::OkStatus());
      return observer_->OnDeposed(made.status());
    }
    mine_ = Leadership{made->path, made->stat.czxid, made->stat.czxid};
    if (state_ == State::kResigning) return DeleteMine();
    Evaluate();
  }

  void DeleteMine() {
    session_->Commit({.compares = {coord::Compare::Czxid(mine_->path, mine_->epoch)},
                      .then = {coord::Operation::Delete(mine_->path)},
                      .otherwise = {}},
                     [this, alive = Alive(alive_)](absl::StatusOr<coord::TransactionResult> deleted) {
                       if (!*alive || state_ == State::kEnded) return;
                       // With the session gone the node is gone too; its end is reported by the cache.
                       if (coord::IsSessionExpired(deleted.status()) || coord::IsOutcomeUnknown(deleted.status())) return;
                       if (!deleted.ok()) return retry_.Set(kRetryDelay, [this] { DeleteMine(); });  // not taken now
                       mine_.reset();
                       state_ = State::kIdle;
                       TellResigned(absl::OkStatus());
                     });
  }

  void TellResigned(const absl::Status& status) {
    const Alive alive = alive_;
    for (coord::DoneCallback& done : std::exchange(resigned_, {})) {
      done(status);
      if (!*alive) return;
    }
  }

  [[nodiscard]] bool IsCandidate(absl::string_view path) const {
    const absl::string_view name = path.size() > options_.path.size() ? path.substr(options_.path.size() + 1) : "";
    return absl::StartsWith(name, "c-") && !absl::StrContains(name, '/');
  }

  void OnCacheChanged(const coord::Event* event) override {
    if (event == nullptr) {
      // Who has gone meanwhile, and when, is not known: no later than now.
      if (cache_.synced()) newest_departure_ = cache_.zxid();
    } else if (event->type == coord::Event::Type::kDeleted && IsCandidate(event->path) &&
               (!mine_.has_value() || event->stat.czxid < mine_->epoch)) {
      newest_departure_ = event->zxid;
    }
    if (cache_.synced()) Evaluate();
  }

  void OnCacheProgress(base::Zxid /*zxid*/) override {
    if (state_ == State::kStanding) Evaluate();
  }

  void OnCacheEnded(const absl::Status& why) override {
    const Alive alive = alive_;
    const State was = std::exchange(state_, State::kEnded);
    retry_.Cancel();
    if (was == State::kStanding || was == State::kLeading) {
      observer_->OnDeposed(why);
      if (!*alive) return;
    }
    TellResigned(absl::OkStatus());
  }

  void ReadCandidates(std::vector<Candidate>* out) const {
    for (const auto& [path, node] : cache_.nodes()) {
      if (IsCandidate(path)) out->push_back({path, node.data, node.stat.czxid, node.stat.ephemeral_owner});
    }
    // Sequence numbers grow with it, but begin anew with a parent that was deleted and made again.
    std::sort(out->begin(), out->end(),
              [](const Candidate& a, const Candidate& b) { return std::tie(a.epoch, a.path) < std::tie(b.epoch, b.path); });
  }

  void Evaluate() {
    const Alive alive = alive_;
    if (!cache_.synced()) return;
    std::vector<Candidate> now;
    ReadCandidates(&now);
    if (now != candidates_ || !told_) {
      told_ = true;
      candidates_ = std::move(now);
      observer_->OnCandidates(candidates_);
      if (!*alive) return;
    }
    // The view may not show this candidate yet.
    if (!mine_.has_value() || cache_.zxid() < mine_->epoch || (state_ != State::kStanding && state_ != State::kLeading)) return;

    const coord::Node* node = cache_.Find(mine_->path);
    if (node == nullptr || node->stat.czxid != mine_->epoch) {
      mine_.reset();
      state_ = State::kIdle;
      observer_->OnDeposed(coord::RefusedError(coord::Code::kNoNode, "the candidate's node was deleted", cache_.zxid()));
    } else if (state_ == State::kStanding && candidates_.front().path == mine_->path) {
      mine_->since = std::max(mine_->epoch, newest_departure_);
      state_ = State::kLeading;
      const Leadership told = *mine_;
      observer_->OnElected(told);
    }
  }

  static constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);

  coord::Session* const session_;
  const ElectionOptions options_;
  ElectionObserver* const observer_;
  const std::shared_ptr<bool> alive_;

  State state_ = State::kIdle;
  std::optional<Leadership> mine_;  // once its node is made
  base::Zxid newest_departure_;     // of a candidate before this one
  std::vector<Candidate> candidates_;
  bool told_ = false;
  std::vector<coord::DoneCallback> resigned_;
  base::Timer retry_;
  coord::SubtreeCache cache_;
};

Election::Election(coord::Session* session, ElectionOptions options, ElectionObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(options), observer)) {}
Election::~Election() = default;

void Election::Stand() {
  impl_->Stand();
}
void Election::Resign(coord::DoneCallback done) {
  impl_->Resign(std::move(done));
}
Election::State Election::state() const {
  return impl_->state();
}
const std::vector<Candidate>& Election::candidates() const {
  return impl_->candidates();
}
const Leadership& Election::leadership() const {
  return impl_->leadership();
}
coord::Compare Election::Guard() const {
  return coord::Compare::Czxid(leadership().path, leadership().epoch);
}

}  // namespace drover::recipes
