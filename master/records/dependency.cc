#include "master/records/dependency.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::records {

using task::v1::Dependency;

absl::StatusOr<Dependency> ParseDependency(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  Dependency dependency;
  dependency.set_task(std::string(parts.first));
  if (!IsTaskId(parts.first)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text.substr(0, 200), "\" names no task: ", kTaskIdRule));
  }
  const bool given = parts.first.size() < text.size();
  auto condition = Dependency::SUCCESS;
  if (given && !Dependency::Condition_Parse(absl::AsciiStrToUpper(parts.second), &condition)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", parts.second.substr(0, 80), "\" is no way to end: one of success, failure and end"));
  }
  dependency.set_condition(condition);
  return dependency;
}

absl::Status CheckDependencies(const task::v1::Policy& policy) {
  if (policy.dependencies_size() > static_cast<int>(kDependenciesMax)) {
    return absl::ResourceExhaustedError(absl::StrCat("it depends on ", policy.dependencies_size(), " tasks, at most ",
                                                     kDependenciesMax, ": let another task wait for some of them"));
  }
  const Dependency* before = nullptr;
  for (const Dependency& dependency : policy.dependencies()) {
    if (!IsTaskId(dependency.task())) {
      return absl::InvalidArgumentError(
          absl::StrCat("it depends on \"", Clip(dependency.task(), 200), "\", which names no task: ", kTaskIdRule));
    }
    if (!Dependency::Condition_IsValid(dependency.condition())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the condition about task ", dependency.task(), " is SUCCESS, FAILURE or END"));
    }
    if (before != nullptr && before->task() == dependency.task()) {
      return absl::InvalidArgumentError(absl::StrCat("it names task ", dependency.task(), " twice"));
    }
    before = &dependency;
  }
  return absl::OkStatus();
}

DependencyVerdict Judge(const Dependency& dependency, std::optional<task::v1::State> state) {
  if (!state.has_value()) return DependencyVerdict::kNever;
  if (!IsTerminal(*state)) return DependencyVerdict::kOpen;
  const bool failed = *state == task::v1::FAILED || *state == task::v1::LOST;
  const bool met = dependency.condition() == Dependency::END ||
                   (dependency.condition() == Dependency::SUCCESS ? *state == task::v1::SUCCEEDED : failed);
  return met ? DependencyVerdict::kMet : DependencyVerdict::kNever;
}

std::string WhyNever(const Dependency& dependency, std::optional<task::v1::State> state) {
  const std::string which = absl::StrCat("task ", dependency.task(), ", on which it depends, ");
  if (!state.has_value()) return absl::StrCat(which, "is not there");
  if (*state == task::v1::SUCCEEDED) return absl::StrCat(which, "has not failed");
  return absl::StrCat(which,
                      *state == task::v1::CANCELLED ? "was "
                      : *state == task::v1::LOST    ? "is "
                                                    : "has ",
                      task::v1::State_Name(*state));
}

}  // namespace drover::records
