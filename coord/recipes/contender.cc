#include "coord/recipes/contender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"

namespace drover::recipes {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);

}  // namespace

std::optional<std::uint64_t> SequenceOf(absl::string_view name) {
  std::size_t begin = name.size();
  while (begin > 0 && absl::ascii_isdigit(static_cast<unsigned char>(name[begin - 1]))) --begin;
  std::uint64_t number = 0;
  if (name.size() - begin < 10 || !absl::SimpleAtoi(name.substr(begin), &number)) return std::nullopt;
  return number;
}

// One event of one node. What it was told, and no more, is what its owner looks at.
class Contender::Watch final : public coord::WatchListener {
 public:
  Watch(Contender* owner, bool own) : owner_(owner), own_(own) {}

  void OnEvent(const coord::Event& event) override {
    id.reset();
    if (own_) return owner_->OnOwnEvent(event);
    owner_->Look();
  }
  void OnCompacted() override {
    id.reset();
    owner_->Look();
  }
  // The session is over, which its observers hear; or the path is none, and then there is no node to watch.
  void OnEnded(const absl::Status& /*why*/) override { id.reset(); }

  std::optional<coord::WatchId> id;

 private:
  Contender* const owner_;
  const bool own_;
};

Contender::Contender(coord::Session* session, std::string path, ContenderEvents* events)
    : session_(session), path_(std::move(path)), events_(events), patience_(session->loop()), retry_(session->loop()) {
  session_->AddObserver(this);
}

Contender::~Contender() {
  *alive_ = false;
  session_->RemoveObserver(this);
  Unwatch();
  if (own_ != nullptr && own_->id) session_->Unwatch(*own_->id);
}

void Contender::Enter(Rules rules, std::string data, base::Duration patience) {
  if (state_ != State::kIdle) return;
  state_ = State::kEntering;
  rules_ = std::move(rules);
  data_ = std::move(data);
  why_left_ = absl::OkStatus();
  if (patience > base::Duration{0}) {
    patience_.Set(patience, [this] {
      if (state_ != State::kEntering && state_ != State::kWaiting) return;
      why_left_ = absl::DeadlineExceededError(absl::StrCat(path_, ": it was not free in time"));
      Leave(nullptr);
    });
  }
  CreateNode(/*container=*/true);
}

void Contender::CreateNode(bool container) {
  const coord::CreateOptions line{.parents = true, .container = container, .if_absent = container};
  coord::Transaction transaction;
  if (container) transaction.then.push_back(coord::Operation::Create(path_, rules_.agreed, line));
  transaction.then.push_back(coord::Operation::Create(absl::StrCat(path_, "/", rules_.prefix), data_,
                                                      {.ephemeral = true, .sequential = true, .parents = !container}));
  session_->Commit(std::move(transaction),
                   [this, alive = Alive(alive_), container](const absl::StatusOr<coord::TransactionResult>& made) {
                     if (*alive) OnCreated(made, container);
                   });
}

void Contender::OnCreated(const absl::StatusOr<coord::TransactionResult>& made, bool container) {
  if (state_ == State::kEnded) return;
  if (!made.ok()) {
    // A cluster of older programs knows no containers: there the line's node stays, once somebody has used it.
    if (container && coord::RefusalOf(made.status()) == coord::Code::kUnimplemented) return CreateNode(/*container=*/false);
    if (coord::IsSessionExpired(made.status()) || coord::IsOutcomeUnknown(made.status())) return;  // OnExpired tells
    if (std::exchange(state_, State::kIdle) == State::kLeaving) return TellLeft(absl::OkStatus());
    patience_.Cancel();
    return events_->OnGone(made.status());
  }
  const coord::OperationResult& node = made->results.back();
  grant_ = LockGrant{node.path, node.stat.czxid, node.stat.czxid};
  if (state_ == State::kLeaving) return DeleteNode();
  state_ = State::kWaiting;
  WatchNode(grant_.path, grant_.token, /*own=*/true);
  Look();
}

void Contender::Look() {
  if (state_ != State::kWaiting) return;
  Unwatch();
  ++reading_;
  names_.clear();
  session_->MultiRead({coord::ReadOperation::Get(path_), coord::ReadOperation::Children(path_)},
                      [this, alive = Alive(alive_), reading = reading_](absl::StatusOr<coord::MultiReadResult> read) {
                        if (!*alive || reading != reading_ || state_ != State::kWaiting) return;
                        if (!read.ok()) {
                          if (!coord::IsSessionExpired(read.status())) retry_.Set(kRetryDelay, [this] { Look(); });
                          return;
                        }
                        coord::ReadAnswer& line = read->answers[0];
                        coord::ReadAnswer& children = read->answers[1];
                        // Without a line there is no own node any more: its watch tells.
                        if (!line.status.ok() || !children.status.ok()) return;
                        if (!rules_.agreed.empty() && line.data != rules_.agreed) {
                          why_left_ = absl::FailedPreconditionError(
                              absl::StrCat(path_, " is used with ", line.data, ", and here with ", rules_.agreed));
                          return Leave(nullptr);
                        }
                        names_from_ = read->zxid;
                        OnNames(std::move(children.names), children.more);
                      },
                      {.local = true});
}

void Contender::ReadNames(std::string after) {
  session_->Children(path_, std::move(after), 0,
                     [this, alive = Alive(alive_), reading = reading_](absl::StatusOr<coord::ChildrenPage> page) {
                       if (!*alive || reading != reading_ || state_ != State::kWaiting) return;
                       if (!page.ok()) return retry_.Set(kRetryDelay, [this] { Look(); });
                       OnNames(std::move(page->names), page->more);
                     },
                     {.local = true});
}

void Contender::OnNames(std::vector<std::string> names, bool more) {
  std::move(names.begin(), names.end(), std::back_inserter(names_));
  if (more && !names_.empty()) return ReadNames(names_.back());
  Judge();
}

void Contender::Judge() {
  const std::string own = grant_.path.substr(path_.size() + 1);
  const std::optional<std::uint64_t> place = SequenceOf(own);
  std::vector<std::pair<std::uint64_t, std::string>> way;
  bool there = false;
  for (std::string& name : names_) {
    const std::optional<std::uint64_t> other = SequenceOf(name);
    there = there || name == own;
    if (other && *other < *place && absl::StartsWith(name, rules_.blocked_by)) way.emplace_back(*other, std::move(name));
  }
  if (!there) return;  // the own node's watch tells
  if (way.size() < rules_.room) {
    state_ = State::kHeld;
    patience_.Cancel();
    grant_.since = names_from_;
    const LockGrant grant = grant_;
    return events_->OnHeld(grant);
  }
  std::sort(way.begin(), way.end());
  for (std::size_t i = way.size() - rules_.room; i < way.size(); ++i) {
    WatchNode(absl::StrCat(path_, "/", way[i].second), names_from_, /*own=*/false);
  }
}

void Contender::WatchNode(const std::string& path, base::Zxid from, bool own) {
  auto watch = std::make_unique<Watch>(this, own);
  watch->id = session_->Watch(
      path, {.kind = coord::WatchKind::kOnce, .with_data = false, .after = coord::Position{from, coord::Position::kAll}},
      watch.get());
  if (own) {
    own_ = std::move(watch);
  } else {
    ahead_.push_back(std::move(watch));
  }
}

void Contender::Unwatch() {
  for (const std::unique_ptr<Watch>& watch : ahead_) {
    if (watch->id) session_->Unwatch(*watch->id);
  }
  // The one whose event brought us here is still being called.
  session_->loop()->Post([gone = std::make_shared<std::vector<std::unique_ptr<Watch>>>(std::exchange(ahead_, {}))] {});
}

void Contender::OnOwnEvent(const coord::Event& event) {
  if (state_ != State::kWaiting && state_ != State::kHeld) return;
  if (event.type == coord::Event::Type::kDeleted) {
    return Lose(coord::RefusedError(coord::Code::kNoNode, "the lock's node was deleted", event.zxid));
  }
  session_->loop()->Post([gone = std::shared_ptr<Watch>(std::move(own_))] {});
  WatchNode(grant_.path, event.zxid, /*own=*/true);
}

void Contender::Leave(coord::DoneCallback done) {
  if (done) left_.push_back(std::move(done));
  patience_.Cancel();
  switch (state_) {
    case State::kIdle:
    case State::kEnded:
      session_->loop()->Post([this, alive = Alive(alive_)] {
        if (*alive && (state_ == State::kIdle || state_ == State::kEnded)) TellLeft(absl::OkStatus());
      });
      return;
    case State::kEntering:
      state_ = State::kLeaving;  // once its node is made
      return;
    case State::kWaiting:
    case State::kHeld:
      state_ = State::kLeaving;
      return DeleteNode();
    case State::kLeaving:
      return;
  }
}

void Contender::DeleteNode() {
  Unwatch();
  if (own_ != nullptr && own_->id) session_->Unwatch(*std::exchange(own_->id, std::nullopt));
  session_->Commit({.compares = {coord::Compare::Czxid(grant_.path, grant_.token)},
                    .then = {coord::Operation::Delete(grant_.path)},
                    .otherwise = {}},
                   [this, alive = Alive(alive_)](const absl::StatusOr<coord::TransactionResult>& deleted) {
                     if (!*alive || state_ == State::kEnded) return;
                     if (coord::IsSessionExpired(deleted.status()) || coord::IsOutcomeUnknown(deleted.status())) return;
                     if (!deleted.ok()) return retry_.Set(kRetryDelay, [this] { DeleteNode(); });  // not taken now
                     state_ = State::kIdle;
                     if (why_left_.ok()) return TellLeft(absl::OkStatus());
                     const absl::Status why = std::exchange(why_left_, absl::OkStatus());
                     const Alive still = alive_;
                     events_->OnGone(why);
                     if (*still) TellLeft(absl::OkStatus());
                   });
}

void Contender::Lose(const absl::Status& why) {
  Unwatch();
  patience_.Cancel();
  state_ = State::kIdle;
  events_->OnGone(why);
}

void Contender::TellLeft(const absl::Status& status) {
  const Alive alive = alive_;
  for (coord::DoneCallback& done : std::exchange(left_, {})) {
    done(status);
    if (!*alive) return;
  }
}

void Contender::OnExpired(const absl::Status& why) {
  const State was = std::exchange(state_, State::kEnded);
  patience_.Cancel();
  retry_.Cancel();
  const Alive alive = alive_;
  if (was == State::kEntering || was == State::kWaiting || was == State::kHeld) {
    events_->OnGone(coord::RefusedError(coord::Code::kSessionExpired, why.message()));
    if (!*alive) return;
  }
  TellLeft(absl::OkStatus());
}

}  // namespace drover::recipes
