// What a task asks of its worker beyond equal labels: rules about labels, and resources.
//
// Pure; any thread.
#ifndef DROVER_MASTER_RECORDS_REQUIREMENT_H_
#define DROVER_MASTER_RECORDS_REQUIREMENT_H_

#include <google/protobuf/map.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"

namespace drover::records {

// "zone=eu", "zone!=eu", "zone in (eu, us)", "zone notin (eu, us)", "gpu", "!spot", "cores>8", "cores<8". INVALID_ARGUMENT says
// what of it is wrong.
[[nodiscard]] absl::StatusOr<task::v1::LabelRule> ParseLabelRule(absl::string_view text);
// INVALID_ARGUMENT or RESOURCE_EXHAUSTED for what no worker could ever be judged by.
[[nodiscard]] absl::Status CheckLabelRule(const task::v1::LabelRule& rule);

// What a task wants, or a worker has.
[[nodiscard]] absl::Status CheckResources(const google::protobuf::Map<std::string, std::int64_t>& resources);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_REQUIREMENT_H_
