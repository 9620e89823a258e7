#include "drover/recipes/value.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"

namespace drover::recipes {

class AtomicValue::Impl : public std::enable_shared_from_this<AtomicValue::Impl> {
 public:
  Impl(coord::Session* session, std::string path) : session_(session), path_(std::move(path)) {}

  void Update(Change change, coord::Callback<UpdateResult> done) {
    Try(std::make_shared<Update_>(Update_{std::move(change), std::move(done)}));
  }

  void Get(coord::Callback<std::optional<std::string>> done) {
    session_->Get(path_, [alive = weak_from_this(), done = std::move(done)](absl::StatusOr<coord::GetResult> got) mutable {
      if (alive.expired()) return;
      if (coord::IsNoNode(got.status())) return done(std::optional<std::string>());
      if (!got.ok()) return done(got.status());
      done(std::optional<std::string>(std::move(got->node.data)));
    });
  }

 private:
  struct Update_ {
    Change change;
    coord::Callback<UpdateResult> done;
  };
  using Shared = std::shared_ptr<Update_>;

  void Try(const Shared& update) {
    session_->Get(path_, [alive = weak_from_this(), update](absl::StatusOr<coord::GetResult> got) {
      const std::shared_ptr<Impl> self = alive.lock();
      if (self == nullptr) return;
      if (!got.ok() && !coord::IsNoNode(got.status())) return update->done(got.status());
      UpdateResult result;
      if (got.ok()) result.before = std::move(got->node.data);
      result.after = update->change(result.before);
      result.changed = result.after.has_value();
      if (!result.changed) {
        result.after = result.before;
        result.zxid = got.ok() ? got->zxid : coord::RefusalZxid(got.status());
        return update->done(std::move(result));
      }
      self->Write(update, std::move(result), got.ok() ? std::optional(got->node.stat) : std::nullopt);
    });
  }

  // By the mzxid, not by the version, which comes back when a node is deleted and made again.
  void Write(const Shared& update, UpdateResult result, const std::optional<coord::Stat>& seen) {
    coord::Transaction transaction;
    if (seen) {
      transaction.compares = {coord::Compare::Mzxid(path_, seen->mzxid)};
      transaction.then = {coord::Operation::Set(path_, *result.after)};
    } else {
      transaction.compares = {coord::Compare::Absent(path_)};
      transaction.then = {coord::Operation::Create(path_, *result.after, {.parents = true})};
    }
    session_->Commit(std::move(transaction), [alive = weak_from_this(), update, result = std::move(result)](
                                                 const absl::StatusOr<coord::TransactionResult>& written) mutable {
      const std::shared_ptr<Impl> self = alive.lock();
      if (self == nullptr) return;
      if (!written.ok()) return update->done(written.status());
      if (!written->succeeded) return self->Try(update);
      result.zxid = written->zxid;
      update->done(std::move(result));
    });
  }

  coord::Session* const session_;
  const std::string path_;
};

AtomicValue::AtomicValue(coord::Session* session, std::string path) : impl_(std::make_shared<Impl>(session, std::move(path))) {}
AtomicValue::~AtomicValue() = default;

void AtomicValue::Update(Change change, coord::Callback<UpdateResult> done) {
  impl_->Update(std::move(change), std::move(done));
}
void AtomicValue::Get(coord::Callback<std::optional<std::string>> done) {
  impl_->Get(std::move(done));
}

namespace {

absl::StatusOr<std::int64_t> NumberOf(const std::string& path, const std::optional<std::string>& value) {
  std::int64_t number = 0;
  if (!value || absl::SimpleAtoi(*value, &number)) return number;
  return absl::FailedPreconditionError(absl::StrCat(path, " holds no number"));
}

}  // namespace

Counter::Counter(coord::Session* session, std::string path) : value_(session, path), path_(std::move(path)) {}
Counter::~Counter() = default;

void Counter::Add(std::int64_t delta, coord::Callback<std::int64_t> done) {
  auto outcome = std::make_shared<absl::StatusOr<std::int64_t>>();
  value_.Update(
      [path = path_, delta, outcome](const std::optional<std::string>& now) -> std::optional<std::string> {
        *outcome = NumberOf(path, now);
        if (!outcome->ok()) return std::nullopt;
        std::int64_t sum = 0;
        if (__builtin_add_overflow(**outcome, delta, &sum)) {
          *outcome = absl::OutOfRangeError(absl::StrCat(path, ": ", **outcome, " and ", delta, " do not fit into 64 bits"));
          return std::nullopt;
        }
        *outcome = sum;
        return absl::StrCat(sum);
      },
      [outcome, done = std::move(done)](const absl::StatusOr<UpdateResult>& updated) mutable {
        done(updated.ok() ? *outcome : updated.status());
      });
}

void Counter::Get(coord::Callback<std::int64_t> done) {
  value_.Get([path = path_, done = std::move(done)](const absl::StatusOr<std::optional<std::string>>& value) mutable {
    done(value.ok() ? NumberOf(path, *value) : value.status());
  });
}

class ConfigValue::Impl final : private coord::SubtreeCache::Listener {
 public:
  Impl(coord::Session* session, std::string path, ConfigListener* listener)
      : session_(session), path_(std::move(path)), listener_(listener), cache_(session, {.path = path_}, this) {}
  ~Impl() { *alive_ = false; }

  void Set(std::string value, std::optional<std::uint32_t> version, coord::Callback<coord::Stat> done) {
    if (version) {
      session_->Set(path_, std::move(value), version,
                    [alive = alive_, done = std::move(done)](const absl::StatusOr<coord::SetResult>& set) mutable {
                      if (!*alive) return;
                      set.ok() ? done(set->stat) : done(set.status());
                    });
      return;
    }
    // Whichever of the two it is: one transaction.
    session_->Commit({.compares = {coord::Compare::Exists(path_)},
                      .then = {coord::Operation::Set(path_, value)},
                      .otherwise = {coord::Operation::Create(path_, value, {.parents = true})}},
                     [alive = alive_, done = std::move(done)](const absl::StatusOr<coord::TransactionResult>& set) mutable {
                       if (!*alive) return;
                       set.ok() ? done(set->results[0].stat) : done(set.status());
                     });
  }

 private:
  void OnCacheChanged(const coord::Event* event) override {
    if (!cache_.synced() || (event != nullptr && event->path != path_)) return;
    const coord::Node* node = cache_.Find(path_);
    std::optional<coord::Node> now = node == nullptr ? std::nullopt : std::optional(*node);
    const bool same = told_ && now.has_value() == last_.has_value() &&
                      (!now || (now->stat.mzxid == last_->stat.mzxid && now->stat.czxid == last_->stat.czxid));
    if (same) return;  // a reading that was begun anew has found nothing new
    told_ = true;
    last_ = now;
    listener_->OnValue(now);
  }
  void OnCacheEnded(const absl::Status& why) override { listener_->OnConfigEnded(why); }

  coord::Session* const session_;
  const std::string path_;
  ConfigListener* const listener_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool told_ = false;
  std::optional<coord::Node> last_;
  coord::SubtreeCache cache_;
};

ConfigValue::ConfigValue(coord::Session* session, std::string path, ConfigListener* listener)
    : impl_(std::make_unique<Impl>(session, std::move(path), listener)) {}
ConfigValue::~ConfigValue() = default;

void ConfigValue::Set(std::string value, std::optional<std::uint32_t> version, coord::Callback<coord::Stat> done) {
  impl_->Set(std::move(value), version, std::move(done));
}

}  // namespace drover::recipes
