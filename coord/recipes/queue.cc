// Below the queue's path: `items/<priority>-<producer>-<number>` holds an item. While it has a child it is not to be had: `claim`,
// ephemeral, of who has it in hand, or `delay`, with a time to live. Whoever claims an item sets its data to what it is, so its
// version counts the claims.
#include "drover/recipes/queue.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/check.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"

namespace drover::recipes {
namespace {

constexpr std::uint32_t kPriorityMax = 9;
constexpr char kItems[] = "/items";
constexpr char kClaim[] = "/claim";
constexpr char kDelay[] = "/delay";

absl::Status NotInHand(const std::string& name) {
  return coord::RefusedError(coord::Code::kNoNode, absl::StrCat("the item ", name, " is not in hand"));
}

coord::Operation Delay(const std::string& item, base::Duration delay) {
  return coord::Operation::Create(absl::StrCat(item, kDelay), "", {.ttl = delay});
}

}  // namespace

class Queue::Impl {
 public:
  Impl(coord::Session* session, QueueOptions options)
      : session_(session),
        options_(std::move(options)),
        items_(absl::StrCat(options_.path, kItems)),
        producer_(options_.producer.empty() ? absl::StrFormat("%016x", base::SystemRandom().Next()) : options_.producer) {}
  ~Impl() { *alive_ = false; }

  void Put(std::string data, const PutOptions& options, coord::Callback<std::string> done) {
    DROVER_CHECK(options.priority <= kPriorityMax) << "a queue's priorities are 0 to " << kPriorityMax;
    std::string name = absl::StrCat(options.priority, "-", producer_, "-", ++last_);
    const std::string path = absl::StrCat(items_, "/", name);
    coord::Transaction transaction;
    transaction.compares = {{items_, coord::Compare::Field::kNumChildren, coord::Compare::Relation::kLess, options_.items_max}};
    transaction.then = {coord::Operation::Create(path, std::move(data))};
    if (options.delay > base::Duration{0}) transaction.then.push_back(Delay(path, options.delay));
    Try(std::move(transaction), std::move(name), /*made=*/false, std::move(done));
  }

  void Count(coord::Callback<std::uint64_t> done) {
    session_->Exists(items_, [alive = alive_, done = std::move(done)](const absl::StatusOr<coord::ExistsResult>& found) mutable {
      if (!*alive) return;
      if (!found.ok()) return done(found.status());
      done(std::uint64_t{found->stat ? found->stat->num_children : 0});
    });
  }

 private:
  // What does not commit is full, or used for the first time.
  void Try(coord::Transaction transaction, std::string name, bool made, coord::Callback<std::string> done) {
    session_->Commit(transaction, [this, alive = alive_, transaction, name = std::move(name), made,
                                   done = std::move(done)](const absl::StatusOr<coord::TransactionResult>& put) mutable {
      if (!*alive) return;
      if (!put.ok()) return done(put.status());
      if (put->succeeded) return done(std::move(name));
      if (made) {
        return done(absl::ResourceExhaustedError(
            absl::StrCat("the queue ", options_.path, " holds ", options_.items_max, " items; nothing was put")));
      }
      session_->Create(items_, "", {.parents = true, .if_absent = true},
                       [this, alive, transaction = std::move(transaction), name = std::move(name),
                        done = std::move(done)](const absl::StatusOr<coord::CreateResult>& ready) mutable {
                         if (!*alive) return;
                         if (!ready.ok()) return done(ready.status());
                         Try(std::move(transaction), std::move(name), /*made=*/true, std::move(done));
                       });
    });
  }

  coord::Session* const session_;
  const QueueOptions options_;
  const std::string items_;
  const std::string producer_;
  std::uint64_t last_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Queue::Queue(coord::Session* session, QueueOptions options) : impl_(std::make_unique<Impl>(session, std::move(options))) {}
Queue::~Queue() = default;

void Queue::Put(std::string data, const PutOptions& options, coord::Callback<std::string> done) {
  impl_->Put(std::move(data), options, std::move(done));
}
void Queue::Count(coord::Callback<std::uint64_t> done) {
  impl_->Count(std::move(done));
}

class QueueConsumer::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, QueueConsumerOptions options, QueueObserver* observer)
      : session_(session),
        options_(std::move(options)),
        items_(absl::StrCat(options_.path, kItems)),
        observer_(observer),
        retry_(session->loop()),
        cache_(session, {.path = items_}, this) {
    DROVER_CHECK(options_.in_hand_max > 0) << "a consumer has at least one item in hand at a time";
  }
  ~Impl() { *alive_ = false; }

  void Acknowledge(const std::string& name, std::vector<coord::Operation> writes, coord::DoneCallback done) {
    writes.push_back(coord::Operation::Delete(ClaimOf(name)));
    writes.push_back(coord::Operation::Delete(PathOf(name)));
    Finish(name, std::move(writes), std::move(done));
  }
  void Return(const std::string& name, base::Duration delay, coord::DoneCallback done) {
    std::vector<coord::Operation> writes = {coord::Operation::Delete(ClaimOf(name))};
    if (delay > base::Duration{0}) writes.push_back(Delay(PathOf(name), delay));
    Finish(name, std::move(writes), std::move(done));
  }
  void Stop() { stopped_ = true; }

  [[nodiscard]] const std::map<std::string, QueueItem>& in_hand() const { return in_hand_; }

 private:
  static constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);

  [[nodiscard]] std::string PathOf(const std::string& name) const { return absl::StrCat(items_, "/", name); }
  [[nodiscard]] std::string ClaimOf(const std::string& name) const { return absl::StrCat(items_, "/", name, kClaim); }

  void OnCacheChanged(const coord::Event* event) override {
    if (event == nullptr) {
      Read();
    } else {
      Note(*event);
    }
    Evaluate();
  }
  void OnCacheProgress(base::Zxid /*zxid*/) override { Evaluate(); }
  void OnCacheEnded(const absl::Status& why) override { End(why); }

  // Which items are to be had, in the order in which they are: (lower is better) rank, czxid, name.
  using Place = std::tuple<std::uint32_t, base::Zxid, std::string>;

  void Read() {
    free_.clear();
    for (const auto& [path, node] : cache_.nodes()) Consider(path);
  }
  // What the event tells is about an item or the child of one: either way the item is looked at.
  void Note(const coord::Event& event) {
    if (event.path.size() <= items_.size()) return;
    const std::size_t end = event.path.find('/', items_.size() + 1);
    const std::string path = event.path.substr(0, end);
    if (event.type == coord::Event::Type::kDeleted && end == std::string::npos) {
      free_.erase(PlaceOf(path, event.stat.czxid));
      return;
    }
    Consider(path);
  }
  [[nodiscard]] Place PlaceOf(const std::string& path, base::Zxid czxid) const {
    std::string name = path.substr(items_.size() + 1);
    const std::uint32_t priority = PriorityOf(name);
    return {kPriorityMax - priority, czxid, std::move(name)};
  }
  static std::uint32_t PriorityOf(const std::string& name) {
    return name.size() > 1 && name[1] == '-' && name[0] >= '0' && name[0] <= '9' ? static_cast<std::uint32_t>(name[0] - '0') : 0;
  }
  void Consider(const std::string& path) {
    if (path.size() <= items_.size() || path.find('/', items_.size() + 1) != std::string::npos) return;
    const coord::Node* const item = cache_.Find(path);
    if (item == nullptr) return;
    const bool taken = cache_.Find(absl::StrCat(path, kClaim)) != nullptr || cache_.Find(absl::StrCat(path, kDelay)) != nullptr;
    Place place = PlaceOf(path, item->stat.czxid);
    taken ? static_cast<void>(free_.erase(place)) : static_cast<void>(free_.insert(std::move(place)));
  }

  void Evaluate() {
    if (ended_ || !cache_.synced()) return;
    LookAtClaims();
    // One claim under way at a time: what comes of it decides which is the next.
    if (ended_ || stopped_ || claiming_ || in_hand_.size() >= options_.in_hand_max) return;
    for (const Place& place : free_) {
      const std::string& name = std::get<2>(place);
      if (in_hand_.count(name) > 0 || leaving_.count(name) > 0) continue;
      return Claim(name, *cache_.Find(PathOf(name)));
    }
  }

  // A claim of ours that is gone.
  void LookAtClaims() {
    std::vector<std::string> gone;
    for (const auto& [name, item] : in_hand_) {
      if (cache_.zxid() < item.token || leaving_.count(name) > 0) continue;
      const coord::Node* const claim = cache_.Find(ClaimOf(name));
      if (claim == nullptr || claim->stat.czxid != item.token) gone.push_back(name);
    }
    const std::shared_ptr<bool> alive = alive_;
    for (const std::string& name : gone) {
      in_hand_.erase(name);
      observer_->OnItemLost(name, coord::RefusedError(coord::Code::kNoNode, "the item's claim was deleted", cache_.zxid()));
      if (!*alive || ended_) return;
    }
  }

  void Claim(const std::string& name, const coord::Node& node) {
    claiming_ = true;
    QueueItem item{name, node.data, PriorityOf(name), node.stat.version + 1, base::Zxid()};
    const std::string path = PathOf(name);
    session_->Commit(
        {.compares = {coord::Compare::Czxid(path, node.stat.czxid), coord::Compare::NumChildren(path, 0),
                      coord::Compare::Mzxid(path, node.stat.mzxid)},
         .then = {coord::Operation::Create(ClaimOf(name), options_.name, {.ephemeral = true}),
                  coord::Operation::Set(path, node.data)},
         .otherwise = {}},
        [this, alive = alive_, item = std::move(item)](const absl::StatusOr<coord::TransactionResult>& claimed) mutable {
          if (!*alive || ended_) return;
          claiming_ = false;
          if (!claimed.ok()) {
            if (coord::IsSessionExpired(claimed.status()) || coord::IsOutcomeUnknown(claimed.status()))
              return;  // the view's end tells
            return retry_.Set(kRetryDelay, [this] { Evaluate(); });
          }
          // Somebody was faster: the view is about to show it.
          if (!claimed->succeeded) return TryAgainAt(claimed->zxid);
          item.token = claimed->results[0].stat.czxid;
          const QueueItem got = in_hand_[item.name] = std::move(item);
          observer_->OnItem(got);
          if (*alive) Evaluate();
        });
  }

  void TryAgainAt(base::Zxid zxid) {
    if (cache_.zxid() >= zxid) return Evaluate();
    retry_.Set(kRetryDelay, [this] { Evaluate(); });
  }

  void Finish(const std::string& name, std::vector<coord::Operation> writes, coord::DoneCallback done) {
    const auto found = in_hand_.find(name);
    if (found == in_hand_.end() || !leaving_.insert(name).second) {
      return session_->loop()->Post([alive = alive_, done = std::move(done), name]() mutable {
        if (*alive) done(NotInHand(name));
      });
    }
    session_->Commit(
        {.compares = {coord::Compare::Czxid(ClaimOf(name), found->second.token)}, .then = std::move(writes), .otherwise = {}},
        [this, alive = alive_, name, done = std::move(done)](const absl::StatusOr<coord::TransactionResult>& finished) mutable {
          if (!*alive) return;
          leaving_.erase(name);
          // What was refused (by one of the caller's own writes) is still in hand.
          if (finished.ok()) in_hand_.erase(name);
          done(finished.ok() && !finished->succeeded ? NotInHand(name) : finished.status());
          if (*alive) Evaluate();
        });
  }

  void End(const absl::Status& why) {
    if (std::exchange(ended_, true)) return;
    retry_.Cancel();
    const std::shared_ptr<bool> alive = alive_;
    for (const auto& [name, item] : std::exchange(in_hand_, {})) {
      observer_->OnItemLost(name, why);
      if (!*alive) return;
    }
    observer_->OnConsumerEnded(why);
  }

  coord::Session* const session_;
  const QueueConsumerOptions options_;
  const std::string items_;
  QueueObserver* const observer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool ended_ = false;
  bool stopped_ = false;
  bool claiming_ = false;
  std::set<Place> free_;
  std::map<std::string, QueueItem> in_hand_;
  std::set<std::string> leaving_;  // of those in hand: acknowledged or returned, unanswered
  base::Timer retry_;
  coord::SubtreeCache cache_;
};

QueueConsumer::QueueConsumer(coord::Session* session, QueueConsumerOptions options, QueueObserver* observer)
    : impl_(std::make_unique<Impl>(session, std::move(options), observer)) {}
QueueConsumer::~QueueConsumer() = default;

void QueueConsumer::Acknowledge(const std::string& name, std::vector<coord::Operation> writes, coord::DoneCallback done) {
  impl_->Acknowledge(name, std::move(writes), std::move(done));
}
void QueueConsumer::Return(const std::string& name, base::Duration delay, coord::DoneCallback done) {
  impl_->Return(name, delay, std::move(done));
}
void QueueConsumer::Stop() {
  impl_->Stop();
}
const std::map<std::string, QueueItem>& QueueConsumer::in_hand() const {
  return impl_->in_hand();
}

}  // namespace drover::recipes
