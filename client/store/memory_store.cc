#include "client/store/memory_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/store/key.h"

namespace drover::store {

MemoryStore::MemoryStore(base::Loop* loop, MemoryObjects* objects) : loop_(loop), objects_(objects) {}
MemoryStore::~MemoryStore() = default;

template <typename D, typename R>
void MemoryStore::Complete(D done, R result) {
  loop_->Post([alive = std::weak_ptr<int>(alive_), done = std::move(done), result = std::move(result)]() mutable {
    if (!alive.expired()) done(std::move(result));
  });
}

namespace {

absl::StatusOr<ObjectRef> PutObject(MemoryObjects* objects, const std::string& key, absl::string_view data, base::WallTime now) {
  if (!objects->failure.ok()) return objects->failure;
  if (absl::Status s = CheckKey(key); !s.ok()) return s;
  if (data.size() > objects->object_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat("object ", key, " is over ", objects->object_bytes_max, " bytes"));
  }
  const Digest digest = DigestOf(data);
  if (!objects->objects.try_emplace(key, MemoryObjects::Object{std::string(data), digest, now}).second) {
    return absl::AlreadyExistsError(absl::StrCat("object ", key, " exists"));
  }
  return ObjectRef{key, data.size(), digest};
}

absl::StatusOr<GetResult> ReadObject(const MemoryObjects& objects, const std::string& key, Range range) {
  if (!objects.failure.ok()) return objects.failure;
  if (absl::Status s = CheckKey(key); !s.ok()) return s;
  const auto found = objects.objects.find(key);
  if (found == objects.objects.end()) return absl::NotFoundError(absl::StrCat("no object ", key));
  const absl::string_view data(found->second.data);
  if (DigestOf(data) != found->second.digest)
    return absl::DataLossError(absl::StrCat("object ", key, " is damaged: digest mismatch"));
  const std::uint64_t begin = std::min<std::uint64_t>(range.offset, data.size());
  const std::uint64_t length = std::min<std::uint64_t>(range.length, data.size() - begin);
  return GetResult{base::Bytes::Copy(data.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(length))), data.size()};
}

absl::StatusOr<ListPage> ListObjects(const MemoryObjects& objects, const std::string& prefix, const std::string& after,
                                     std::size_t limit) {
  if (!objects.failure.ok()) return objects.failure;
  if (absl::Status s = CheckPrefix(prefix); !s.ok()) return s;
  if (absl::Status s = CheckPrefix(after); !s.ok()) return s;
  if (limit == 0 || limit > kListLimitMax) {
    return absl::InvalidArgumentError(absl::StrCat("a list's limit is 1 to ", kListLimitMax, ", not ", limit));
  }
  ListPage page;
  for (auto it = objects.objects.lower_bound(prefix); it != objects.objects.end() && absl::StartsWith(it->first, prefix); ++it) {
    if (it->first <= after) continue;
    if (page.objects.size() == limit) {
      page.more = true;
      break;
    }
    page.objects.push_back({it->first, it->second.data.size(), it->second.modified});
  }
  return page;
}

absl::Status DeleteObjects(MemoryObjects* objects, const std::vector<std::string>& keys) {
  absl::Status status = objects->failure;
  for (const std::string& key : keys) status.Update(CheckKey(key));
  if (!status.ok()) return status;
  for (const std::string& key : keys) objects->objects.erase(key);
  return status;
}

}  // namespace

void MemoryStore::Put(std::string key, base::Bytes data, Done<ObjectRef> done) {
  Complete(std::move(done), PutObject(objects_, key, data.view(), loop_->WallNow()));
}

void MemoryStore::Get(std::string key, Range range, Done<GetResult> done) {
  Complete(std::move(done), ReadObject(*objects_, key, range));
}

void MemoryStore::List(std::string prefix, std::string after, std::size_t limit, Done<ListPage> done) {
  Complete(std::move(done), ListObjects(*objects_, prefix, after, limit));
}

void MemoryStore::Delete(std::vector<std::string> keys, DoneStatus done) {
  Complete(std::move(done), DeleteObjects(objects_, keys));
}

}  // namespace drover::store
