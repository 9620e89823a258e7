// How old an uploaded object may be: when a submission may still refer to it, and when nobody can any more. Pure.
//
// A submission may refer to an upload for `submit_max`; what no record refers to is removed after `kept`. What lies between is for
// clocks that differ and for a master that is slow: once an upload may be removed, no master can have accepted it for longer than
// that, so the record is in every view that is current.
#ifndef DROVER_MASTER_SERVER_UPLOAD_AGES_H_
#define DROVER_MASTER_SERVER_UPLOAD_AGES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "client/store/object_store.h"
#include "coord/base/time.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::master::server {

struct UploadAges {
  base::Duration submit_max = std::chrono::hours(12);
  base::Duration kept = std::chrono::hours(24);
};

// INVALID_ARGUMENT, with a sentence for the operator, unless `kept` is twice `submit_max` or more.
[[nodiscard]] absl::Status CheckAges(const UploadAges& ages);

// FAILED_PRECONDITION, with a sentence for whoever submits, if a submission may not refer to `upload` any more.
[[nodiscard]] absl::Status CheckUpload(const store::Listed& upload, std::int64_t now_ms, const UploadAges& ages);

// Old enough to be removed, should nothing refer to it.
[[nodiscard]] bool IsOldUpload(const store::Listed& upload, std::int64_t now_ms, const UploadAges& ages);

// False if it is certain that the record of the task an upload was made for does not need it. A program in the store may name
// another object as its input: such a record keeps all of them.
[[nodiscard]] bool MayReferTo(const worker::v1::TaskRecord& record, const std::string& key);

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_UPLOAD_AGES_H_
