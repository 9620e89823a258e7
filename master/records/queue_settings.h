// What holds for a queue. Pure; any thread.
#ifndef DROVER_MASTER_RECORDS_QUEUE_SETTINGS_H_
#define DROVER_MASTER_RECORDS_QUEUE_SETTINGS_H_

#include "absl/status/status.h"
#include "drover/task/v1/task.pb.h"

namespace drover::records {

// The settings with what the request changes of them.
[[nodiscard]] task::v1::QueueSettings Changed(task::v1::QueueSettings settings, const task::v1::SetQueueRequest& change);

// INVALID_ARGUMENT names the first that is out of its range.
[[nodiscard]] absl::Status CheckQueueSettings(const task::v1::QueueSettings& settings);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_QUEUE_SETTINGS_H_
