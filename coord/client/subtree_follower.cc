#include "coord/client/subtree_follower.h"

#include <algorithm>
#include <utility>

namespace drover::coord {
namespace client {
namespace {

constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);

}  // namespace

Follower::Follower(Session* session, SubtreeOptions options, SubtreeListener* listener)
    : session_(session),
      options_(std::move(options)),
      listener_(listener),
      alive_(std::make_shared<bool>(true)),
      retry_(session->loop()) {
  watch_ = session_->Watch(options_.path, {.with_data = options_.with_data}, this);
}

Follower::~Follower() {
  *alive_ = false;
  if (watch_.has_value()) session_->Unwatch(*watch_);
}

void Follower::OnArmed(Zxid zxid) {
  const Alive alive = alive_;
  // The first reading's reset: nothing is called from inside the constructor.
  if (reading_++ == 0) listener_->OnReset(ResetCause::kFirst);
  if (!*alive) return;
  zxid_ = zxid;
  newest_skipped_ = zxid;  // a page must not be older than the watch
  AskForPage();
}

void Follower::OnCompacted() {
  ++reading_;
  synced_ = false;
  retry_.Cancel();
  pages_.clear();
  last_page_.reset();
  read_up_to_.clear();
  newest_page_ = Zxid();
  zxid_ = Zxid();
  watch_ = session_->Watch(options_.path, {.with_data = options_.with_data}, this);
  listener_->OnReset(ResetCause::kCompacted);
}

void Follower::AskForPage() {
  Callback<ListPage> done = [this, alive = Alive(alive_), reading = reading_](absl::StatusOr<ListPage> page) {
    if (*alive) OnPage(reading, std::move(page));
  };
  const ReadOptions how{.local = options_.local_reads};
  if (options_.with_data) {
    session_->List(options_.path, read_up_to_, options_.page_nodes, std::move(done), how);
  } else {
    session_->ListWithoutData(options_.path, read_up_to_, options_.page_nodes, std::move(done), how);
  }
}

void Follower::OnPage(std::uint64_t reading, absl::StatusOr<ListPage> page) {
  if (reading != reading_) return;
  const Alive alive = alive_;
  if (!page.ok()) {
    const absl::Status& why = page.status();
    if (IsNoNode(why)) {
      // The root, or a subtree below which nothing is left: an empty last page. What comes into being now comes as an event.
      page = ListPage{{}, false, std::max(RefusalZxid(why), newest_skipped_)};
    } else if (IsSessionExpired(why)) {
      return;  // OnEnded follows
    } else {
      return retry_.Set(kRetryDelay, [this] { AskForPage(); });  // too many calls wait, or the node cannot serve this one now
    }
  }
  if (page->zxid < newest_skipped_) return AskForPage();  // it cannot hold what was left to it
  newest_page_ = std::max(newest_page_, page->zxid);
  for (const Node& node : page->nodes) {
    listener_->OnNode(node, page->zxid);
    if (!*alive || reading != reading_) return;
  }
  if (!page->nodes.empty()) {
    read_up_to_ = page->nodes.back().path;
    pages_[read_up_to_] = page->zxid;
  }
  if (page->more && !page->nodes.empty()) return AskForPage();
  last_page_ = page->zxid;
  FinishIfComplete();
}

// Pages may be of different states: the view is one of them once every event up to the newest page's has been delivered.
void Follower::FinishIfComplete() {
  if (synced_ || !last_page_.has_value() || zxid_ < newest_page_) return;
  synced_ = true;
  pages_.clear();  // every event to come is newer than all of them
  listener_->OnSynced(zxid_);
}

void Follower::OnEvent(const Event& event) {
  if (!synced_) {
    const auto page = pages_.lower_bound(event.path);
    if (page == pages_.end() && !last_page_.has_value()) {
      newest_skipped_ = std::max(newest_skipped_, event.zxid);
      return;
    }
    if (event.zxid <= (page == pages_.end() ? *last_page_ : page->second)) return;
  }
  listener_->OnEvent(event);
}

void Follower::OnProgress(Zxid zxid) {
  if (zxid <= zxid_) return;
  zxid_ = zxid;
  if (synced_) return listener_->OnProgress(zxid);
  FinishIfComplete();
}

void Follower::OnEnded(const absl::Status& why) {
  watch_.reset();
  retry_.Cancel();
  ++reading_;
  listener_->OnEnded(why);
}

}  // namespace client

std::unique_ptr<SubtreeFollower> SubtreeFollower::Start(Session* session, SubtreeOptions options, SubtreeListener* listener) {
  return std::make_unique<client::Follower>(session, std::move(options), listener);
}

}  // namespace drover::coord
