#include <array>

#include "drover/client/task.h"

namespace drover::client {
namespace {

constexpr std::array<absl::string_view, 9> kStates = {"STATE_UNSPECIFIED", "WAITING", "READY",     "ASSIGNED", "RUNNING",
                                                      "SUCCEEDED",         "FAILED",  "CANCELLED", "LOST"};
constexpr std::array<absl::string_view, 14> kReasons = {
    "NONE",         "EXIT_CODE",       "SIGNAL",       "TIME_LIMIT", "CANCELLED_BY_USER", "WORKER_LOST", "WORKER_LOST_LIMIT",
    "DISCONNECTED", "COULD_NOT_START", "STORE_FAILED", "DEADLINE",   "DEPENDENCY",        "ELEMENTS",    "HEARTBEAT"};

}  // namespace

absl::string_view StateName(State state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::optional<State> ParseState(absl::string_view name) {
  for (std::size_t i = 1; i < kStates.size(); ++i) {
    if (kStates[i] == name) return static_cast<State>(i);
  }
  return std::nullopt;
}

bool IsTerminal(State state) {
  return state == State::kSucceeded || state == State::kFailed || state == State::kCancelled || state == State::kLost;
}

absl::string_view ReasonName(Reason reason) {
  return kReasons[static_cast<std::size_t>(reason)];
}

}  // namespace drover::client
