#include "master/server/pool_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "master/records/codec.h"

namespace drover::master::server {

PoolStore::PoolStore(base::Loop* loop, PoolStoreOptions options, Opener opener, std::function<coord::Session*()> session)
    : loop_(loop), options_(std::move(options)), opener_(std::move(opener)), session_(std::move(session)), retry_(loop) {}

void PoolStore::Open(std::function<void(absl::Status)> done) {
  done_ = std::move(done);
  busy_ = true;
  LookUp();
}

void PoolStore::SessionReplaced() {
  if (!busy_) return;
  turn_ = std::make_shared<int>(0);
  retry_.Cancel();  // one look-up at a time: a second one would replace a store that is in use by then
  LookUp();
}

absl::StatusOr<store::ObjectStore*> PoolStore::Use() {
  if (store() != nullptr) return store();
  if (done_) return absl::UnavailableError("this master is still looking for the pool's object store");
  // Another process may have announced one meanwhile.
  if (!busy_ && options_.url.empty()) {
    busy_ = true;
    LookUp();
  }
  return absl::FailedPreconditionError("this pool has no object store that this master can reach: start it with --store");
}

void PoolStore::LookUp() {
  coord::Session* session = session_();
  if (session == nullptr) return;  // SessionReplaced follows
  session->Get(options_.path, Current([this](absl::StatusOr<coord::GetResult> got) {
                 if (got.ok()) {
                   const auto info = records::DecodeStoreInfo(got->node.data);
                   return info.ok() ? Check(*info) : Settle(base::Annotate(info.status(), options_.path));
                 }
                 if (coord::IsSessionExpired(got.status())) return;  // SessionReplaced follows
                 if (!coord::IsNoNode(got.status())) return retry_.Set(options_.retry_delay, [this] { LookUp(); });
                 if (options_.url.empty()) return Settle(absl::OkStatus());
                 CreateFirst();
               }));
}

void PoolStore::Check(const worker::v1::StoreInfo& info) {
  const std::string url = options_.url.empty() ? info.url() : options_.url;
  auto opened = opener_(url);
  if (!opened.ok()) return Settle(base::Annotate(opened.status(), absl::StrCat("object store ", url)));
  store_ = *std::move(opened);
  store::CheckMarker(store_.get(), info.marker(), Current([this, url](absl::Status status) {
                       Settle(base::Annotate(status, absl::StrCat("object store ", url)));
                     }));
}

void PoolStore::CreateFirst() {
  auto opened = opener_(options_.url);
  if (!opened.ok()) return Settle(base::Annotate(opened.status(), absl::StrCat("object store ", options_.url)));
  store_ = *std::move(opened);
  store::EnsureMarker(store_.get(), options_.fresh_marker, Current([this](absl::StatusOr<std::string> marker) {
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
  checked_ = status.ok() && store_ != nullptr;
  if (!checked_) {
    // Not from inside its own completion.
    loop_->Post([store = std::shared_ptr<store::ObjectStore>(std::move(store_))] {});
  }
  if (done_) std::exchange(done_, nullptr)(status);
}

}  // namespace drover::master::server
