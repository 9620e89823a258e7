#include "master/records/paths.h"

#include <gtest/gtest.h>

namespace drover::records {
namespace {

TEST(PathsTest, EveryPathThatIsBuiltIsParsedBack) {
  const PoolPaths paths("default");
  const struct {
    std::string path;
    PathKind kind;
    absl::string_view name;
    absl::string_view worker;
  } cases[] = {
      {paths.CandidatePrefix() + "0000000003", PathKind::kCandidate, "c-0000000003", ""},
      {paths.Worker("w1"), PathKind::kWorker, "w1", ""},
      {paths.Task("t"), PathKind::kTask, "t", ""},
      {paths.Assignment("w1", "t"), PathKind::kAssignment, "t", "w1"},
      {paths.Assignees("w1"), PathKind::kAssignees, "w1", "w1"},
      {paths.Died("p"), PathKind::kDied, "p", ""},
      {paths.Horizon(), PathKind::kHorizon, "", ""},
      {paths.Store(), PathKind::kStore, "", ""},
  };
  for (const auto& c : cases) {
    const PathParts parts = paths.Parse(c.path);
    EXPECT_EQ(parts.kind, c.kind) << c.path;
    EXPECT_EQ(parts.name, c.name) << c.path;
    EXPECT_EQ(parts.worker, c.worker) << c.path;
  }
}

TEST(PathsTest, WhatIsNotOfThePoolMeansNothing) {
  const PoolPaths paths("default");
  for (const char* path :
       {"/", "/drover", "/drover/default", "/drover/default/tasks", "/drover/default/workers", "/drover/default2/tasks/t",
        "/drover/other/tasks/t", "/drover/default/tasks/t/x", "/drover/default/assign", "/drover/default/assign/w/t/x",
        "/drover/default/horizon/x", "/drover/default/elsewhere/x"}) {
    EXPECT_EQ(paths.Parse(path).kind, PathKind::kOther) << path;
  }
}

}  // namespace
}  // namespace drover::records
