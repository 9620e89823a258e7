#include "drover/coord/blocking.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/mutex.h"
#include "coord/base/status.h"
#include "coord/client/breaks.h"
#include "coord/client/pages.h"
#include "coord/client/session_machine.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "drover/coord/session_closer.h"
#include "drover/coord/subtree.h"

namespace drover::coord {
namespace {

constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";
constexpr base::Duration kCloseWait = std::chrono::seconds(1);
constexpr base::Duration kStopPoll = std::chrono::milliseconds(100);

// One value that one thread hands to another, once. Later values are dropped.
template <typename T>
class Handover {
 public:
  void Give(T value) {
    base::MutexLock lock(&mu_);
    if (value_.has_value()) return;
    value_.emplace(std::move(value));
    given_.NotifyAll();
  }
  // Nothing when `timeout` passed first.
  [[nodiscard]] std::optional<T> TakeWithin(base::Duration timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    base::MutexLock lock(&mu_);
    while (!value_.has_value()) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= base::Duration{0}) return std::nullopt;
      given_.WaitFor(&mu_, left);
    }
    return std::move(value_);
  }
  [[nodiscard]] T Take() {
    base::MutexLock lock(&mu_);
    while (!value_.has_value()) given_.Wait(&mu_);
    return *std::move(value_);
  }

 private:
  base::Mutex mu_;
  base::CondVar given_;
  std::optional<T> value_ ABSL_GUARDED_BY(mu_);
};

// What a callback holds: a callback that is dropped uncalled (its session is gone) still ends the wait.
template <typename T>
class Promise {
 public:
  explicit Promise(std::shared_ptr<Handover<absl::StatusOr<T>>> to) : to_(std::move(to)) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&&) = delete;
  ~Promise() {
    if (to_ != nullptr) to_->Give(RefusedError(Code::kSessionExpired, "the client was closed"));
  }
  void operator()(absl::StatusOr<T> value) { to_->Give(std::move(value)); }

 private:
  std::shared_ptr<Handover<absl::StatusOr<T>>> to_;
};

struct Nothing {};

absl::Status WhyThereIsNoSession(const client::Breaks& breaks) {
  const std::vector<absl::Status> answers = breaks.Answers();
  for (const absl::Status& answer : answers) {
    if (absl::IsResourceExhausted(answer)) return base::Annotate(answer, "no session could be opened");
  }
  const auto list = [](absl::string_view what, const std::vector<absl::Status>& why) {
    const auto words = [](std::string* out, const absl::Status& status) { absl::StrAppend(out, status.message()); };
    return absl::UnavailableError(absl::StrCat(what, why.empty() ? "" : ": ", absl::StrJoin(why, "; ", words)));
  };
  return answers.empty() ? list("no coordination node answered", breaks.Silences()) : list("no coordination node serves", answers);
}

// A subtree is kept by a watch until its first reading is complete. On the loop.
class OneReading final : private SubtreeCache::Listener {
 public:
  explicit OneReading(Handover<absl::StatusOr<std::vector<Node>>>* to) : to_(to) {}
  void Begin(Session* session, std::string path) {
    SubtreeCache::Listener* const self = this;
    cache_ = std::make_unique<SubtreeCache>(session, SubtreeOptions{.path = std::move(path)}, self);
  }
  void End() { cache_.reset(); }

 private:
  void OnCacheChanged(const Event* /*event*/) override {
    if (!cache_ || !cache_->synced()) return;
    std::vector<Node> nodes;
    for (const auto& [path, node] : cache_->nodes()) nodes.push_back(node);
    to_->Give(std::move(nodes));
  }
  void OnCacheEnded(const absl::Status& why) override { to_->Give(why); }

  Handover<absl::StatusOr<std::vector<Node>>>* const to_;
  std::unique_ptr<SubtreeCache> cache_;
};

// Where a blocking Watch meets its events. Loop thread.
class WatchRelay final : public WatchListener {
 public:
  WatchRelay(WatchKind kind, absl::AnyInvocable<bool(const Event&)> on_event, std::shared_ptr<Handover<absl::Status>> done)
      : once_(HearsOnce(kind)), on_event_(std::move(on_event)), done_(std::move(done)) {}
  void OnEvent(const Event& event) override {
    if (ended_ || (on_event_(event) && !once_)) return;
    ended_ = true;
    done_->Give(absl::OkStatus());
  }
  void OnCompacted() override {
    done_->Give(RefusedError(Code::kCompacted, "the history since the last event is gone: read anew"));
  }
  void OnEnded(const absl::Status& why) override { done_->Give(why); }

 private:
  const bool once_;
  absl::AnyInvocable<bool(const Event&)> on_event_;
  const std::shared_ptr<Handover<absl::Status>> done_;
  bool ended_ = false;
};

class Client final : public BlockingClient, private SessionObserver {
 public:
  explicit Client(BlockingOptions options) : options_(std::move(options)) {
    thread_.RunOnLoop([this] {
      dialer_ = std::make_unique<transport::GrpcDialer>(thread_.loop(), kSessionMethod);
      session_ = std::make_unique<client::SessionMachine>(thread_.loop(), dialer_.get(), options_.session);
      session_->AddObserver(this);
    });
  }

  ~Client() override {
    (void)CloseWithin(kCloseWait);  // unconfirmed, it ends by its timeout
    thread_.RunOnLoop([this] {
      session_.reset();
      dialer_.reset();
    });
  }

  [[nodiscard]] absl::Status WaitUntilConnected() {
    const auto until = std::chrono::steady_clock::now() + options_.call_timeout;
    while (true) {
      const base::Duration left = until - std::chrono::steady_clock::now();
      const base::Duration wait = options_.give_up ? std::min(left, kStopPoll) : left;
      if (std::optional<absl::Status> granted = connected_.TakeWithin(wait)) return *granted;
      if (left <= base::Duration{0}) break;
      if (options_.give_up && options_.give_up()) return absl::CancelledError("given up");
    }
    absl::Status why;
    thread_.RunOnLoop([this, &why] { why = WhyThereIsNoSession(session_->breaks()); });
    return why;
  }

  [[nodiscard]] const std::vector<Credential>& auth() const { return options_.auth; }

  SessionTicket ticket() override {
    SessionTicket ticket;
    thread_.RunOnLoop([this, &ticket] { ticket = session_->ticket().value_or(SessionTicket()); });
    return ticket;
  }

  bool expired() override {
    bool expired = false;
    thread_.RunOnLoop([this, &expired] { expired = session_->state() == SessionState::kExpired; });
    return expired;
  }

  absl::StatusOr<CreateResult> Create(std::string path, std::string data, CreateOptions how) override {
    return Write<CreateResult>([&](Session& session, Callback<CreateResult> done) {
      session.Create(std::move(path), std::move(data), std::move(how), std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<SetResult> Set(std::string path, std::string data, std::optional<std::uint32_t> version) override {
    return Write<SetResult>([&](Session& session, Callback<SetResult> done) {
      session.Set(std::move(path), std::move(data), version, std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<DeleteResult> Delete(std::string path, std::optional<std::uint32_t> version) override {
    return Write<DeleteResult>([&](Session& session, Callback<DeleteResult> done) {
      session.Delete(std::move(path), version, std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<DeleteSubtreeResult> DeleteSubtree(std::string path, std::optional<std::uint32_t> version) override {
    return Write<DeleteSubtreeResult>([&](Session& session, Callback<DeleteSubtreeResult> done) {
      session.DeleteSubtree(std::move(path), version, std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<TransactionResult> Commit(Transaction transaction) override {
    return Write<TransactionResult>([&](Session& session, Callback<TransactionResult> done) {
      session.Commit(std::move(transaction), std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<GetResult> Get(std::string path) override {
    return Read<GetResult>(
        [&](Session& session, Callback<GetResult> done) { session.Get(std::move(path), std::move(done), read_options()); });
  }
  absl::StatusOr<ExistsResult> Exists(std::string path) override {
    return Read<ExistsResult>(
        [&](Session& session, Callback<ExistsResult> done) { session.Exists(std::move(path), std::move(done), read_options()); });
  }
  absl::StatusOr<MultiReadResult> MultiRead(std::vector<ReadOperation> reads) override {
    return Read<MultiReadResult>([&](Session& session, Callback<MultiReadResult> done) {
      session.MultiRead(std::move(reads), std::move(done), read_options());
    });
  }
  absl::StatusOr<CountResult> CountDescendants(std::string path) override {
    return Read<CountResult>([&](Session& session, Callback<CountResult> done) {
      session.CountDescendants(std::move(path), std::move(done), read_options());
    });
  }
  absl::StatusOr<std::vector<Node>> Ephemerals(SessionId of, std::string path) override {
    return client::AllEphemerals([&](const AfterNode& after) {
      return Read<ListPage>([&](Session& session, Callback<ListPage> done) {
        session.Ephemerals(of, path, after, 0, std::move(done), read_options());
      });
    });
  }
  absl::StatusOr<SetResult> SetAcl(std::string path, Acl acl, std::optional<std::uint32_t> aversion) override {
    return Write<SetResult>([&](Session& session, Callback<SetResult> done) {
      session.SetAcl(std::move(path), std::move(acl), aversion, std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<Zxid> SetQuota(std::string path, Quota quota) override {
    return Write<Zxid>([&](Session& session, Callback<Zxid> done) {
      session.SetQuota(std::move(path), quota, std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<Zxid> Authenticate(Credential credential) override {
    return Write<Zxid>([&](Session& session, Callback<Zxid> done) {
      session.Authenticate(std::move(credential), std::move(done), {options_.call_timeout});
    });
  }
  absl::StatusOr<AclResult> GetAcl(std::string path) override {
    return Read<AclResult>(
        [&](Session& session, Callback<AclResult> done) { session.GetAcl(std::move(path), std::move(done), read_options()); });
  }
  absl::StatusOr<std::vector<QuotaUsage>> Quotas(std::string path) override {
    return client::AllQuotas([&](const AfterNode& after) {
      return Read<QuotasPage>(
          [&](Session& session, Callback<QuotasPage> done) { session.Quotas(path, after, 0, std::move(done), read_options()); });
    });
  }
  absl::StatusOr<IdentitiesResult> WhoAmI() override {
    return Read<IdentitiesResult>(
        [&](Session& session, Callback<IdentitiesResult> done) { session.WhoAmI(std::move(done), read_options()); });
  }
  absl::StatusOr<std::vector<SessionInfo>> Sessions() override {
    return client::AllSessions([&](SessionId after) {
      return Read<SessionsPage>(
          [&](Session& session, Callback<SessionsPage> done) { session.Sessions(after, 0, std::move(done), read_options()); });
    });
  }
  absl::StatusOr<Zxid> Sync() override {
    return Read<Zxid>([&](Session& session, Callback<Zxid> done) { session.Sync(std::move(done), read_options()); });
  }

  absl::StatusOr<std::vector<std::string>> Children(std::string path) override {
    std::vector<std::string> names;
    while (true) {
      absl::StatusOr<ChildrenPage> page = Read<ChildrenPage>([&](Session& session, Callback<ChildrenPage> done) {
        session.Children(path, names.empty() ? "" : names.back(), 0, std::move(done), read_options());
      });
      if (!page.ok()) return page.status();
      for (std::string& name : page->names) names.push_back(std::move(name));
      if (!page->more || page->names.empty()) return names;
    }
  }

  absl::StatusOr<std::vector<Node>> List(std::string path, std::size_t limit) override {
    std::vector<Node> nodes;
    while (true) {
      const auto page_limit = static_cast<std::uint32_t>(std::min<std::size_t>(limit == 0 ? 0 : limit - nodes.size(), UINT32_MAX));
      absl::StatusOr<ListPage> page = ListFrom(path, nodes.empty() ? "" : nodes.back().path, page_limit, /*with_data=*/true);
      if (!page.ok()) return page.status();
      const bool last = !page->more || page->nodes.empty();
      for (Node& node : page->nodes) nodes.push_back(std::move(node));
      if (last || (limit != 0 && nodes.size() >= limit)) return nodes;
    }
  }

  absl::StatusOr<ListPage> ListFrom(std::string path, std::string after, std::uint32_t limit, bool with_data) override {
    return Read<ListPage>([&](Session& session, Callback<ListPage> done) {
      if (with_data) {
        session.List(std::move(path), std::move(after), limit, std::move(done), read_options());
      } else {
        session.ListWithoutData(std::move(path), std::move(after), limit, std::move(done), read_options());
      }
    });
  }

  absl::Status Watch(std::string path, WatchOptions options, absl::AnyInvocable<bool(const Event&)> on_event,
                     absl::AnyInvocable<bool()> stop) override {
    auto done = std::make_shared<Handover<absl::Status>>();
    WatchRelay relay(options.kind, std::move(on_event), done);
    WatchId id;
    thread_.RunOnLoop([&] { id = session_->Watch(std::move(path), options, &relay); });
    std::optional<absl::Status> outcome;
    while (!outcome.has_value()) {
      outcome = done->TakeWithin(kStopPoll);
      if (!outcome.has_value() && stop && stop()) outcome = absl::OkStatus();
    }
    thread_.RunOnLoop([&] { session_->Unwatch(id); });
    return *outcome;
  }

  absl::StatusOr<std::vector<Node>> ListAtOneState(std::string path) override {
    const auto until = std::chrono::steady_clock::now() + options_.call_timeout;
    Handover<absl::StatusOr<std::vector<Node>>> read;
    OneReading reading(&read);
    thread_.RunOnLoop([&] { reading.Begin(session_.get(), std::move(path)); });
    std::optional<absl::StatusOr<std::vector<Node>>> result;
    while (!result.has_value()) {
      const base::Duration left = until - std::chrono::steady_clock::now();
      result = read.TakeWithin(std::min(left, kStopPoll));
      if (result.has_value()) break;
      if (left <= base::Duration{0}) result = absl::DeadlineExceededError("the subtree was not read in time");
      if (options_.give_up && options_.give_up()) result = absl::CancelledError("given up");
    }
    thread_.RunOnLoop([&] { reading.End(); });
    return *std::move(result);
  }

  absl::Status Close() override { return CloseWithin(options_.call_timeout); }

  void OnLoop(absl::AnyInvocable<void(Session&)> use) override {
    thread_.RunOnLoop([&] { use(*session_); });
  }

 private:
  template <typename T, typename Make>
  absl::StatusOr<T> Read(Make make) {
    std::optional<absl::StatusOr<T>> result = Call<T>(std::move(make));
    return result.has_value() ? *std::move(result) : absl::CancelledError("given up");
  }
  template <typename T, typename Make>
  absl::StatusOr<T> Write(Make make) {
    std::optional<absl::StatusOr<T>> result = Call<T>(std::move(make));
    return result.has_value() ? *std::move(result) : UnknownOutcomeError(UnknownCause::kDeadline, "given up");
  }

  // Nothing if the caller gave it up.
  template <typename T, typename Make>
  std::optional<absl::StatusOr<T>> Call(Make make) {
    auto result = std::make_shared<Handover<absl::StatusOr<T>>>();
    // Waits for the call to be made only, so that `make` may refer to the caller's variables.
    thread_.RunOnLoop([&] { make(*session_, Promise<T>(result)); });
    if (!options_.give_up) return result->Take();
    while (true) {
      if (std::optional<absl::StatusOr<T>> value = result->TakeWithin(kStopPoll)) return value;
      if (options_.give_up()) return std::nullopt;
    }
  }

  absl::Status CloseWithin(base::Duration limit) {
    auto closed = std::make_shared<Handover<absl::Status>>();
    thread_.RunOnLoop([&] { session_->Close([closed](absl::Status status) { closed->Give(std::move(status)); }); });
    if (std::optional<absl::Status> status = closed->TakeWithin(limit)) return *status;
    return UnknownOutcomeError(UnknownCause::kDeadline, "the end of the session was not confirmed in time");
  }

  [[nodiscard]] ReadOptions read_options() const { return {.local = false, .timeout = options_.call_timeout}; }

  void OnConnected() override { connected_.Give(absl::OkStatus()); }
  void OnExpired(const absl::Status& why) override { connected_.Give(why); }

  const BlockingOptions options_;
  Handover<absl::Status> connected_;
  transport::LoopThread thread_;
  // Of the loop's thread; made and destroyed there.
  std::unique_ptr<transport::GrpcDialer> dialer_;
  std::unique_ptr<client::SessionMachine> session_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlockingClient>> BlockingClient::Connect(BlockingOptions options) {
  if (options.session.endpoints.empty()) return absl::InvalidArgumentError("no coordination endpoint was given");
  auto client = std::make_unique<Client>(std::move(options));
  const absl::Status connected = client->WaitUntilConnected();
  if (!connected.ok()) return connected;
  for (const Credential& credential : client->auth()) {
    if (const absl::StatusOr<Zxid> proved = client->Authenticate(credential); !proved.ok()) return proved.status();
  }
  return std::unique_ptr<BlockingClient>(std::move(client));
}

absl::Status CloseSessionByTicket(SessionTicket ticket, SessionCloserOptions options, base::Duration deadline) {
  if (options.endpoints.empty()) return absl::InvalidArgumentError("no coordination endpoint was given");
  auto closed = std::make_shared<Handover<absl::Status>>();
  transport::LoopThread thread;
  std::unique_ptr<transport::GrpcDialer> dialer;
  std::unique_ptr<SessionCloser> closer;
  thread.RunOnLoop([&] {
    dialer = std::make_unique<transport::GrpcDialer>(thread.loop(), kSessionMethod);
    closer = SessionCloser::Start(thread.loop(), dialer.get(), std::move(ticket), std::move(options),
                                  [closed](absl::Status status) { closed->Give(std::move(status)); });
  });
  std::optional<absl::Status> outcome;
  if (deadline == base::Duration{0}) {
    outcome = closed->Take();
  } else {
    outcome = closed->TakeWithin(deadline);
  }
  thread.RunOnLoop([&] {
    closer.reset();
    dialer.reset();
  });
  if (!outcome.has_value()) return absl::DeadlineExceededError("the end of the session was not confirmed in time");
  return *outcome;
}

}  // namespace drover::coord
