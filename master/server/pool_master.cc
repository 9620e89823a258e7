#include "master/server/pool_master.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/store/object_store.h"
#include "coord/process/logging.h"
#include "drover/coord/session.h"
#include "master/records/paths.h"

namespace drover::master::server {
namespace {

const process::Logger kLog("master.server");

}  // namespace

PoolMaster::PoolMaster(const Seams& seams, MasterOptions options, const std::string& store_url, const UploadAges& uploads)
    : seams_(seams),
      pool_(options.pool),
      metrics_(seams.metrics, pool_),
      store_(
          seams.loop,
          {.path = records::PoolPaths(pool_).Store(),
           .url = store_url,
           .fresh_marker = absl::StrCat(absl::Hex(seams.random->Next()), absl::Hex(seams.random->Next()))},
          [disk = seams.disk](const std::string& url, bool create) {
            return store::OpenStore(url, disk, {.create = create, .tend = true});
          },
          [this] { return master_ == nullptr ? nullptr : master_->session(); }),
      remover_(&store_),
      master_(std::make_unique<Master>(seams.loop, std::move(options), HooksOf())),
      sweeper_(seams.loop, master_.get(), &store_, uploads) {}

Master::Hooks PoolMaster::HooksOf() {
  Master::Hooks hooks;
  hooks.open_session = [this](const coord::SessionOptions& session) {
    return coord::Session::Open(seams_.loop, seams_.dialer, session);
  };
  hooks.commits = &metrics_;
  hooks.changed = seams_.changed;
  hooks.retired = [this](const std::string& id, const worker::v1::TaskRecord& record) { remover_.Remove(id, record); };
  hooks.session_replaced = [this] {
    if (store_asked_) return store_.SessionReplaced();
    store_asked_ = true;
    // Posted: the master has no session yet while it opens its first.
    seams_.loop->Post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) OpenStore();
    });
  };
  return hooks;
}

void PoolMaster::OpenStore() {
  store_.Use([this](const absl::StatusOr<store::ObjectStore*>& opened) {
    // A pool without a store is one whose tasks have small input and output; a store that is another one is a mistake.
    if (!opened.ok() && !store_.none()) return seams_.failed(opened.status());
    if (!opened.ok()) return kLog.Info("the pool has no object store: only small input and output can be kept", {{"pool", pool_}});
    kLog.Info("object store is open", {{"pool", pool_}, {"url", store_.url()}});
  });
}

void PoolMaster::Start() {
  master_->Start();
  sweeper_.Start();
}

}  // namespace drover::master::server
