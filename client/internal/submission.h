// Specs on their way to the service: checked, encoded, cut into batches. Pure.
#ifndef DROVER_CLIENT_INTERNAL_SUBMISSION_H_
#define DROVER_CLIENT_INTERNAL_SUBMISSION_H_

#include <cstddef>
#include <vector>

#include "drover/client/task.h"
#include "drover/task/v1/task.pb.h"

namespace drover::client {

// How many of `specs` from `begin` on go into one request: at most 1,000, and together at most 3 MiB (at least one).
[[nodiscard]] std::size_t BatchSize(const std::vector<TaskSpec>& specs, std::size_t begin);

// The spec without its program (policy and id).
[[nodiscard]] task::v1::TaskSpec ToTaskSpec(const TaskSpec& spec);

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_SUBMISSION_H_
