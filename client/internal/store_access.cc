#include "client/internal/store_access.h"

#include <utility>

namespace drover::client {

bool StoreAccess::Reachable(Deadline deadline) {
  if (directory_ == nullptr) return false;
  base::MutexLock lock(&mu_);
  if (!looked_) looked_ = !absl::IsUnavailable(Open(deadline));
  return store_ != nullptr;
}

absl::Status StoreAccess::Open(Deadline deadline) {
  auto location = directory_->Store(deadline);
  if (!location.ok()) return location.status();
  if (!location->has_value()) return absl::NotFoundError("the pool has no object store");
  auto opened = store::OpenStore((*location)->url, &executor_, {.create = false});
  if (!opened.ok()) return opened.status();
  absl::Status same = absl::UnknownError("not checked");
  store::CheckMarker(opened->get(), (*location)->marker, [&same](absl::Status s) { same = std::move(s); });
  if (same.ok()) store_ = *std::move(opened);
  return same;
}

absl::StatusOr<store::ObjectRef> StoreAccess::Put(const std::string& key, std::string data) {
  base::MutexLock lock(&mu_);
  absl::StatusOr<store::ObjectRef> result = absl::UnavailableError("the object store is not reachable from here");
  if (store_ == nullptr) return result;
  store_->Put(key, base::Bytes::Adopt(std::move(data)), [&result](absl::StatusOr<store::ObjectRef> r) { result = std::move(r); });
  return result;
}

absl::StatusOr<base::Bytes> StoreAccess::Get(const std::string& key) {
  base::MutexLock lock(&mu_);
  absl::StatusOr<base::Bytes> result = absl::UnavailableError("the object store is not reachable from here");
  if (store_ == nullptr) return result;
  store_->Get(key, {}, [&result](absl::StatusOr<store::GetResult> r) {
    if (r.ok()) {
      result = std::move(r->data);
    } else {
      result = r.status();
    }
  });
  return result;
}

}  // namespace drover::client
