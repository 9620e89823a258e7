#include "client/cli/progress.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

namespace drover::cli {
namespace {

using client::State;

class ProgressTest : public ::testing::Test {
 protected:
  Progress Make(std::size_t total, bool terminal) {
    return Progress({.total = total,
                     .terminal = terminal,
                     .write = [this](absl::string_view text) { written_.append(text.data(), text.size()); },
                     .now = [this] { return now_; }});
  }
  static client::Task In(State state) {
    client::Task task;
    task.state = state;
    return task;
  }
  std::string Taken() { return std::exchange(written_, {}); }

  Progress::Clock::time_point now_{std::chrono::hours(1)};
  std::string written_;
};

TEST_F(ProgressTest, CountsByState) {
  Progress progress = Make(20, false);
  for (int i = 0; i < 20; ++i) progress.OnTask({}, In(State::kReady));
  for (int i = 0; i < 12; ++i) progress.OnTask(In(State::kReady), In(State::kRunning));
  for (int i = 0; i < 7; ++i) progress.OnTask(In(State::kRunning), In(State::kSucceeded));
  progress.OnTask(In(State::kRunning), In(State::kFailed));
  EXPECT_EQ(progress.Text(), "[########............]  8 of 20 ended: 7 SUCCEEDED, 1 FAILED; 4 RUNNING, 8 READY");
  EXPECT_EQ(Make(0, false).Text(), "[####################]  0 of 0 ended");
}

TEST_F(ProgressTest, ALineASecondWhereThereIsNoTerminal) {
  Progress progress = Make(2, false);
  progress.OnTask({}, In(State::kReady));
  EXPECT_EQ(Taken(), "[....................]  0 of 2 ended; 1 READY\n");
  now_ += std::chrono::milliseconds(999);
  progress.OnTask({}, In(State::kReady));
  EXPECT_EQ(Taken(), "");
  now_ += std::chrono::milliseconds(1);
  progress.OnTask(In(State::kReady), In(State::kRunning));
  EXPECT_EQ(Taken(), "[....................]  0 of 2 ended; 1 RUNNING, 1 READY\n");
  progress.OnTask(In(State::kRunning), In(State::kSucceeded));
  progress.Finish();
  EXPECT_EQ(Taken(), "[##########..........]  1 of 2 ended: 1 SUCCEEDED; 1 READY\n");
  progress.Finish();
  EXPECT_EQ(Taken(), "") << "nothing has changed";
}

TEST_F(ProgressTest, OnATerminalTheLineIsDrawnAnewAndMakesRoom) {
  Progress progress = Make(1, true);
  progress.OnTask({}, In(State::kRunning));
  EXPECT_EQ(Taken(), "\r\x1b[K[....................]  0 of 1 ended; 1 RUNNING");
  progress.Hide();
  EXPECT_EQ(Taken(), "\r\x1b[K");
  progress.Hide();
  EXPECT_EQ(Taken(), "");
  progress.OnTask(In(State::kRunning), In(State::kSucceeded));
  progress.Finish();
  EXPECT_EQ(Taken(), "\r\x1b[K[####################]  1 of 1 ended: 1 SUCCEEDED\n");
}

TEST_F(ProgressTest, AnArrayStandsForItsElements) {
  Progress progress = Make(2, false);
  progress.OnTask({}, In(State::kReady));
  client::Task before = In(State::kRunning);
  before.array = client::ArrayProgress{.elements = 10, .waiting = 6, .under_way = 2, .succeeded = 1, .failed = 1};
  progress.OnTask({}, before);
  EXPECT_EQ(progress.Text(), "[###.................]  2 of 11 ended: 1 SUCCEEDED, 1 FAILED; 2 RUNNING, 1 READY, 6 WAITING");
  client::Task now = In(State::kFailed);
  now.array = client::ArrayProgress{.elements = 10, .succeeded = 8, .failed = 1, .lost = 1};
  progress.OnTask(before, now);
  EXPECT_EQ(progress.Text(), "[##################..]  10 of 11 ended: 8 SUCCEEDED, 1 FAILED, 1 LOST; 1 READY");
}

}  // namespace
}  // namespace drover::cli
