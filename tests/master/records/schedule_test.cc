#include "master/records/schedule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace drover::records {
namespace {

using Kind = ScheduleStep::Kind;
using task::v1::ScheduleSpec;

constexpr std::int64_t kMinute = 60'000;

ScheduleSpec Spec(std::int64_t every_ms = kMinute) {
  ScheduleSpec spec;
  spec.set_name("s");
  spec.set_every_ms(every_ms);
  spec.mutable_program()->add_argv("true");
  Normalise(&spec);
  return spec;
}

worker::v1::ScheduleRecord Record(ScheduleSpec::Missed missed = ScheduleSpec::ONE, bool no_overlap = false) {
  worker::v1::ScheduleRecord record;
  *record.mutable_spec() = Spec();
  record.mutable_spec()->set_missed(missed);
  record.mutable_spec()->set_no_overlap(no_overlap);
  return record;
}

// "fire 1, pass 2": what is done at `now_ms`, in minutes.
std::string Done(worker::v1::ScheduleRecord* record, std::int64_t now_ms, bool last_task_open = false) {
  std::string done;
  const Timetable table = *TimetableOf(record->spec(), record->created_ms());
  while (true) {
    const ScheduleStep step = NextStep(*record, table, now_ms, last_task_open);
    if (step.kind == Kind::kNothing) return done;
    absl::StrAppend(&done, done.empty() ? "" : ", ", step.kind == Kind::kFire ? "fire " : "pass ", step.at_ms / kMinute);
    Take(step, record);
    if (done.size() > 4'000) return done + " ...";
  }
}

TEST(ScheduleTest, EachTimeIsSeenToOnce) {
  for (const auto missed : {ScheduleSpec::ONE, ScheduleSpec::SKIP, ScheduleSpec::ALL}) {
    worker::v1::ScheduleRecord record = Record(missed);
    EXPECT_EQ(Done(&record, kMinute - 1), "");
    EXPECT_EQ(Done(&record, kMinute), "fire 1");
    EXPECT_EQ(Done(&record, kMinute + 30'000), "");
    EXPECT_EQ(Done(&record, 2 * kMinute + 59'000), "fire 2");
    EXPECT_EQ(record.fired(), 2U);
    EXPECT_EQ(record.last_task(), "s.19700101T000200Z");
    EXPECT_EQ(record.note(), "");
  }
}

TEST(ScheduleTest, WhatWasMissedIsMadeUpForAsItSays) {
  worker::v1::ScheduleRecord one = Record(ScheduleSpec::ONE);
  EXPECT_EQ(Done(&one, 10 * kMinute), "fire 10");
  worker::v1::ScheduleRecord all = Record(ScheduleSpec::ALL);
  EXPECT_EQ(Done(&all, 4 * kMinute), "fire 1, fire 2, fire 3, fire 4");
  const std::string many = Done(&all, 1'000 * kMinute);
  EXPECT_EQ(many.substr(0, 18), "fire 901, fire 902");
  EXPECT_EQ(all.fired(), 104U);
  // Within a minute it is not missed yet.
  worker::v1::ScheduleRecord skip = Record(ScheduleSpec::SKIP);
  skip.mutable_spec()->set_every_ms(10 * kMinute);
  EXPECT_EQ(Done(&skip, 11 * kMinute), "fire 10");
  EXPECT_EQ(Done(&skip, 21 * kMinute + 1), "pass 20");
  EXPECT_EQ(skip.note(), "missed: nobody could submit it in its time");
  EXPECT_EQ(skip.fired(), 1U);
  EXPECT_EQ(skip.last_ms(), 20 * kMinute);
  EXPECT_EQ(Done(&skip, 30 * kMinute), "fire 30");
  EXPECT_EQ(skip.note(), "");
}

TEST(ScheduleTest, WithoutOverlapATimeIsLeftOutWhileTheTaskBeforeIsOpen) {
  worker::v1::ScheduleRecord record = Record(ScheduleSpec::ONE, /*no_overlap=*/true);
  EXPECT_EQ(Done(&record, kMinute), "fire 1");
  EXPECT_EQ(Done(&record, 2 * kMinute, true), "pass 2");
  EXPECT_EQ(record.note(), "left out: task s.19700101T000100Z had not ended");
  EXPECT_EQ(record.last_task(), "s.19700101T000100Z");
  EXPECT_EQ(Done(&record, 3 * kMinute, false), "fire 3");
}

TEST(ScheduleTest, WhatWillNotDoIsRefused) {
  EXPECT_TRUE(CheckSchedule(Spec()).ok());
  const auto refused = [](auto change) {
    ScheduleSpec spec = Spec();
    change(&spec);
    Normalise(&spec);
    return std::string(CheckSchedule(spec).message());
  };
  const auto cron = [](const char* text) {
    return [text](ScheduleSpec* s) {
      s->set_every_ms(0);
      s->set_cron(text);
    };
  };
  EXPECT_EQ(refused(cron("0 2 * * *")), "");
  EXPECT_EQ(refused(cron("0 0 30 2 *")), "\"0 0 30 2 *\" never comes");
  EXPECT_NE(refused(cron("0 2 * *")), "");
  EXPECT_EQ(refused([](ScheduleSpec* s) { s->set_cron("@daily"); }), "a schedule has either a cron expression or an interval");
  EXPECT_EQ(refused([](ScheduleSpec* s) { s->set_every_ms(999); }), "an interval of 999ms is not in 1s..366 days");
  EXPECT_EQ(refused([](ScheduleSpec* s) { s->set_every_ms(-1); }), "an interval of -1ms is not in 1s..366 days");
  EXPECT_EQ(refused([](ScheduleSpec* s) { s->set_time_zone("UTC"); }), "a time zone says nothing of an interval");
  EXPECT_NE(refused([](ScheduleSpec* s) { s->set_name("a/b"); }), "");
  EXPECT_NE(refused([](ScheduleSpec* s) { s->mutable_program()->clear_argv(); }), "");
  EXPECT_NE(refused([](ScheduleSpec* s) { s->mutable_policy()->set_priority(10); }), "");
  EXPECT_NE(refused([](ScheduleSpec* s) { s->mutable_policy()->set_deadline_ms(5); }), "");
  EXPECT_EQ(refused([](ScheduleSpec* s) { s->mutable_policy()->add_dependencies()->set_task("a"); }),
            "the tasks of a schedule depend on no others");
  EXPECT_NE(refused([](ScheduleSpec* s) { s->mutable_program()->add_argv(std::string(2'100, 'x')); }), "");
  EXPECT_NE(refused([](ScheduleSpec* s) { s->set_missed(static_cast<ScheduleSpec::Missed>(9)); }), "");
}

TEST(ScheduleTest, ItsTasksAreAsSubmittedByHand) {
  const worker::v1::TaskRecord record = FiringOf(Spec());
  EXPECT_EQ(record.policy().name(), "s");
  EXPECT_EQ(record.policy().queue(), "default");
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_FALSE(record.spec_digest().empty());
  EXPECT_EQ(FiringId("nightly", 1'769'860'800'000), "nightly.20260131T120000Z");
  EXPECT_EQ(RunId("nightly", 255), "nightly.run-00000000000000ff");
}

}  // namespace
}  // namespace drover::records
