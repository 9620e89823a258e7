#include "client/cli/tree_session.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"

namespace drover::cli {

// Called on the session's loop.
class TreeSession::Observer final : public coord::SessionObserver {
 public:
  Observer(TreeSession* session, coord::SessionId id) : session_(session), id_(id) {}
  void OnLeaseLost() override {
    session_->Post({false, absl::StrCat("the core has been silent for as long as session ", id_.value, " lives without it")});
  }
  void OnLeaseRestored() override { session_->Post({false, absl::StrCat("session ", id_.value, " lives")}); }
  void OnExpired(const absl::Status& /*why*/) override {
    session_->Post(
        {false, absl::StrCat("session ", id_.value,
                             " has expired: its ephemeral nodes and watches are gone; the next command opens another one")});
  }

 private:
  TreeSession* const session_;
  const coord::SessionId id_;
};

// Called on the session's loop.
class TreeSession::OneWatch final : public coord::WatchListener {
 public:
  OneWatch(TreeSession* session, std::string path, bool once, EventText text)
      : session_(session), path_(std::move(path)), once_(once), text_(std::move(text)) {}

  void Begin(coord::Session& of, coord::WatchOptions options) {
    of_ = &of;
    id_ = of.Watch(path_, options, this);
  }
  void End(coord::Session& of) { of.Unwatch(id_); }
  void OnEvent(const coord::Event& event) override {
    session_->Post({true, text_(event)});
    if (!once_) return;
    of_->Unwatch(id_);  // one that hears more than once; else it is gone already
    ended_ = true;      // the last thing: from here on it may be destroyed
  }
  void OnCompacted() override {
    session_->Post({false, absl::StrCat("the watch of ", path_, " has ended: events were missed; watch it anew, then read")});
    ended_ = true;
  }
  void OnEnded(const absl::Status& why) override {
    // That the session has expired is told once, by the session.
    if (!coord::IsSessionExpired(why)) session_->Post({false, absl::StrCat("the watch of ", path_, " has ended: ", why.message())});
    ended_ = true;
  }

  // Any thread.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  TreeSession* const session_;
  const std::string path_;
  const bool once_;
  const EventText text_;
  coord::Session* of_ = nullptr;
  coord::WatchId id_;
  std::atomic<bool> ended_ = false;
};

TreeSession::TreeSession(coord::BlockingOptions options, Opener open) : options_(std::move(options)), open_(std::move(open)) {
  news_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  DROVER_CHECK(news_fd_ >= 0) << "no descriptor for news";
  options_.give_up = [this] {
    return interrupted() || (give_up_at_.has_value() && std::chrono::steady_clock::now() >= *give_up_at_);
  };
}

TreeSession::~TreeSession() {
  Drop();
  close(news_fd_);
}

void TreeSession::Drop() {
  core_.reset();  // before those that it calls
  observer_.reset();
  watches_.clear();
}

absl::StatusOr<coord::BlockingClient*> TreeSession::Core() {
  if (core_ != nullptr && !core_->expired()) return core_.get();
  Drop();
  absl::StatusOr<std::unique_ptr<coord::BlockingClient>> core = open_(options_);
  if (!core.ok()) return core.status();
  core_ = *std::move(core);
  observer_ = std::make_unique<Observer>(this, core_->ticket().id);
  core_->OnLoop([this](coord::Session& session) { session.AddObserver(observer_.get()); });
  return core_.get();
}

coord::BlockingClient* TreeSession::CoreIfOpen() {
  return core_ != nullptr && !core_->expired() ? core_.get() : nullptr;
}

absl::Status TreeSession::Authenticate(const coord::Credential& credential) {
  absl::StatusOr<coord::BlockingClient*> core = Core();
  if (!core.ok()) return core.status();
  if (const absl::StatusOr<coord::Zxid> proved = (*core)->Authenticate(credential); !proved.ok()) return proved.status();
  options_.auth.push_back(credential);
  return absl::OkStatus();
}

absl::Status TreeSession::Watch(const std::string& path, coord::WatchOptions options, bool first_alone, EventText text) {
  absl::StatusOr<coord::BlockingClient*> core = Core();
  if (!core.ok()) return core.status();
  ForgetEnded();
  if (watches_.size() == kWatchesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("there are ", kWatchesMax, " watches; unwatch ends some"));
  }
  watches_.push_back(std::make_unique<OneWatch>(this, path, first_alone || coord::HearsOnce(options.kind), std::move(text)));
  (*core)->OnLoop([&](coord::Session& session) { watches_.back()->Begin(session, options); });
  return absl::OkStatus();
}

std::size_t TreeSession::Unwatch(const std::string& path) {
  coord::BlockingClient* const core = CoreIfOpen();
  ForgetEnded();
  return std::erase_if(watches_, [&](const auto& watch) {
    if (!path.empty() && watch->path() != path) return false;
    if (core != nullptr) core->OnLoop([&](coord::Session& session) { watch->End(session); });
    return true;
  });
}

std::vector<std::string> TreeSession::Watched() {
  ForgetEnded();
  std::vector<std::string> paths;
  for (const auto& watch : watches_) paths.push_back(watch->path());
  return paths;
}

// Those that hear nothing any more.
void TreeSession::ForgetEnded() {
  std::erase_if(watches_, [](const auto& watch) { return watch->ended(); });
}

std::vector<News> TreeSession::TakeNews() {
  std::uint64_t count = 0;
  (void)!read(news_fd_, &count, sizeof count);
  base::MutexLock lock(&mu_);
  std::vector<News> news = std::exchange(news_, {});
  if (dropped_ > 0) news.push_back({false, absl::StrCat(std::exchange(dropped_, 0), " events came faster than they were shown")});
  return news;
}

void TreeSession::Post(News news) {
  {
    base::MutexLock lock(&mu_);
    if (news_.size() < kNewsMax) {
      news_.push_back(std::move(news));
    } else {
      ++dropped_;
    }
  }
  Wake();
}

void TreeSession::Wake() {
  const std::uint64_t one = 1;
  (void)!write(news_fd_, &one, sizeof one);
}

void TreeSession::Interrupt() {
  interrupted_ = true;
  Wake();
}

void TreeSession::Leave() {
  leaving_ = true;
  Interrupt();
}

}  // namespace drover::cli
