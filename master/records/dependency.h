// What a task must wait for: other tasks and how they are to end. Pure; any thread.
#ifndef DROVER_MASTER_RECORDS_DEPENDENCY_H_
#define DROVER_MASTER_RECORDS_DEPENDENCY_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/task/v1/task.pb.h"

namespace drover::records {

// "ID" (its success), "ID:success", "ID:failure" or "ID:end". INVALID_ARGUMENT says what of it is wrong.
[[nodiscard]] absl::StatusOr<task::v1::Dependency> ParseDependency(absl::string_view text);

// Of a normalised policy. INVALID_ARGUMENT or RESOURCE_EXHAUSTED.
[[nodiscard]] absl::Status CheckDependencies(const task::v1::Policy& policy);

enum class DependencyVerdict {
  kOpen,   // it has not ended
  kMet,    // it has, as it should
  kNever,  // it has, otherwise
};
// By the state of the task it names; nothing: there is none.
[[nodiscard]] DependencyVerdict Judge(const task::v1::Dependency& dependency, std::optional<task::v1::State> state);
// Of kNever, for people: "task a, on which it depends, has FAILED".
[[nodiscard]] std::string WhyNever(const task::v1::Dependency& dependency, std::optional<task::v1::State> state);

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_DEPENDENCY_H_
