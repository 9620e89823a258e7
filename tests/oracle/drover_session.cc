#include "tests/oracle/drover_session.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/mutex.h"
#include "tests/oracle/drover_values.h"

namespace drover::oracle {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::minutes kSessionTimeout{1};
constexpr std::chrono::milliseconds kDisconnectGrace{500};

std::optional<std::uint32_t> VersionOf(const Operation& o) {
  if (o.version == kAnyVersion) return std::nullopt;
  return static_cast<std::uint32_t>(o.version);
}

}  // namespace

// Where the caller meets the loop.
class DroverSession::Waiter {
 public:
  void Give(Reply reply) {
    base::MutexLock lock(&mu_);
    reply_ = std::move(reply);
    given_.NotifyAll();
  }
  // Nothing: it did not come in time.
  [[nodiscard]] std::optional<Reply> Take() {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    base::MutexLock lock(&mu_);
    while (!reply_.has_value()) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= base::Duration{0}) return std::nullopt;
      given_.WaitFor(&mu_, left);
    }
    return std::move(reply_);
  }

 private:
  base::Mutex mu_;
  base::CondVar given_;
  std::optional<Reply> reply_ ABSL_GUARDED_BY(mu_);
};

// Whoever waits for the session's grant.
class DroverSession::Grant final : public coord::SessionObserver {
 public:
  explicit Grant(DroverSession* session) : session_(session) {}
  void Await(Done done) {
    done_ = std::move(done);
    if (session_->session_->state() == coord::SessionState::kConnected) OnConnected();
  }
  void OnConnected() override {
    if (done_ == nullptr) return;
    session_->Finish(std::exchange(done_, nullptr), Answer{.session = session_->session_->id().value});
  }
  void OnExpired(const absl::Status& why) override {
    if (done_ == nullptr) return;
    session_->Finish(std::exchange(done_, nullptr), Answer{.code = Code::kSessionExpired, .said = std::string(why.message())});
  }

 private:
  DroverSession* const session_;
  Done done_;
};

class DroverSession::Watch final : public coord::WatchListener {
 public:
  // `armed` is given `answer` once the watch stands, or has heard all that it ever will; with the zxid of then, if it has none.
  Watch(DroverSession* session, const Operation& operation, Answer answer, Done armed)
      : session_(session), path_(operation.path), kind_(operation.watch), answer_(std::move(answer)), armed_(std::move(armed)) {}
  void OnArmed(coord::Zxid zxid) override {
    if (armed_ == nullptr) return;
    if (answer_.zxid == 0) answer_.zxid = zxid.value;
    session_->Finish(std::exchange(armed_, nullptr), std::move(answer_));
  }
  // What ours tells by the child's path ZooKeeper tells by the node's, to all but a recursive watch.
  void OnEvent(const coord::Event& event) override {
    Event heard = EventOf(event);
    if (kind_ != WatchKind::kRecursive && event.path != path_) {
      heard.type = Event::Type::kChildren;
      heard.path = path_;
    }
    session_->OnEvent(std::move(heard));
    if (kind_ != WatchKind::kOnce && kind_ != WatchKind::kOnceChildren) return;
    fired = true;
    OnArmed(event.zxid);
  }
  void OnCompacted() override { OnEnded(coord::RefusedError(coord::Code::kCompacted, "compacted")); }
  void OnEnded(const absl::Status& why) override {
    if (armed_ != nullptr) session_->Finish(std::exchange(armed_, nullptr), RefusalAnswer(why));
  }

  coord::WatchId id;
  bool fired = false;  // it heard once

 private:
  DroverSession* const session_;
  const std::string path_;
  const WatchKind kind_;
  Answer answer_;
  Done armed_;
};

DroverSession::DroverSession(transport::LoopThread* thread, transport::GrpcDialer* dialer, const std::string& address)
    : thread_(thread) {
  thread_->RunOnLoop([&] {
    grant_ = std::make_unique<Grant>(this);
    coord::SessionOptions options;
    options.endpoints = {address};
    options.timeout = kSessionTimeout;
    options.disconnect_grace = kDisconnectGrace;
    options.name = "oracle";
    session_ = coord::Session::Open(thread_->loop(), dialer, std::move(options));
    session_->AddObserver(grant_.get());
  });
}

DroverSession::~DroverSession() {
  thread_->RunOnLoop([this] {
    session_.reset();
    watches_.clear();
    grant_.reset();
  });
}

absl::StatusOr<std::vector<Reply>> DroverSession::Execute(absl::Span<const Operation> burst) {
  std::vector<Done> waiters;
  for (std::size_t i = 0; i < burst.size(); ++i) waiters.push_back(std::make_shared<Waiter>());
  thread_->RunOnLoop([&] {
    unanswered_ = burst.size();
    for (std::size_t i = 0; i < burst.size(); ++i) Begin(burst[i], waiters[i]);
  });
  std::vector<Reply> replies;
  for (const Done& waiter : waiters) {
    std::optional<Reply> reply = waiter->Take();
    if (!reply.has_value()) return absl::UnavailableError("drover-coord does not answer");
    replies.push_back(*std::move(reply));
  }
  return replies;
}

bool DroverSession::IsHeard() {
  bool heard = false;
  thread_->RunOnLoop([&] { heard = session_->cluster_time().value != 0; });
  return heard;
}

void DroverSession::Finish(const Done& done, Answer answer) {
  Reply reply = {.answer = std::move(answer), .events = {}};
  if (--unanswered_ == 0) reply.events = std::exchange(events_, {});
  done->Give(std::move(reply));
}

// One event comes to each watch of the session that it is for. ZooKeeper tells a session once, of the node first, then of the
// children.
void DroverSession::OnEvent(Event heard) {
  auto begin = events_.end();
  while (begin != events_.begin() && std::prev(begin)->zxid == heard.zxid && std::prev(begin)->ordinal == heard.ordinal) --begin;
  if (std::find(begin, events_.end(), heard) != events_.end()) return;
  events_.insert(heard.type == Event::Type::kChildren ? events_.end() : begin, std::move(heard));
}

void DroverSession::Begin(const Operation& o, const Done& done) {
  switch (o.kind) {
    case Kind::kOpen:
      grant_->Await(done);
      return;
    case Kind::kClose:
      session_->Close([this, done](const absl::Status& status) { Finish(done, status.ok() ? Answer() : RefusalAnswer(status)); });
      return;
    case Kind::kCreate:
      BeginCreate(o, done);
      return;
    case Kind::kDelete:
      session_->Delete(o.path, VersionOf(o), [this, done](absl::StatusOr<coord::DeleteResult> result) {
        Finish(done, result.ok() ? Answer{.zxid = result->zxid.value} : RefusalAnswer(result.status()));
      });
      return;
    case Kind::kSet:
      session_->Set(o.path, o.data.value_or(""), VersionOf(o), [this, done](absl::StatusOr<coord::SetResult> result) {
        Finish(done,
               result.ok() ? Answer{.zxid = result->zxid.value, .stat = StatOf(result->stat)} : RefusalAnswer(result.status()));
      });
      return;
    case Kind::kMulti:
      BeginMulti(o, done);
      return;
    case Kind::kSync:
      session_->Sync([this, done](absl::StatusOr<coord::Zxid> zxid) {
        Finish(done, zxid.ok() ? Answer{.zxid = zxid->value} : RefusalAnswer(zxid.status()));
      });
      return;
    case Kind::kAuthenticate:
      session_->Authenticate({"digest", o.data.value_or("")}, [this, done](absl::StatusOr<coord::Zxid> zxid) {
        Finish(done, zxid.ok() ? Answer{.zxid = zxid->value} : RefusalAnswer(zxid.status()));
      });
      return;
    case Kind::kSetAcl:
      session_->SetAcl(o.path, AclOf(o.acl), VersionOf(o), [this, done](absl::StatusOr<coord::SetResult> result) {
        Finish(done,
               result.ok() ? Answer{.zxid = result->zxid.value, .stat = StatOf(result->stat)} : RefusalAnswer(result.status()));
      });
      return;
    case Kind::kGetAcl:
      session_->GetAcl(o.path, [this, done](const absl::StatusOr<coord::AclResult>& result) {
        if (!result.ok()) return Finish(done, RefusalAnswer(result.status()));
        Answer answer{.zxid = result->zxid.value, .stat = StatOf(result->stat)};
        for (const coord::AclEntry& entry : result->acl) {
          answer.names.push_back(ToWords(AclEntry{static_cast<std::int32_t>(entry.permissions), entry.scheme, entry.id}));
        }
        std::sort(answer.names.begin(), answer.names.end());
        Finish(done, std::move(answer));
      });
      return;
    case Kind::kWatch:
      BeginWatch(o, done);
      return;
    case Kind::kUnwatch: {
      const auto it = watches_.find(o.path);
      if (it == watches_.end()) {
        Finish(done, Answer{.code = Code::kNoWatcher});
        return;
      }
      // Taking a watch away is not answered: what came before it is what a sync brings.
      session_->Sync([this, done, path = o.path](absl::StatusOr<coord::Zxid> zxid) {
        const auto watch = watches_.find(path);
        const bool fired = watch->second->fired;
        if (!fired) session_->Unwatch(watch->second->id);
        watches_.erase(watch);
        if (!zxid.ok()) return Finish(done, RefusalAnswer(zxid.status()));
        Finish(done, fired ? Answer{.code = Code::kNoWatcher} : Answer{.zxid = zxid->value});
      });
      return;
    }
    default:
      BeginRead(o, done);
  }
}

void DroverSession::BeginCreate(const Operation& o, const Done& done) {
  session_->Create(o.path, o.data.value_or(""), CreateOptionsOf(o), [this, done](absl::StatusOr<coord::CreateResult> result) {
    Finish(done, result.ok() ? Answer{.zxid = result->zxid.value, .path = result->path, .stat = StatOf(result->stat)}
                             : RefusalAnswer(result.status()));
  });
}

void DroverSession::BeginMulti(const Operation& o, const Done& done) {
  coord::Transaction transaction = TransactionOf(o);
  const std::vector<coord::Operation> writes = transaction.then;
  session_->Commit(std::move(transaction), [this, done, writes](const absl::StatusOr<coord::TransactionResult>& result) {
    Finish(done, MultiAnswer(writes, result));
  });
}

void DroverSession::BeginRead(const Operation& o, const Done& done) {
  const coord::ReadOptions options = {.local = o.local};
  if (o.kind == Kind::kGet) {
    session_->Get(
        o.path,
        [this, done](absl::StatusOr<coord::GetResult> got) {
          Finish(done, got.ok() ? Answer{.zxid = got->zxid.value, .stat = StatOf(got->node.stat), .data = std::move(got->node.data)}
                                : RefusalAnswer(got.status()));
        },
        options);
  } else if (o.kind == Kind::kExists) {
    session_->Exists(
        o.path,
        [this, done](absl::StatusOr<coord::ExistsResult> found) {
          if (!found.ok()) {
            Finish(done, RefusalAnswer(found.status()));
          } else if (found->stat.has_value()) {
            Finish(done, Answer{.zxid = found->zxid.value, .stat = StatOf(*found->stat)});
          } else {
            Finish(done, Answer{.code = Code::kNoNode, .zxid = found->zxid.value});
          }
        },
        options);
  } else {
    session_->Children(
        o.path, "", 0,
        [this, done](absl::StatusOr<coord::ChildrenPage> page) {
          if (!page.ok()) {
            Finish(done, RefusalAnswer(page.status()));
          } else {
            // No run makes more children than a page holds.
            Finish(
                done,
                Answer{.code = page->more ? Code::kOther : Code::kOk, .zxid = page->zxid.value, .names = std::move(page->names)});
          }
        },
        options);
  }
}

void DroverSession::BeginWatch(const Operation& o, const Done& done) {
  if (o.watch != WatchKind::kOnceChildren) return Arm(o, std::nullopt, Answer(), done);
  // ZooKeeper's is what a reading of the children leaves: from the state that was read on.
  session_->Children(
      o.path, "", 0,
      [this, o, done](absl::StatusOr<coord::ChildrenPage> page) {
        if (!page.ok()) return Finish(done, RefusalAnswer(page.status()));
        Arm(o, coord::Position{page->zxid, coord::Position::kAll},
            Answer{.code = page->more ? Code::kOther : Code::kOk, .zxid = page->zxid.value, .names = std::move(page->names)}, done);
      },
      {});
}

void DroverSession::Arm(const Operation& o, std::optional<coord::Position> after, Answer answer, const Done& done) {
  auto watch = std::make_unique<Watch>(this, o, std::move(answer), done);
  constexpr coord::WatchKind kKinds[] = {coord::WatchKind::kRecursive, coord::WatchKind::kPersistent, coord::WatchKind::kOnce,
                                         coord::WatchKind::kOnceChildren};
  watch->id = session_->Watch(o.path, {.kind = kKinds[static_cast<int>(o.watch)], .with_data = true, .after = after}, watch.get());
  watches_[o.path] = std::move(watch);
}

}  // namespace drover::oracle
