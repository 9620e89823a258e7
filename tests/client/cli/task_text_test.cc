#include "client/cli/task_text.h"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

client::Task Failed() {
  client::Task task;
  task.id = "t1";
  task.queue = "default";
  task.state = client::State::kFailed;
  task.reason = client::Reason::kExitCode;
  task.sentence = "exited with 3";
  task.attempt = 2;
  task.fence = 99;
  task.worker = "w1";
  task.exit_code = 3;
  task.submitted_at_ms = 1'769'860'800'123;
  task.started_at_ms = 1'769'860'800'200;
  task.finished_at_ms = 1'769'860'801'700;
  client::Attempt attempt;
  attempt.fence = 99;
  attempt.worker = "w1";
  attempt.state = client::State::kFailed;
  attempt.reason = client::Reason::kExitCode;
  attempt.exit_code = 3;
  task.attempts = {attempt};
  return task;
}

TEST(TaskTextTest, JsonHasTheContractsFieldsWithTheirTypes) {
  const Json json = TaskJson(Failed());
  EXPECT_EQ(json["id"], "t1");
  EXPECT_EQ(json["name"], "");
  EXPECT_EQ(json["queue"], "default");
  EXPECT_EQ(json["state"], "FAILED");
  EXPECT_EQ(json["attempt"], 2);
  EXPECT_EQ(json["fence"], 99);
  EXPECT_EQ(json["worker"], "w1");
  EXPECT_EQ(json["exit_code"], 3);
  EXPECT_TRUE(json["signal"].is_null());
  EXPECT_EQ(json["reason"], "EXIT_CODE");
  EXPECT_EQ(json["submitted_at"], "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(json["finished_at"], "2026-01-31T12:00:01.700Z");
  ASSERT_EQ(json["attempts"].size(), 1u);
  EXPECT_EQ(json["attempts"][0]["state"], "FAILED");
  EXPECT_TRUE(json["attempts"][0]["started_at"].is_null());
}

TEST(TaskTextTest, AnArraySaysHowFarItHasCome) {
  client::Task task = Failed();
  EXPECT_TRUE(TaskJson(task)["array"].is_null());
  task.array = client::ArrayProgress{
      .array = "0-9%3", .elements = 10, .waiting = 4, .under_way = 3, .succeeded = 2, .failed = 1, .unsuccessful = {"2", "4-5"}};
  const Json json = TaskJson(task)["array"];
  EXPECT_EQ(json["array"], "0-9%3");
  EXPECT_EQ(json["elements"], 10);
  EXPECT_EQ(json["under_way"], 3);
  EXPECT_EQ(json["unsuccessful"], (Json{"2", "4-5"}));
  const Item row = TaskRow(task, {"ID", "ARRAY"});
  EXPECT_EQ(row.cells[1], "3 of 10 ended: 2 SUCCEEDED, 1 FAILED; 3 under way, 4 not handed out");
  const Item lines = TaskLines(task);
  ASSERT_EQ(lines.cells.size(), TaskNames().size());
  EXPECT_EQ(lines.cells.back(), "2,4-5");
}

TEST(TaskTextTest, ATaskThatWaitsSaysUntilWhen) {
  client::Task task = Failed();
  task.state = client::State::kWaiting;
  task.not_before_ms = 1'769'860'800'123;
  EXPECT_EQ(TaskJson(task)["not_before"], "2026-01-31T12:00:00.123Z");
  const Item lines = TaskLines(task);
  ASSERT_EQ(lines.cells.size(), TaskNames().size());
  for (std::size_t i = 0; i < lines.cells.size(); ++i) {
    if (TaskNames()[i] == "waits until") {
      EXPECT_EQ(lines.cells[i], "2026-01-31T12:00:00.123Z");
    }
    if (TaskNames()[i] == "why") {
      EXPECT_EQ(lines.cells[i], "exited with 3");
    }
  }
}

TEST(TaskTextTest, WhatATaskWaitsForIsShown) {
  client::Task task = Failed();
  task.state = client::State::kWaiting;
  EXPECT_EQ(TaskJson(task)["dependencies"], Json::array());
  task.dependencies = {{"a"}, {"b", client::Dependency::Condition::kEnd}};
  task.waits_for = {"b"};
  EXPECT_EQ(TaskJson(task)["dependencies"][1], (Json{{"task", "b"}, {"condition", "end"}}));
  EXPECT_EQ(TaskJson(task)["waits_for"], Json::array({"b"}));
  EXPECT_EQ(TaskRow(task, {"AFTER", "WAITS-FOR"}).cells, (std::vector<std::string>{"a, b:end", "b"}));
}

TEST(TaskTextTest, WhatHasNotHappenedIsNull) {
  client::Task task;
  task.id = "t1";
  task.state = client::State::kReady;
  const Json json = TaskJson(task);
  for (const char* field : {"worker", "exit_code", "signal", "started_at", "finished_at", "not_before"})
    EXPECT_TRUE(json[field].is_null()) << field;
  EXPECT_EQ(json["reason"], "NONE");
}

TEST(TaskTextTest, AProgramThatASignalEndedHasNoExitCode) {
  client::Task task = Failed();
  task.reason = client::Reason::kSignal;
  task.signal = 9;
  EXPECT_TRUE(TaskJson(task)["exit_code"].is_null());
  EXPECT_EQ(TaskJson(task)["signal"], 9);
}

TEST(TaskTextTest, RowsAndLinesHaveAsManyCellsAsNames) {
  EXPECT_EQ(TaskRow(Failed()).cells.size(), TaskHeader().size());
  EXPECT_EQ(TaskLines(Failed()).cells.size(), TaskNames().size());
  EXPECT_EQ(EndText(Failed()), "FAILED (EXIT_CODE): exited with 3");
}

TEST(TaskTextTest, AnEndThatIsNoSuccessIsAnErrorThatNamesTheTask) {
  client::Task task = Failed();
  EXPECT_EQ(EndError(task), absl::AbortedError("task " + task.id + " FAILED (EXIT_CODE): exited with 3"));
  task.state = client::State::kCancelled;
  EXPECT_TRUE(absl::IsCancelled(EndError(task)));
}

}  // namespace
}  // namespace drover::cli
