#include "worker/agent/outcome.h"

#include <cerrno>

#include "gtest/gtest.h"

namespace drover::worker::agent {
namespace {

using exec::Exit;
using exec::KilledBy;
using task::v1::Reason;
using task::v1::State;

constexpr Exit::Kind kExited = Exit::Kind::kExited;
constexpr Exit::Kind kSignalled = Exit::Kind::kSignalled;
constexpr Exit::Kind kNotStarted = Exit::Kind::kNotStarted;
constexpr Exit::Kind kLost = Exit::Kind::kLost;

struct Case {
  const char* name;
  Exit exit;
  bool at_most_once;
  unsigned retries;
  bool cancel;
  State task;  // what becomes of the task
  State attempt;
  Reason reason;
  bool failure;
  bool loss;
};

TEST(Outcome, Table) {
  const Case cases[] = {
      {"success", {.kind = kExited}, false, 3, false, task::v1::SUCCEEDED, task::v1::SUCCEEDED, task::v1::NONE, false, false},
      {"success stands against a late cancel",
       {.kind = kExited},
       false,
       0,
       true,
       task::v1::SUCCEEDED,
       task::v1::SUCCEEDED,
       task::v1::NONE,
       false,
       false},
      {"exit code",
       {.kind = kExited, .code = 2},
       false,
       0,
       false,
       task::v1::FAILED,
       task::v1::FAILED,
       task::v1::EXIT_CODE,
       true,
       false},
      {"exit code, retry",
       {.kind = kExited, .code = 2},
       false,
       1,
       false,
       task::v1::READY,
       task::v1::FAILED,
       task::v1::EXIT_CODE,
       true,
       false},
      {"exit code, retry, but cancelled",
       {.kind = kExited, .code = 2},
       false,
       1,
       true,
       task::v1::CANCELLED,
       task::v1::CANCELLED,
       task::v1::CANCELLED_BY_USER,
       false,
       false},
      {"failure without a retry stands against a late cancel",
       {.kind = kExited, .code = 2},
       false,
       0,
       true,
       task::v1::FAILED,
       task::v1::FAILED,
       task::v1::EXIT_CODE,
       true,
       false},
      {"signal",
       {.kind = kSignalled, .signal = 11},
       true,
       0,
       false,
       task::v1::FAILED,
       task::v1::FAILED,
       task::v1::SIGNAL,
       true,
       false},
      {"time limit",
       {.kind = kSignalled, .signal = 15, .killed_by = KilledBy::kTimeLimit},
       false,
       0,
       false,
       task::v1::FAILED,
       task::v1::FAILED,
       task::v1::TIME_LIMIT,
       true,
       false},
      {"silence",
       {.kind = kSignalled, .signal = 15, .killed_by = KilledBy::kSilence},
       false,
       1,
       false,
       task::v1::READY,
       task::v1::FAILED,
       task::v1::HEARTBEAT,
       true,
       false},
      {"a result that is too large",
       {.kind = kExited, .result_refused_bytes = 1},
       false,
       0,
       false,
       task::v1::FAILED,
       task::v1::FAILED,
       task::v1::STORE_FAILED,
       true,
       false},
      {"time limit, exit 0 in its grace",
       {.kind = kExited, .killed_by = KilledBy::kTimeLimit},
       false,
       1,
       false,
       task::v1::READY,
       task::v1::FAILED,
       task::v1::TIME_LIMIT,
       true,
       false},
      {"cancelled",
       {.kind = kSignalled, .signal = 15, .killed_by = KilledBy::kCancel},
       false,
       5,
       true,
       task::v1::CANCELLED,
       task::v1::CANCELLED,
       task::v1::CANCELLED_BY_USER,
       false,
       false},
      {"cancelled, exit 0 in its grace",
       {.kind = kExited, .killed_by = KilledBy::kCancel},
       false,
       5,
       true,
       task::v1::CANCELLED,
       task::v1::CANCELLED,
       task::v1::CANCELLED_BY_USER,
       false,
       false},
      {"could not start",
       {.kind = kNotStarted, .error = 2},
       false,
       0,
       false,
       task::v1::FAILED,
       task::v1::FAILED,
       task::v1::COULD_NOT_START,
       true,
       false},
      {"lease ended",
       {.kind = kSignalled, .signal = 9, .killed_by = KilledBy::kLease},
       false,
       0,
       false,
       task::v1::READY,
       task::v1::LOST,
       task::v1::DISCONNECTED,
       false,
       false},
      {"lease ended, at most once",
       {.kind = kSignalled, .signal = 9, .killed_by = KilledBy::kLease},
       true,
       0,
       false,
       task::v1::LOST,
       task::v1::LOST,
       task::v1::DISCONNECTED,
       false,
       false},
      {"lease ended before the start, at most once",
       {.kind = kNotStarted, .killed_by = KilledBy::kLease},
       true,
       0,
       false,
       task::v1::READY,
       task::v1::LOST,
       task::v1::DISCONNECTED,
       false,
       false},
      {"lease ended, and cancelled",
       {.kind = kSignalled, .signal = 9, .killed_by = KilledBy::kLease},
       true,
       0,
       true,
       task::v1::CANCELLED,
       task::v1::CANCELLED,
       task::v1::CANCELLED_BY_USER,
       false,
       false},
      {"drain",
       {.kind = kSignalled, .signal = 15, .killed_by = KilledBy::kDrain},
       false,
       0,
       false,
       task::v1::READY,
       task::v1::LOST,
       task::v1::WORKER_LOST,
       false,
       false},
      {"drain, at most once",
       {.kind = kSignalled, .signal = 15, .killed_by = KilledBy::kDrain},
       true,
       0,
       false,
       task::v1::LOST,
       task::v1::LOST,
       task::v1::WORKER_LOST,
       false,
       false},
      {"reaper died", {.kind = kLost}, false, 0, false, task::v1::READY, task::v1::LOST, task::v1::WORKER_LOST, false, true},
      {"reaper died, at most once",
       {.kind = kLost},
       true,
       0,
       false,
       task::v1::LOST,
       task::v1::LOST,
       task::v1::WORKER_LOST,
       false,
       true},
  };
  for (const Case& c : cases) {
    v1::TaskRecord record;
    record.set_state(task::v1::RUNNING);
    record.set_worker("w");
    record.mutable_policy()->set_at_most_once(c.at_most_once);
    record.mutable_policy()->set_retries(c.retries);
    record.mutable_policy()->set_retry_backoff_ms(0);
    records::AddAttempt(&record, "w", 1);
    const Outcome outcome =
        DecideOutcome(record, {.fence = 7, .started_at_ms = 10, .finished_at_ms = 20, .exit = c.exit, .cancel = c.cancel});
    ApplyOutcome(outcome, &record);
    EXPECT_EQ(record.state(), c.task) << c.name;
    EXPECT_EQ(record.reason(), c.reason) << c.name;
    EXPECT_EQ(record.attempts(0).state(), c.attempt) << c.name;
    EXPECT_EQ(record.attempts(0).fence(), 7U) << c.name;
    EXPECT_EQ(record.attempts(0).exit_code(), c.exit.kind == kExited ? c.exit.code : -1) << c.name;
    EXPECT_EQ(record.attempts(0).signal(), c.exit.signal) << c.name;
    EXPECT_EQ(record.failures(), c.failure ? 1U : 0U) << c.name;
    EXPECT_EQ(record.losses(), c.loss ? 1U : 0U) << c.name;
    EXPECT_EQ(outcome.again, c.task == task::v1::READY) << c.name;
    EXPECT_EQ(record.worker(), "") << c.name;
  }
}

TEST(Outcome, ATimeLimitIsSaidAsItsUserWroteIt) {
  v1::TaskRecord record;
  for (const auto& [ms, text] : {std::pair{1'000, "1s"}, {90'000, "1m30s"}, {250, "250ms"}}) {
    record.mutable_policy()->set_time_limit_ms(ms);
    const Outcome outcome = DecideOutcome(record, {.exit = Exit{.kind = kSignalled, .killed_by = KilledBy::kTimeLimit}});
    EXPECT_EQ(outcome.end.sentence, std::string("over its time limit of ") + text);
  }
}

TEST(Outcome, OnlyTheExitCodesThatAreNamedAreRetriedAfter) {
  v1::TaskRecord record;
  record.mutable_policy()->set_retries(9);
  for (const std::uint32_t code : {75, 137}) record.mutable_policy()->add_retry_exit_codes(code);
  const struct {
    const char* what;
    Exit exit;
    bool again;
  } cases[] = {
      {"named", {.kind = kExited, .code = 75}, true},
      {"not named", {.kind = kExited, .code = 1}, false},
      {"signal 9 is 137", {.kind = kSignalled, .signal = 9}, true},
      {"signal 15 is 143", {.kind = kSignalled, .signal = 15}, false},
      {"over its time limit", {.kind = kSignalled, .signal = 9, .killed_by = KilledBy::kTimeLimit}, false},
      {"it could not start", {.kind = kNotStarted, .error = ENOENT}, false},
      {"its worker stops", {.kind = kSignalled, .signal = 15, .killed_by = KilledBy::kDrain}, true},
      {"its supervisor died", {.kind = kLost}, true},
  };
  for (const auto& c : cases) EXPECT_EQ(DecideOutcome(record, {.exit = c.exit}).again, c.again) << c.what;
  EXPECT_TRUE(DecideOutcome(record, {.input_error = "the store is away"}).again) << "no fault of the program's";
}

TEST(Outcome, ARetryThatWouldStartTooLateIsNone) {
  v1::TaskRecord record;
  record.mutable_policy()->set_retries(9);
  record.mutable_policy()->set_deadline_ms(1'000'800);
  records::AddAttempt(&record, "w", 1);
  const AttemptFacts facts{.started_at_ms = 5, .exit = Exit{.kind = kExited, .code = 2}, .cluster_now_ms = 1'000'000, .random = 0};
  Outcome outcome = DecideOutcome(record, facts);
  EXPECT_FALSE(outcome.again);
  EXPECT_EQ(outcome.end.reason, task::v1::EXIT_CODE) << "that is what it failed by";
  EXPECT_EQ(outcome.end.sentence, "exit code 2; no time is left to run it again");
  record.mutable_policy()->set_deadline_ms(1'000'801);
  EXPECT_TRUE(DecideOutcome(record, facts).again);
  // The time to start within is of the first attempt alone.
  record.mutable_policy()->clear_deadline_ms();
  record.mutable_policy()->set_start_within_ms(1);
  EXPECT_TRUE(DecideOutcome(record, facts).again);
}

TEST(Outcome, ATotalLimitEndsTheTask) {
  v1::TaskRecord record;
  record.mutable_policy()->set_retries(9);
  const Outcome outcome =
      DecideOutcome(record, {.exit = Exit{.kind = kSignalled, .killed_by = KilledBy::kTimeLimit},
                             .total_bound = records::TimeBound{5, task::v1::TIME_LIMIT, "over its total limit of 1m"}});
  EXPECT_FALSE(outcome.again);
  EXPECT_EQ(outcome.end.state, task::v1::FAILED);
  EXPECT_EQ(outcome.end.reason, task::v1::TIME_LIMIT);
  EXPECT_EQ(outcome.end.sentence, "over its total limit of 1m");
}

TEST(Outcome, AfterAFailureOfItsOwnTheTaskWaits) {
  v1::TaskRecord record;
  record.mutable_policy()->set_retries(9);
  AttemptFacts facts{.exit = Exit{.kind = kExited, .code = 2}, .cluster_now_ms = 1'000'000, .random = 0};
  const std::int64_t delays[] = {800, 1'600, 3'200};
  for (const std::int64_t delay : delays) {
    const Outcome outcome = DecideOutcome(record, facts);
    EXPECT_TRUE(outcome.again);
    EXPECT_EQ(outcome.not_before_ms, 1'000'000 + delay);
    ApplyOutcome(outcome, &record);
    EXPECT_EQ(record.state(), task::v1::WAITING);
    EXPECT_EQ(record.not_before(), 1'000'000 + delay);
    EXPECT_EQ(record.reason(), task::v1::EXIT_CODE);
  }
  facts.random = 1;
  EXPECT_EQ(DecideOutcome(record, facts).not_before_ms, 1'000'000 + 6'401) << "the bits are not used";
}

TEST(Outcome, WhatIsNoFaultOfTheProgramsDoesNotWait) {
  v1::TaskRecord record;
  record.mutable_policy()->set_retries(9);
  for (const Exit& exit : {Exit{.kind = kLost}, Exit{.kind = kSignalled, .killed_by = KilledBy::kLease},
                           Exit{.kind = kSignalled, .killed_by = KilledBy::kDrain}}) {
    const Outcome outcome = DecideOutcome(record, {.exit = exit, .cluster_now_ms = 1'000'000});
    EXPECT_TRUE(outcome.again);
    EXPECT_EQ(outcome.not_before_ms, 0);
  }
}

TEST(Outcome, OfAttemptsWhoseProgramNeverRan) {
  v1::TaskRecord record;
  record.mutable_policy()->set_at_most_once(true);
  EXPECT_TRUE(DecideOutcome(record, {}).again) << "returned";
  EXPECT_EQ(DecideOutcome(record, {.cancel = true, .cancel_reason = "r"}).end.state, task::v1::CANCELLED);
  EXPECT_EQ(DecideOutcome(record, {.cancel = true, .cancel_reason = "r"}).end.sentence, "r");
  const Outcome input = DecideOutcome(record, {.input_error = "no such object"});
  EXPECT_EQ(input.end.state, task::v1::FAILED);
  EXPECT_EQ(input.end.reason, task::v1::STORE_FAILED);
  EXPECT_EQ(input.end.exit_code, -1);
}

TEST(Outcome, LostOutputFailsWhatTheProgramDidItself) {
  const v1::TaskRecord record;
  EXPECT_EQ(DecideOutcome(record, {.exit = Exit{.kind = kExited}, .output_error = "full"}).end.reason, task::v1::STORE_FAILED);
  EXPECT_EQ(
      DecideOutcome(record, {.exit = Exit{.kind = kSignalled, .killed_by = KilledBy::kCancel}, .output_error = "full"}).end.reason,
      task::v1::CANCELLED_BY_USER);
}

}  // namespace
}  // namespace drover::worker::agent
