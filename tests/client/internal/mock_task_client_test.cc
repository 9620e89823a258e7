// As a program's own test would use it.
#include "drover/client/mock_task_client.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drover::client {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::NiceMock;
using ::testing::Return;

// What is tested: it runs a report and says how that ended.
std::string Report(TaskClient& client) {
  const auto id = client.Submit({.argv = {"make-report"}, .name = "report"});
  if (!id.ok()) return std::string(id.status().message());
  const auto tasks = client.Wait({*id});
  return tasks.ok() ? std::string(StateName(tasks->front().state)) : std::string(tasks.status().message());
}

TEST(MockTaskClientTest, AnswersWhatATestSays) {
  MockTaskClient client;
  EXPECT_CALL(client, Submit(Field(&TaskSpec::name, "report"))).WillOnce(Return("t1"));
  EXPECT_CALL(client, Wait(ElementsAre("t1"), _)).WillOnce(Return(std::vector<Task>{MadeTask("t1", State::kSucceeded)}));
  EXPECT_EQ(Report(client), "SUCCEEDED");
}

TEST(MockTaskClientTest, WhatWasNotSaidIsAnError) {
  NiceMock<MockTaskClient> client;
  EXPECT_EQ(Report(client), "MockTaskClient: nothing was said of this call");
  EXPECT_TRUE(absl::IsUnimplemented(client.ListMasters().status()));
  TaskClient& as_used = client;
  EXPECT_TRUE(absl::IsUnimplemented(as_used.Watch({}, nullptr)));
}

}  // namespace
}  // namespace drover::client
