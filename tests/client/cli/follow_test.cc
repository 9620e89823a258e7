#include "client/cli/follow.h"

#include <gtest/gtest.h>

#include "tests/client/cli/scripted_client.h"

namespace drover::cli {
namespace {

using client::State;

class FollowTest : public ::testing::Test {
 protected:
  absl::StatusOr<client::Task> Follow(std::uint32_t first = 1, bool one = false) {
    FollowOptions options;
    options.id = "t";
    options.first_attempt = first;
    options.one_attempt = one;
    options.streams = {{client::OutputStream::kStdout, [this](absl::string_view data) { return Add(&out_, data); }},
                       {client::OutputStream::kStderr, [this](absl::string_view data) { return Add(&err_, data); }}};
    options.note = [this](const std::string& text) {
      base::MutexLock lock(&mu_);
      notes_.push_back(text);
    };
    return Follower(&client_, std::move(options)).Run();
  }
  static bool Add(std::string* to, absl::string_view data) {
    to->append(data.data(), data.size());
    return true;
  }

  ScriptedClient client_;
  std::string out_;  // each by its own stream's thread
  std::string err_;
  base::Mutex mu_;
  std::vector<std::string> notes_ ABSL_GUARDED_BY(mu_);
};

TEST_F(FollowTest, BothStreamsOfOneAttempt) {
  client_.changes = {ScriptedClient::Make("t", State::kReady, 0), ScriptedClient::Make("t", State::kRunning),
                     ScriptedClient::Make("t", State::kSucceeded)};
  client_.output = {{"1/stdout", "out"}, {"1/stderr", "err"}};
  auto task = Follow();
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->state, State::kSucceeded);
  EXPECT_EQ(out_, "out");
  EXPECT_EQ(err_, "err");
}

TEST_F(FollowTest, OneAttemptAfterTheOther) {
  client_.changes = {ScriptedClient::Make("t", State::kRunning, 1), ScriptedClient::Make("t", State::kReady, 1),
                     ScriptedClient::Make("t", State::kSucceeded, 3)};
  client_.output = {{"1/stdout", "1"}, {"3/stdout", "3"}, {"1/stderr", ""}, {"2/stderr", ""}, {"3/stderr", ""}};
  auto task = Follow();
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(out_, "13");
  base::MutexLock lock(&mu_);
  EXPECT_EQ(notes_, std::vector<std::string>{"the output of attempt 2 is not kept"});
}

TEST_F(FollowTest, OnlyTheAttemptThatWasAskedFor) {
  client_.changes = {ScriptedClient::Make("t", State::kRunning, 3)};
  client_.watch_status = absl::CancelledError("stopped");
  client_.output = {{"2/stdout", "2"}, {"3/stdout", "3"}, {"2/stderr", ""}};
  auto task = Follow(2, true);
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(out_, "2");
}

TEST_F(FollowTest, AnAttemptThatWasAskedForAndNeverWasIsNotFound) {
  client_.changes = {ScriptedClient::Make("t", State::kSucceeded, 1)};
  client_.output = {{"1/stdout", "1"}, {"1/stderr", ""}};
  EXPECT_TRUE(absl::IsNotFound(Follow(99, true).status()));
  EXPECT_EQ(out_, "");
}

TEST_F(FollowTest, ATaskThatNeverStartedHasNoOutput) {
  client_.changes = {ScriptedClient::Make("t", State::kCancelled, 0)};
  auto task = Follow();
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->state, State::kCancelled);
  EXPECT_EQ(out_, "");
}

TEST_F(FollowTest, AnUnknownTaskIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Follow().status()));
}

TEST_F(FollowTest, WhenNobodyAnswersItEnds) {
  client_.changes = {ScriptedClient::Make("t", State::kReady, 0)};
  client_.watch_status = absl::UnavailableError("no master answered");
  EXPECT_TRUE(absl::IsUnavailable(Follow().status()));
}

}  // namespace
}  // namespace drover::cli
