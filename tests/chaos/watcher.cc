#include "tests/chaos/watcher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/loop.h"
#include "tests/support/await.h"

namespace drover::chaos {

absl::StatusOr<std::unique_ptr<Watcher>> Watcher::Begin(const std::vector<std::string>& addresses, std::size_t first,
                                                        const std::string& root) {
  std::unique_ptr<Watcher> watcher(new Watcher(absl::StrCat("of watcher ", first + 1), root));
  coord::BlockingOptions options;
  options.session.endpoints = addresses;
  options.session.first_endpoint = first;
  options.session.timeout = std::chrono::minutes(1);  // it watches the whole round
  options.session.name = absl::StrCat("watcher-", first + 1);
  absl::StatusOr<std::unique_ptr<coord::BlockingClient>> client = coord::BlockingClient::Connect(options);
  if (!client.ok()) return client.status();
  watcher->client_ = *std::move(client);
  watcher->Arm();
  std::unique_lock lock(watcher->mu_);
  if (!watcher->changed_.wait_for(lock, testing::kDeadline, [&watcher] { return watcher->standing_; })) {
    return absl::UnavailableError("no watch stands");
  }
  return watcher;
}

Watcher::~Watcher() {
  client_.reset();
}

void Watcher::Arm() {
  client_->OnLoop([this](coord::Session& session) {
    session_ = &session;
    session.Watch(root_, {}, this);
  });
}

bool Watcher::AwaitToldOf(base::Zxid zxid) {
  // Brings its node up to what is committed, and with the answer comes every event before it.
  (void)client_->Sync();
  std::unique_lock lock(mu_);
  const bool told = changed_.wait_for(lock, testing::kDeadline, [&] { return (standing_ && told_ >= zxid) || !ended_.empty(); }) &&
                    ended_.empty();
  if (told) traces_.back().settled = zxid;
  return told;
}

std::string Watcher::ended() const {
  const std::lock_guard lock(mu_);
  return ended_;
}

std::vector<check::WatchTrace> Watcher::Traces() const {
  const std::lock_guard lock(mu_);
  return {traces_.begin(), traces_.end()};
}

void Watcher::OnArmed(base::Zxid zxid) {
  const std::lock_guard lock(mu_);
  check::WatchTrace trace;
  trace.name = absl::StrCat(name_, ", armed the ", traces_.size() + 1, ". time");
  trace.root = root_;
  trace.after = {zxid, check::Position::kAll};
  trace.with_data = true;
  traces_.push_back(std::move(trace));
  standing_ = true;
  changed_.notify_all();
}

void Watcher::OnEvent(const coord::Event& event) {
  check::Delivery delivery;
  delivery.event.position = {event.zxid, event.ordinal};
  delivery.event.type = static_cast<check::EventType>(event.type);
  delivery.event.path = event.path;
  delivery.event.data = event.data;
  delivery.event.owner = event.stat.ephemeral_owner;
  const std::lock_guard lock(mu_);
  traces_.back().deliveries.push_back(std::move(delivery));
}

void Watcher::OnProgress(base::Zxid zxid) {
  check::Delivery delivery;
  delivery.what = check::Delivery::What::kBookmark;
  delivery.zxid = zxid;
  const std::lock_guard lock(mu_);
  traces_.back().deliveries.push_back(std::move(delivery));
  told_ = zxid;
  changed_.notify_all();
}

void Watcher::OnCompacted() {
  {
    const std::lock_guard lock(mu_);
    standing_ = false;
  }
  // From where it is now, as a trace of its own; not from inside the call.
  session_->loop()->Post([this] { session_->Watch(root_, {}, this); });
}

void Watcher::OnEnded(const absl::Status& why) {
  const std::lock_guard lock(mu_);
  standing_ = false;
  ended_ = absl::StrCat("a session ", name_, " ended: ", why.message());
  changed_.notify_all();
}

}  // namespace drover::chaos
