// Waiting for a condition under one generous deadline: the only way in which end-to-end tests wait.
#ifndef DROVER_TESTS_SUPPORT_AWAIT_H_
#define DROVER_TESTS_SUPPORT_AWAIT_H_

#include <chrono>

#include "absl/functional/function_ref.h"

namespace drover::testing {

// Generous on purpose: it bounds a hang, it measures nothing.
inline constexpr std::chrono::seconds kDeadline{120};

// Asks `condition` again and again (every 10 ms) until it holds. False: the deadline passed first.
bool Await(absl::FunctionRef<bool()> condition, std::chrono::milliseconds deadline = kDeadline);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_AWAIT_H_
