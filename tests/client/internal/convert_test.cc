#include "client/internal/convert.h"

#include <gtest/gtest.h>

namespace drover::client {
namespace {

TEST(ConvertTest, ASpecBecomesPolicyAndProgram) {
  TaskSpec spec;
  spec.argv = {"a", "b"};
  spec.env = {{"K", "v"}};
  spec.cwd = "/tmp";
  spec.stdin_data = std::string("\0x", 2);
  spec.name = "n";
  spec.queue = "q";
  spec.priority = 7;
  spec.labels = {{"l", "1"}};
  spec.time_limit = std::chrono::seconds(2);
  spec.retries = 3;
  spec.at_most_once = true;
  spec.on_disconnect = OnDisconnect::kStop;
  const task::v1::Policy policy = ToPolicy(spec);
  EXPECT_EQ(policy.name(), "n");
  EXPECT_EQ(policy.queue(), "q");
  EXPECT_EQ(policy.priority(), 7u);
  EXPECT_EQ(policy.labels().at("l"), "1");
  EXPECT_EQ(policy.time_limit_ms(), 2000);
  EXPECT_EQ(policy.retries(), 3u);
  EXPECT_FALSE(policy.has_retry_backoff_ms()) << "the default is not said, so that both are the same submission";
  spec.retry_backoff = std::chrono::milliseconds(0);
  EXPECT_TRUE(ToPolicy(spec).has_retry_backoff_ms());
  EXPECT_EQ(ToPolicy(spec).retry_backoff_ms(), 0);
  EXPECT_TRUE(policy.at_most_once());
  EXPECT_EQ(policy.on_disconnect(), task::v1::STOP);
  const task::v1::Program program = ToProgram(spec);
  ASSERT_EQ(program.argv_size(), 2);
  EXPECT_EQ(program.argv(1), "b");
  EXPECT_EQ(program.env().at("K"), "v");
  EXPECT_EQ(program.cwd(), "/tmp");
  EXPECT_EQ(program.stdin(), spec.stdin_data);
}

TEST(ConvertTest, ATaskThatHasNotEndedHasNoExitCode) {
  task::v1::Task message;
  message.set_id("t");
  message.set_state(task::v1::RUNNING);
  Task task = FromTask(message);
  EXPECT_EQ(task.exit_code, -1);
  message.set_state(task::v1::SUCCEEDED);
  task = FromTask(message);
  EXPECT_EQ(task.exit_code, 0);
  EXPECT_EQ(task.state, State::kSucceeded);
}

TEST(ConvertTest, AStateOfANewerServiceIsUnspecified) {
  task::v1::Task message;
  message.set_state(static_cast<task::v1::State>(99));
  message.set_reason(static_cast<task::v1::Reason>(99));
  EXPECT_EQ(FromTask(message).state, State::kUnspecified);
  EXPECT_EQ(FromTask(message).reason, Reason::kNone);
}

TEST(ConvertTest, OutcomesOfSubmission) {
  const std::pair<task::v1::Outcome, SubmitOutcome> table[] = {
      {task::v1::DONE, SubmitOutcome::kAccepted},
      {task::v1::EXISTED, SubmitOutcome::kAccepted},
      {task::v1::CONFLICT, SubmitOutcome::kConflict},
      {task::v1::TOO_OLD, SubmitOutcome::kTooOld},
      {task::v1::REFUSED, SubmitOutcome::kRefused},
      {task::v1::NOT_FOUND, SubmitOutcome::kRefused},
      {static_cast<task::v1::Outcome>(99), SubmitOutcome::kRefused},
  };
  for (const auto& [from, to] : table) {
    task::v1::SubmitResponse::Result result;
    result.set_outcome(from);
    EXPECT_EQ(FromSubmitResult(result).outcome, to) << from;
  }
}

}  // namespace
}  // namespace drover::client
