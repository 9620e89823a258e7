#include <utility>

#include "absl/strings/str_cat.h"
#include "client/store/object_store.h"

namespace drover::store {

void GetObject(ObjectStore* store, const ObjectRef& ref, Done<base::Bytes> done) {
  store->Get(ref.key, {}, [ref, done = std::move(done)](absl::StatusOr<GetResult> got) mutable {
    if (!got.ok()) return done(got.status());
    if (got->data.size() != ref.size || DigestOf(got->data.view()) != ref.digest) {
      return done(absl::DataLossError(absl::StrCat("object ", ref.key, " is not the one that was referred to")));
    }
    done(std::move(got->data));
  });
}

void EnsureMarker(ObjectStore* store, std::string fresh, Done<std::string> done) {
  base::Bytes bytes = base::Bytes::Adopt(std::move(fresh));
  store->Put(std::string(kMarkerKey), bytes, [store, bytes, done = std::move(done)](absl::StatusOr<ObjectRef> put) mutable {
    if (put.ok()) return done(bytes.ToString());
    if (!absl::IsAlreadyExists(put.status())) return done(put.status());
    store->Get(std::string(kMarkerKey), {}, [done = std::move(done)](absl::StatusOr<GetResult> got) mutable {
      if (!got.ok()) return done(got.status());
      done(got->data.ToString());
    });
  });
}

void CheckMarker(ObjectStore* store, std::string expected, DoneStatus done) {
  store->Get(
      std::string(kMarkerKey), {}, [expected = std::move(expected), done = std::move(done)](absl::StatusOr<GetResult> got) mutable {
        if (absl::IsNotFound(got.status())) {
          return done(absl::FailedPreconditionError(
              "the object store has no marker object, so it is not the one of this pool: is the right path mounted on this host?"));
        }
        if (!got.ok()) return done(got.status());
        if (got->data.view() != expected) {
          return done(
              absl::FailedPreconditionError(absl::StrCat("the object store's marker is ", got->data.view().substr(0, 64),
                                                         ", the pool's is ", expected, ": this is another store than the pool's")));
        }
        done(absl::OkStatus());
      });
}

}  // namespace drover::store
