#include "master/server/upload_ages.h"

#include <gtest/gtest.h>

namespace drover::master::server {
namespace {

constexpr std::int64_t kHour = 3'600'000;

TEST(UploadAgesTest, WhatMayBeRemovedCannotBeReferredToForLong) {
  const store::Listed upload{.key = "input/a/1", .modified = base::WallTime(1'000)};
  const struct {
    std::int64_t age_ms;
    bool refer, old;
  } cases[] = {{-kHour, true, false},          {0, true, false},           {12 * kHour, true, false},
               {12 * kHour + 1, false, false}, {24 * kHour, false, false}, {24 * kHour + 1, false, true}};
  for (const auto& c : cases) {
    EXPECT_EQ(CheckUpload(upload, 1'000 + c.age_ms, {}).ok(), c.refer) << c.age_ms;
    EXPECT_EQ(IsOldUpload(upload, 1'000 + c.age_ms, {}), c.old) << c.age_ms;
  }
  EXPECT_EQ(CheckUpload(upload, 1'000 + 13 * kHour, {}).message(),
            "its input input/a/1 was uploaded 13 h ago, at most 12 h before its submission: upload it again");
}

TEST(UploadAgesTest, TheTwoAgesKeepADistance) {
  using std::chrono::hours;
  EXPECT_TRUE(CheckAges({}).ok());
  EXPECT_TRUE(CheckAges({.submit_max = hours(1), .kept = hours(2)}).ok());
  EXPECT_FALSE(CheckAges({.submit_max = hours(13)}).ok());
  EXPECT_FALSE(CheckAges({.submit_max = hours(0), .kept = hours(2)}).ok());
}

TEST(UploadAgesTest, ARecordKeepsWhatItMayNeed) {
  worker::v1::TaskRecord record;
  task::v1::Program program;
  program.add_argv("true");
  record.set_program(program.SerializeAsString());
  EXPECT_FALSE(MayReferTo(record, "input/a/1"));
  program.mutable_stdin_object()->set_key("input/a/1");
  record.set_program(program.SerializeAsString());
  EXPECT_TRUE(MayReferTo(record, "input/a/1"));
  EXPECT_FALSE(MayReferTo(record, "input/a/2"));
  record.set_program("\xff\xff");
  EXPECT_TRUE(MayReferTo(record, "input/a/2")) << "nobody knows";
  record.clear_program();
  record.mutable_program_object()->set_key("input/a/1");
  EXPECT_TRUE(MayReferTo(record, "input/a/1"));
  EXPECT_TRUE(MayReferTo(record, "input/a/2")) << "that program may name it";
}

}  // namespace
}  // namespace drover::master::server
