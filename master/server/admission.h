// What is refused before anything is decided: every limit and rule of a submission, each with a sentence that names it. Pure.
#ifndef DROVER_MASTER_SERVER_ADMISSION_H_
#define DROVER_MASTER_SERVER_ADMISSION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drover/task/v1/task.pb.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::master::server {

// RESOURCE_EXHAUSTED or INVALID_ARGUMENT for the call as a whole.
[[nodiscard]] absl::Status CheckBatch(const task::v1::SubmitRequest& request, std::size_t encoded_bytes);

struct Admitted {
  // READY, digested; without its program if that is to go to the store first.
  worker::v1::TaskRecord record;
  task::v1::IfExists if_exists = task::v1::SAME_ONLY;
  // Not empty: too large to travel inside the record. Put it into the store and set program_object.
  std::string program_to_store;
  // Keys of the uploads it refers to, each made for this task.
  std::vector<std::string> uploads;
};

// INVALID_ARGUMENT or RESOURCE_EXHAUSTED for this one task.
[[nodiscard]] absl::StatusOr<Admitted> Admit(const task::v1::TaskSpec& spec, std::int64_t now_ms);

[[nodiscard]] absl::Status CheckDrain(const task::v1::DrainWorkerRequest& request);

// `reason` of a cancellation.
[[nodiscard]] absl::Status CheckCancelReason(absl::string_view reason);

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_ADMISSION_H_
