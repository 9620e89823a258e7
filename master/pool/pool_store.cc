#include "master/pool/pool_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "coord/base/status.h"
#include "drover/coord/status.h"
#include "master/records/codec.h"

namespace drover::pool {

PoolStore::PoolStore(base::Loop* loop, PoolStoreOptions options, StoreOpener opener, std::function<coord::Session*()> session)
    : loop_(loop),
      options_(std::move(options)),
      opener_(std::move(opener)),
      session_(std::move(session)),
      retry_(loop),
      marker_limit_(loop) {}

PoolStore::~PoolStore() = default;

void PoolStore::Use(Done done) {
  if (checked_) return done(store_.get());
  waiting_.push_back(std::move(done));
  if (!busy_) LookUp();
}

absl::StatusOr<store::ObjectStore*> PoolStore::Now() {
  if (checked_) return store_.get();
  if (!busy_) LookUp();
  if (!settled_) return absl::UnavailableError("this process is still looking for the pool's object store; try again");
  return absl::FailedPreconditionError("this pool has no object store that its master can reach: start it with --store");
}

void PoolStore::SessionReplaced() {
  if (!busy_) return;
  turn_ = std::make_shared<int>(0);
  // One look-up at a time: a second one would replace a store that is in use by then.
  retry_.Cancel();
  marker_limit_.Cancel();
  LookUp();
}

void PoolStore::LookUp() {
  busy_ = true;
  store_.reset();
  coord::Session* session = session_();
  if (session == nullptr) return;  // SessionReplaced follows
  session->Get(options_.path, Current([this](absl::StatusOr<coord::GetResult> got) { OnNode(std::move(got)); }));
}

void PoolStore::OnNode(absl::StatusOr<coord::GetResult> got) {
  if (coord::IsSessionExpired(got.status())) return;  // SessionReplaced follows
  if (!got.ok() && !coord::IsNoNode(got.status())) return retry_.Set(options_.retry_delay, [this] { LookUp(); });
  none_ = !got.ok() && options_.url.empty();
  if (none_)
    return Settle(absl::FailedPreconditionError("the pool has no object store: start a master or worker of it with --store"));
  if (!got.ok()) return CreateFirst();
  const auto info = records::DecodeStoreInfo(got->node.data);
  return info.ok() ? Check(*info) : Settle(base::Annotate(info.status(), options_.path));
}

bool PoolStore::Open(const std::string& url, bool create) {
  const std::string what = absl::StrCat("object store ", url);
  auto opened = opener_(url, create);
  if (!opened.ok()) {
    Settle(base::Annotate(opened.status(), what));
    return false;
  }
  store_ = *std::move(opened);
  url_ = url;
  marker_limit_.Set(options_.marker_patience, [this, what] {
    Settle(absl::DeadlineExceededError(absl::StrCat(what, " does not answer: its marker could not be read within ",
                                                    absl::FormatDuration(absl::FromChrono(options_.marker_patience)))));
  });
  return true;
}

void PoolStore::Check(const worker::v1::StoreInfo& info) {
  const std::string url = options_.url.empty() ? info.url() : options_.url;
  // One that is not here is not made: it would not be the pool's.
  if (!Open(url, false)) return;
  store::CheckMarker(store_.get(), info.marker(), Current([this, url](absl::Status status) {
                       Settle(base::Annotate(status, absl::StrCat("object store ", url)));
                     }));
}

void PoolStore::CreateFirst() {
  if (!Open(options_.url, true)) return;
  store::EnsureMarker(store_.get(), options_.fresh_marker, Current([this](absl::StatusOr<std::string> marker) {
                        marker_limit_.Cancel();
                        if (!marker.ok())
                          return Settle(base::Annotate(marker.status(), absl::StrCat("object store ", options_.url)));
                        Announce(*std::move(marker));
                      }));
}

void PoolStore::Announce(std::string marker) {
  worker::v1::StoreInfo info;
  info.set_url(options_.url);
  info.set_marker(std::move(marker));
  coord::Session* session = session_();
  if (session == nullptr) return;
  session->Create(options_.path, records::Encode(info), {.parents = true},
                  Current([this](absl::StatusOr<coord::CreateResult> made) {
                    if (made.ok()) return Settle(absl::OkStatus());
                    // Another process was first, or the outcome is unknown: what stands there now decides.
                    if (!coord::IsSessionExpired(made.status())) retry_.Set(options_.retry_delay, [this] { LookUp(); });
                  }));
}

void PoolStore::Settle(const absl::Status& status) {
  busy_ = false;
  settled_ = true;
  checked_ = status.ok();
  marker_limit_.Cancel();
  turn_ = std::make_shared<int>(0);  // a store that was given up may still answer
  if (!checked_) {
    // Not from inside its own completion.
    loop_->Post([store = std::shared_ptr<store::ObjectStore>(std::move(store_))] {});
  }
  std::vector<Done> waiting = std::exchange(waiting_, {});
  for (Done& done : waiting) {
    if (status.ok()) {
      done(store_.get());
    } else {
      done(status);
    }
  }
}

}  // namespace drover::pool
