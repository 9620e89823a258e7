#include "worker/agent/store_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "drover/coord/status.h"
#include "master/records/codec.h"

namespace drover::worker::agent {

StoreKeeper::StoreKeeper(base::Loop* loop, StoreKeeperOptions options, StoreOpener opener, std::function<coord::Session*()> session)
    : loop_(loop), options_(std::move(options)), opener_(std::move(opener)), session_(std::move(session)), retry_(loop_) {}

StoreKeeper::~StoreKeeper() = default;

void StoreKeeper::Use(Done done) {
  if (checked_) return done(store_.get());
  waiting_.push_back(std::move(done));
  if (!busy_) LookUp();
}

void StoreKeeper::SessionReplaced() {
  if (!busy_) return;
  turn_ = std::make_shared<int>(0);
  retry_.Cancel();
  LookUp();
}

void StoreKeeper::LookUp() {
  busy_ = true;
  store_.reset();
  session_()->Get(options_.path, Current([this](absl::StatusOr<coord::GetResult> got) { OnNode(std::move(got)); }));
}

void StoreKeeper::OnNode(absl::StatusOr<coord::GetResult> got) {
  named_ = got.ok();
  if (got.ok()) {
    auto info = records::DecodeStoreInfo(got->node.data);
    if (!info.ok()) return Settle(base::Annotate(info.status(), options_.path));
    return Check(*info);
  }
  if (coord::IsSessionExpired(got.status())) return;  // SessionReplaced follows
  if (!coord::IsNoNode(got.status())) return retry_.Set(options_.retry_delay, [this] { LookUp(); });
  if (options_.url.empty()) {
    return Settle(absl::FailedPreconditionError("the pool has no object store: start a master or worker of it with --store"));
  }
  CreateFirst();
}

void StoreKeeper::Check(const v1::StoreInfo& info) {
  const std::string url = options_.url.empty() ? info.url() : options_.url;
  auto opened = opener_(url);
  if (!opened.ok()) return Settle(base::Annotate(opened.status(), absl::StrCat("object store ", url)));
  store_ = *std::move(opened);
  store::CheckMarker(store_.get(), info.marker(), Current([this, url](absl::Status status) {
                       Settle(base::Annotate(status, absl::StrCat("object store ", url)));
                     }));
}

void StoreKeeper::CreateFirst() {
  auto opened = opener_(options_.url);
  if (!opened.ok()) return Settle(base::Annotate(opened.status(), absl::StrCat("object store ", options_.url)));
  store_ = *std::move(opened);
  store::EnsureMarker(store_.get(), options_.fresh_marker, Current([this](absl::StatusOr<std::string> marker) {
                        if (!marker.ok())
                          return Settle(base::Annotate(marker.status(), absl::StrCat("object store ", options_.url)));
                        Announce(*std::move(marker));
                      }));
}

void StoreKeeper::Announce(std::string marker) {
  v1::StoreInfo info;
  info.set_url(options_.url);
  info.set_marker(std::move(marker));
  session_()->Create(options_.path, records::Encode(info), {.parents = true},
                     Current([this](absl::StatusOr<coord::CreateResult> made) {
                       if (made.ok()) return Settle(absl::OkStatus());
                       // Another process was first, or the outcome is unknown: what stands there now decides.
                       if (!coord::IsSessionExpired(made.status())) retry_.Set(options_.retry_delay, [this] { LookUp(); });
                     }));
}

void StoreKeeper::Settle(absl::Status status) {
  busy_ = false;
  checked_ = status.ok();
  if (!status.ok()) {
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

}  // namespace drover::worker::agent
