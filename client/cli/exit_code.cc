#include "client/cli/exit_code.h"

#include <algorithm>

namespace drover::cli {

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kOk;
    case absl::StatusCode::kInvalidArgument:
      return kUsage;
    case absl::StatusCode::kNotFound:
      return kNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kUnavailable;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kRefused;
    default:
      return kOther;
  }
}

int ExitCodeOf(const std::vector<client::Task>& tasks) {
  auto any = [&tasks](client::State state) {
    return std::any_of(tasks.begin(), tasks.end(), [state](const client::Task& t) { return t.state == state; });
  };
  if (any(client::State::kFailed) || any(client::State::kLost)) return kTaskFailed;
  if (any(client::State::kCancelled)) return kTaskCancelled;
  return kOk;
}

int ExitCodeOfProgram(const client::Task& task) {
  switch (task.state) {
    case client::State::kSucceeded:
      return kOk;
    case client::State::kFailed:
      if (task.reason == client::Reason::kExitCode && task.exit_code > 0) return task.exit_code;
      if (task.reason == client::Reason::kSignal && task.signal > 0) return 128 + task.signal;
      return kTaskFailed;
    case client::State::kCancelled:
      return kTaskCancelled;
    default:
      return kTaskFailed;
  }
}

}  // namespace drover::cli
