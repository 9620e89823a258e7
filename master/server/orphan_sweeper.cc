#include "master/server/orphan_sweeper.h"

#include <utility>

#include "client/store/names.h"
#include "coord/process/logging.h"

namespace drover::master::server {
namespace {

const process::Logger kLog("master.server");
constexpr int kSweepsPerAge = 24;

}  // namespace

OrphanSweeper::OrphanSweeper(base::Loop* loop, const Master* master, pool::PoolStore* store, UploadAges ages)
    : master_(master), store_(store), ages_(ages), timer_(loop) {}

void OrphanSweeper::Rest() {
  timer_.Set(ages_.kept / kSweepsPerAge, [this] { Sweep(""); });
}

void OrphanSweeper::Sweep(const std::string& after) {
  store::ObjectStore* store = store_->store();
  if (store == nullptr || !master_->serving()) return Rest();
  store->List(std::string(store::kInputs), after, kPage, [this, alive = alive_](absl::StatusOr<store::ListPage> page) {
    if (!*alive) return;
    if (!page.ok()) {
      kLog.Warning("uploads cannot be listed: orphans stay until the next sweep", {{"status", page.status()}});
      return Rest();
    }
    OnPage(*page);
  });
}

void OrphanSweeper::OnPage(const store::ListPage& page) {
  const std::int64_t now_ms = master_->ClusterPassedMs();
  std::vector<std::string> old;
  for (const store::Listed& upload : page.objects) {
    if (IsOldUpload(upload, now_ms, ages_)) old.push_back(upload.key);
  }
  const std::string next = page.more ? page.objects.back().key : "";
  if (old.empty()) return GoOn(next);
  master_->Confirm([this, alive = alive_, old = std::move(old), next](const absl::Status& confirmed) {
    if (!*alive) return;
    if (!confirmed.ok() || !master_->serving()) return Rest();
    Judge(old, next);
  });
}

bool OrphanSweeper::IsNeeded(const std::string& key) const {
  const auto id = store::TaskOfInput(key);
  if (!id.has_value()) return true;  // not one of ours
  const state::TaskView* task = master_->view().Find(*id);
  if (task == nullptr) return false;
  const auto record = task->Decode();
  return !record.ok() || MayReferTo(*record, key);
}

void OrphanSweeper::Judge(const std::vector<std::string>& old, const std::string& next) {
  std::vector<std::string> orphans;
  for (const std::string& key : old) {
    if (!IsNeeded(key)) orphans.push_back(key);
  }
  if (orphans.empty()) return GoOn(next);
  const std::size_t count = orphans.size();
  store_->store()->Delete(std::move(orphans), [this, alive = alive_, count, next](const absl::Status& status) {
    if (!*alive) return;
    if (status.ok()) removed_ += count;
    kLog.Info("uploads that no submission followed are removed", {{"objects", count}, {"status", status}});
    GoOn(next);
  });
}

void OrphanSweeper::GoOn(const std::string& next) {
  if (next.empty()) return Rest();
  Sweep(next);
}

}  // namespace drover::master::server
