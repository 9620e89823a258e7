#include "client/cli/exit_code.h"

#include <gtest/gtest.h>

#include "tests/client/cli/scripted_client.h"

namespace drover::cli {
namespace {

using client::Reason;
using client::State;

TEST(ExitCodeTest, OfErrors) {
  const std::pair<absl::StatusCode, int> table[] = {
      {absl::StatusCode::kOk, 0},
      {absl::StatusCode::kInternal, 1},
      {absl::StatusCode::kDataLoss, 1},
      {absl::StatusCode::kUnknown, 1},
      {absl::StatusCode::kInvalidArgument, 2},
      {absl::StatusCode::kNotFound, 6},
      {absl::StatusCode::kUnavailable, 7},
      {absl::StatusCode::kDeadlineExceeded, 7},
      {absl::StatusCode::kAlreadyExists, 8},
      {absl::StatusCode::kFailedPrecondition, 8},
      {absl::StatusCode::kResourceExhausted, 8},
  };
  for (const auto& [status, code] : table) EXPECT_EQ(ExitCodeOf(absl::Status(status, "x")), code) << status;
}

TEST(ExitCodeTest, OfAWaitIsTheFirstThatApplies) {
  auto tasks = [](std::vector<State> states) {
    std::vector<client::Task> out;
    for (State state : states) out.push_back(ScriptedClient::Make("t", state));
    return out;
  };
  EXPECT_EQ(ExitCodeOf(tasks({})), 0);
  EXPECT_EQ(ExitCodeOf(tasks({State::kSucceeded, State::kSucceeded})), 0);
  EXPECT_EQ(ExitCodeOf(tasks({State::kSucceeded, State::kCancelled})), 4);
  EXPECT_EQ(ExitCodeOf(tasks({State::kCancelled, State::kFailed})), 3);
  EXPECT_EQ(ExitCodeOf(tasks({State::kLost, State::kCancelled})), 3);
}

TEST(ExitCodeTest, OfRunIsTheProgramsOwn) {
  client::Task task = ScriptedClient::Make("t", State::kSucceeded);
  task.exit_code = 0;
  EXPECT_EQ(ExitCodeOfProgram(task), 0);
  task.state = State::kFailed;
  task.reason = Reason::kExitCode;
  task.exit_code = 7;
  EXPECT_EQ(ExitCodeOfProgram(task), 7);
  task.reason = Reason::kSignal;
  task.exit_code = -1;
  task.signal = 11;
  EXPECT_EQ(ExitCodeOfProgram(task), 139);
  task.reason = Reason::kTimeLimit;
  task.signal = 9;
  EXPECT_EQ(ExitCodeOfProgram(task), 3);
  EXPECT_EQ(ExitCodeOfProgram(ScriptedClient::Make("t", State::kCancelled)), 4);
  EXPECT_EQ(ExitCodeOfProgram(ScriptedClient::Make("t", State::kLost)), 3);
}

}  // namespace
}  // namespace drover::cli
