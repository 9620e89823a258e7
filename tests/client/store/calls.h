// The store's calls for tests that use an executor which completes inside the call.
#ifndef DROVER_TESTS_CLIENT_STORE_CALLS_H_
#define DROVER_TESTS_CLIENT_STORE_CALLS_H_

#include <string>
#include <utility>
#include <vector>

#include "client/store/object_store.h"

namespace drover::store {

inline absl::StatusOr<ObjectRef> Put(ObjectStore* store, std::string key, std::string data) {
  absl::StatusOr<ObjectRef> result = absl::UnknownError("not completed");
  store->Put(std::move(key), base::Bytes::Adopt(std::move(data)),
             [&result](absl::StatusOr<ObjectRef> r) { result = std::move(r); });
  return result;
}

inline absl::StatusOr<std::string> Get(ObjectStore* store, std::string key, Range range = {}) {
  absl::StatusOr<std::string> result = absl::UnknownError("not completed");
  store->Get(std::move(key), range, [&result](absl::StatusOr<GetResult> r) {
    if (r.ok()) {
      result = r->data.ToString();
    } else {
      result = r.status();
    }
  });
  return result;
}

inline absl::StatusOr<ListPage> List(ObjectStore* store, std::string prefix, std::string after = "",
                                     std::size_t limit = kListLimitMax) {
  absl::StatusOr<ListPage> result = absl::UnknownError("not completed");
  store->List(std::move(prefix), std::move(after), limit, [&result](absl::StatusOr<ListPage> r) { result = std::move(r); });
  return result;
}

inline std::vector<std::string> Keys(const ListPage& page) {
  std::vector<std::string> keys;
  for (const Listed& listed : page.objects) keys.push_back(listed.key);
  return keys;
}

inline absl::Status Delete(ObjectStore* store, std::vector<std::string> keys) {
  absl::Status result = absl::UnknownError("not completed");
  store->Delete(std::move(keys), [&result](absl::Status s) { result = std::move(s); });
  return result;
}

}  // namespace drover::store

#endif  // DROVER_TESTS_CLIENT_STORE_CALLS_H_
