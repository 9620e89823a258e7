#include "client/internal/submission.h"

#include <gtest/gtest.h>

namespace drover::client {
namespace {

TaskSpec Echo() {
  TaskSpec spec;
  spec.argv = {"echo"};
  return spec;
}

TEST(SubmissionTest, WhatCanNeverBeRightIsRefusedHere) {
  EXPECT_TRUE(CheckSpec(Echo()).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSpec(TaskSpec())));
  TaskSpec spec = Echo();
  spec.id = "white space";
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSpec(spec)));
  spec = Echo();
  spec.priority = 10;
  EXPECT_FALSE(CheckSpec(spec).ok());
  spec.priority = -1;
  EXPECT_FALSE(CheckSpec(spec).ok());
  spec = Echo();
  spec.retries = -1;
  EXPECT_FALSE(CheckSpec(spec).ok());
}

TEST(SubmissionTest, ABatchHasAtMostAThousandTasks) {
  const std::vector<TaskSpec> specs(2500, Echo());
  EXPECT_EQ(BatchSize(specs, 0), 1000u);
  EXPECT_EQ(BatchSize(specs, 1000), 1000u);
  EXPECT_EQ(BatchSize(specs, 2000), 500u);
}

TEST(SubmissionTest, ABatchOfLargeTasksHasFewer) {
  TaskSpec large = Echo();
  large.argv.push_back(std::string(10'000, 'x'));
  const std::vector<TaskSpec> specs(2000, large);
  // In the store they count by their references.
  EXPECT_EQ(BatchSize(specs, 0), 1000u);
  TaskSpec named = Echo();
  named.argv.push_back(std::string(2000, 'x'));
  named.name = std::string(128, 'n');
  const std::size_t size = BatchSize(std::vector<TaskSpec>(2000, named), 0);
  EXPECT_GT(size, 0u);
  EXPECT_LE(size * 2000, 4u << 20);
}

}  // namespace
}  // namespace drover::client
